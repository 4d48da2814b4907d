"""The learned position table of BERT or GPT-2, and its principal components."""

from pathlib import Path

import torch
from transformers import AutoModel, logging

folder = "~/.cache/llm-playground/models/sentence-transformers--all-MiniLM-L6-v2"
position_table = "embeddings.position_embeddings"  # its name inside the model
n_ctx = 512  # rows before them belong to no position

logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(Path(folder).expanduser(), dtype=torch.float32)
table = model.get_submodule(position_table).weight.detach()[-n_ctx:].double()  # [n_ctx, d_model]
print("shape:", tuple(table.shape))
print("length of the first rows:", table.norm(dim=1)[:5])

centred = table - table.mean(0)
left, strength, axes = torch.linalg.svd(centred, full_matrices=False)
points = left[:, :3] * strength[:3]  # where each position lies; the sign of an axis is arbitrary
explained = strength[:3] ** 2 / (strength**2).sum()
print("share of the variance:", explained)
print("the first positions on the first two components:")
print(points[:5, :2])
