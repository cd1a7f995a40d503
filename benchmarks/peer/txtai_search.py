"""A search with txtai's embeddings database, opened from disk; arguments as in faiss_search.py, without MODEL."""

import json
import sys

from txtai import Embeddings

embeddings = Embeddings()
embeddings.load(sys.argv[1])
question = sys.argv[2]


def search(text: str) -> list[str]:
    return [f"{hit['score']:.2f}  {hit['text']}" for hit in embeddings.search(text, 10)]


if question != "--batch":
    print("\n".join(search(question)))
else:
    for line in sys.stdin:
        print(json.dumps(search(line.strip())), flush=True)
