"""A search as anyone would write it: sentence-transformers and a flat FAISS index.

python faiss_search.py FOLDER MODEL QUESTION     ten hits
python faiss_search.py FOLDER MODEL --batch      a line of JSON for each line of standard input
"""

import json
import sys
from pathlib import Path

import faiss
from sentence_transformers import SentenceTransformer

folder, model, question = Path(sys.argv[1]), SentenceTransformer(sys.argv[2]), sys.argv[3]
index = faiss.read_index(str(folder / "faiss.index"))
claims = (folder / "claims.tsv").read_text().splitlines()


def search(text: str) -> list[str]:
    scores, rows = index.search(model.encode([text], normalize_embeddings=True), 10)
    return [f"{score:.2f}  {claims[row]}" for score, row in zip(scores[0], rows[0], strict=True)]


if question != "--batch":
    print("\n".join(search(question)))
else:
    for line in sys.stdin:
        print(json.dumps(search(line.strip())), flush=True)
