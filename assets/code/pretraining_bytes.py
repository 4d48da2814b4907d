"""Embeddings of bytes at one step, on the two directions in which those of the last step differ most."""

import json
from pathlib import Path

import numpy as np

file = "assets/trained/pretraining/en.npz"
step = 300

head = json.loads(Path(file).expanduser().with_suffix(".json").read_text("utf-8"))
with np.load(Path(file).expanduser()) as found:
    embedding = found["embedding"].astype(np.float64)  # [step, byte, d_model]
last = embedding[-1] - embedding[-1].mean(axis=0)
axes = np.linalg.svd(last, full_matrices=False)[2][:2]
axes = axes * np.sign(axes[[0, 1], np.abs(axes).argmax(axis=1)])[:, None]
points = (embedding[head["steps"].index(step)] - embedding[-1].mean(axis=0)) @ axes.T
for byte, (x, y) in zip(head["mapped"], points, strict=True):
    print(f"{bytes([byte])!r:8} {x:7.3f} {y:7.3f}")
