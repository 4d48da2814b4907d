"""Attention of one layer, mean of its heads, and how much each token takes from the tokens after it."""

from pathlib import Path

import torch
from transformers import AutoModel, logging

folder = "~/.cache/llm-playground/models/sentence-transformers--all-MiniLM-L6-v2"
input_ids = [101, 1996, 3007, 1997, 2563, 2003, 102]
# layers are counted from 0 here, from 1 on the page
layer = 2

logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(
    Path(folder).expanduser(), dtype=torch.float32, attn_implementation="eager"
).eval()
with torch.no_grad():
    out = model(torch.tensor([input_ids]), output_attentions=True)

weights = out.attentions[layer][0].double().mean(0)  # [query, key]
later = weights.triu(1).sum(-1)

torch.set_printoptions(precision=3, sci_mode=False, linewidth=160)
print(weights)
print("taken from later tokens, query by query:", later)
