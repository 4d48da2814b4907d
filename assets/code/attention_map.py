"""One head's attention weights, with or without the tokens it rests on."""

from pathlib import Path

import torch
from transformers import AutoModel, logging

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
# layers and heads are counted from 0 here, from 1 on the page
layer = 13
head = 8
hidden = []

path = Path(folder).expanduser()
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
stack = model.encoder if model.config.is_encoder_decoder else model
with torch.no_grad():
    out = stack(torch.tensor([input_ids]), output_attentions=True)
weights = out.attentions[layer][0, head].double()  # [query, key], rows sum to 1

weights[:, hidden] = 0
weights = (weights / weights.sum(-1, keepdim=True)).nan_to_num()
torch.set_printoptions(precision=4, sci_mode=False, linewidth=200)
print(weights)
