"""Embeds the texts of a file as often as it is told to: for each line read, the seconds that it took.

    python embed.py codex|sentence-transformers MODEL

A line is JSON: {"texts": FILE, "save": FILE or ""}.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

if sys.argv[1] == "codex":
    from codex_kb.encoders.onnx import OnnxEncoder

    encode = OnnxEncoder(Path(sys.argv[2])).encode
else:
    from sentence_transformers import SentenceTransformer

    encode = SentenceTransformer(sys.argv[2]).encode
encode(["the model is loaded when it is first used"])
for line in sys.stdin:
    asked = json.loads(line)
    texts = json.loads(Path(asked["texts"]).read_text())
    start = time.perf_counter()
    vectors = encode(texts)
    print(time.perf_counter() - start, flush=True)
    if asked["save"]:
        np.save(asked["save"], vectors)
