"""Direct logit attribution: what the embedding, and attention and MLP of each block, add to a logit."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
position = 4
token_ids = [4042]  # a second one is subtracted

path = Path(folder).expanduser()
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
body = model.base_model
gpt2 = hasattr(body, "h")
blocks, norm = (body.h, body.ln_f) if gpt2 else (body.layers, body.norm)
written = []
for block in blocks:
    attention, mlp = (block.attn.c_proj, block.mlp.c_proj) if gpt2 else (block.self_attn.o_proj, block.mlp)
    for part in (attention, mlp):
        part.register_forward_hook(lambda _part, _given, wrote: written.append(wrote[0, position]))
with torch.no_grad():
    out = model(torch.tensor([input_ids]), output_hidden_states=True)
    embedding = out.hidden_states[0][0, position]
    parts = torch.stack([embedding, *written]).double()  # they sum to the last state

    # the norm is linear once its scale is known, and the scale is that of the whole state
    whole = parts.sum(0)
    if gpt2:
        parts, whole = parts - parts.mean(-1, keepdim=True), whole - whole.mean()
    epsilon = norm.eps if gpt2 else norm.variance_epsilon
    scale = (whole.pow(2).mean() + epsilon).sqrt()
    rows = model.lm_head.weight[token_ids].double()
    row = rows[0] - rows[1:].sum(0)
    adds = (parts / scale * norm.weight) @ row
    bias = float(norm.bias.double() @ row) if gpt2 else 0.0

logits = out.logits[0, position, token_ids]
total, logit = float(adds.sum()) + bias, float(logits[0] - logits[1:].sum())
for layer in range(len(blocks)):
    print(f"layer {layer + 1:2d}: attention {adds[1 + 2 * layer]:8.4f}, MLP {adds[2 + 2 * layer]:8.4f}")
print(f"embedding {adds[0]:.4f}; sum {total:.4f}; the model's logit {logit:.4f}")
