# A matrix of a model on a grid of 2^bits values: its step, its error, and the bits it takes.
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
matrix = "model.layers.0.self_attn.q_proj"
n_rows = 576
row = 0
bits = 4
granularity = "tensor"  # one scale for the whole matrix, for a "channel" (a row) or a "group" of a row
group = 64
is_symmetric = True  # False: a zero point, so that the grid reaches from the smallest to the largest
outliers = 0.0  # share of the weights, the largest, that stays in float16

model = AutoModel.from_pretrained(Path(folder).expanduser(), dtype=torch.float32)
parameters = dict(model.named_parameters())
path = next(one for one in parameters if f".{matrix}.weight".endswith(f".{one}"))
weights = parameters[path].detach().numpy()
if type(model.get_submodule(path.removesuffix(".weight"))).__name__ == "Conv1D":
    weights = weights.T  # GPT-2 keeps [d_in, d_out]
weights = np.ascontiguousarray(weights[:n_rows])

n_kept = int(np.ceil(weights.size * outliers))
places = np.argsort(-np.abs(weights).ravel(), kind="stable")[:n_kept]
dense = weights.copy()
dense.ravel()[places] = 0
d_out, d_in = weights.shape
size = {"tensor": dense.size, "channel": d_in, "group": group}[granularity]
if granularity == "group":
    dense = np.pad(dense, ((0, 0), (0, -d_in % group)))
parts = dense.reshape(-1, size)  # weights that share a scale

n_steps = 2**bits - 1
low, high = np.minimum(parts.min(1), 0), np.maximum(parts.max(1), 0)
if is_symmetric:
    scales = np.maximum(-low, high) / np.float32(n_steps / 2)
    zeros, lowest = np.zeros(len(parts)), -(2 ** (bits - 1))
else:
    scales = (high - low) / np.float32(n_steps)
    zeros, lowest = np.rint(-low / scales), 0
scales = np.maximum(scales, np.finfo(np.float32).eps).astype(np.float32)
codes = np.clip(np.rint(parts * (1 / scales)[:, None]) + zeros[:, None], lowest, lowest + n_steps)
read = ((codes - zeros[:, None]) * scales[:, None]).astype(np.float32)
read = read.reshape(d_out, -1)[:, :d_in].copy()
read.ravel()[places] = weights.ravel()[places].astype(np.float16)

parts_a_row = 0 if granularity == "tensor" else len(parts) // d_out
step = float(scales[row * parts_a_row])
error = float(np.linalg.norm(read - weights) / np.linalg.norm(weights))
share_of_zeros = float((read == 0).mean())
n_bits = weights.size * bits + len(parts) * (32 + (0 if is_symmetric else bits)) + n_kept * (16 + 32)
print(f"step {step:.5g}, {n_steps + 1} values; relative error {error:.4f}, {share_of_zeros:.1%} are 0")
print(f"{n_bits / weights.size:.3f} bits a weight")
