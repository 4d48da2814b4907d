"""Attention rollout (Abnar & Zuidema 2020): the maps of all layers, multiplied."""

from pathlib import Path

import torch
from transformers import AutoModel, logging

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
n_layers = 30
# layers and heads are counted from 0 here, from 1 on the page
layer = 13
head = 8

path = Path(folder).expanduser()
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
stack = model.encoder if model.config.is_encoder_decoder else model
with torch.no_grad():
    out = stack(torch.tensor([input_ids]), output_attentions=True)

identity = torch.eye(len(input_ids), dtype=torch.float64)
flow = identity
for weights in out.attentions[:n_layers]:
    mixed = 0.5 * weights[0].double().mean(0) + 0.5 * identity  # the mean head, and the residual connection
    flow = mixed / mixed.sum(-1, keepdim=True) @ flow
torch.set_printoptions(precision=4, sci_mode=False, linewidth=200)
print(flow)
