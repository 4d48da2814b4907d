"""Direct logit attribution: what the embedding, and attention and MLP of each block, add to a logit."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
position = 4
token_ids = [4042]  # a second one is subtracted
# names of parts inside the model: its layers, what adds attention and MLP to the stream, the last norm
blocks = "layers"
attention_writes = "self_attn.o_proj"
mlp_writes = "mlp.down_proj"
final_norm = "norm"
norm_adds = 0  # to its weight: 1 in Gemma

path = Path(folder).expanduser()
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
body = model.base_model
layers, norm = body.get_submodule(blocks), body.get_submodule(final_norm)
centres = isinstance(norm, torch.nn.LayerNorm)
written = []
for block in layers:
    for part in (attention_writes, mlp_writes):
        block.get_submodule(part).register_forward_hook(
            lambda _part, _given, wrote: written.append(wrote.reshape(-1, wrote.shape[-1])[position])
        )
with torch.no_grad():
    out = model(torch.tensor([input_ids]), output_hidden_states=True)
    embedding = out.hidden_states[0][0, position]
    parts = torch.stack([embedding, *written]).double()  # they sum to the last state

    # the norm is linear once its scale is known, and the scale is that of the whole state
    whole = parts.sum(0)
    if centres:
        parts, whole = parts - parts.mean(-1, keepdim=True), whole - whole.mean()
    epsilon = norm.eps if hasattr(norm, "eps") else norm.variance_epsilon
    scale = (whole.pow(2).mean() + epsilon).sqrt()
    rows = model.get_output_embeddings().weight[token_ids].double()
    row = rows[0] - rows[1:].sum(0)
    adds = (parts / scale * (norm.weight + norm_adds)) @ row
    bias = float(norm.bias.double() @ row) if centres else 0.0

logits = out.logits[0, position, token_ids]
total, logit = float(adds.sum()) + bias, float(logits[0] - logits[1:].sum())
for layer in range(len(layers)):
    print(f"layer {layer + 1:2d}: attention {adds[1 + 2 * layer]:8.4f}, MLP {adds[2 + 2 * layer]:8.4f}")
print(f"embedding {adds[0]:.4f}; sum {total:.4f}; the model's logit {logit:.4f}")
