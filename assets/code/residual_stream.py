"""The residual stream of one position: how long after each layer, how near its end, its first numbers."""

from pathlib import Path

import torch
from transformers import AutoModel, logging

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
position = 4
final_norm = "norm"  # its name inside the model, "" where nothing follows the last layer

logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(Path(folder).expanduser(), dtype=torch.float32).eval()
model = model.get_encoder() if model.config.is_encoder_decoder else model
before_norm = []
if final_norm:  # a decoder gives its last state after the final norm: keep what goes into it
    norm = model.get_submodule(final_norm)
    norm.register_forward_pre_hook(lambda _norm, given: before_norm.append(given[0]))
with torch.no_grad():
    out = model(torch.tensor([input_ids]), output_hidden_states=True)
states = [*out.hidden_states[:-1], before_norm[0] if before_norm else out.hidden_states[-1]]
stream = torch.stack(states)[:, 0, position].double()  # [layer + 1, d_model]

norms = stream.norm(dim=-1)
cosines = stream @ stream[-1] / (norms * norms[-1])
for layer, state in enumerate(stream):
    numbers = " ".join(f"{value:.4f}" for value in state[:8])
    print(f"layer {layer:2d}: length {norms[layer]:.4g}, cosine {cosines[layer]:.3f}, [{numbers} ...]")
