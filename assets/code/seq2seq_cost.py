"""Bytes that a network keeps from step to step, against the length of source and output."""

import json
from pathlib import Path

from safetensors import safe_open

file = "assets/trained/reverse-gru-none/model.safetensors"
lengths = [8, 16, 32, 64, 128, 256, 512]

with safe_open(str(Path(file).expanduser()), "numpy") as opened:
    shape = json.loads(opened.metadata()["network"])["settings"]["network"]
d, number = shape["d_hidden"], 4  # bytes of a float32
kept = []
for length in lengths:
    if shape["kind"] == "transformer":  # keys and values of two layers, of the source and of the output
        n = 2 * 2 * (length + length) * d
    else:
        n = d * (2 if shape["kind"] == "lstm" else 1)  # the state
        keys = length * shape["d_embedding"]
        n += {"none": d, "dot": length * d, "additive": length * d + keys}[shape["attention"]]
    kept.append(n * number)
    print(f"{length:4} characters: {kept[-1]:,} bytes")
