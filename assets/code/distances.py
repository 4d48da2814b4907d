"""How alike are two positions, by their distance: sinusoids, RoPE, a learned table, ALiBi."""

from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel, logging

folder = "~/.cache/llm-playground/models/sentence-transformers--all-MiniLM-L6-v2"
position_table = "embeddings.position_embeddings"  # its name inside the model
n_ctx = 512  # rows before them belong to no position
rotary_folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
d_model = 128
base = 10000
head = 3
reach = 128

distance = torch.arange(reach + 1, dtype=torch.float64)


def mean_cosine(size: int, base: float) -> torch.Tensor:
    """Over all pairs of dimensions. Shape [reach + 1]."""
    radians = base ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    return torch.cos(distance[:, None] * radians).mean(1)


config = AutoConfig.from_pretrained(Path(rotary_folder).expanduser())
d_head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
rope = config.rope_parameters
rope = (
    rope.get(config.layer_types[0], rope) if hasattr(config, "layer_types") else rope
)  # as Gemma 3: two of them
sinusoidal = mean_cosine(d_model, base)
rotary = mean_cosine(d_head, rope["rope_theta"])

logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(Path(folder).expanduser(), dtype=torch.float32)
table = model.get_submodule(position_table).weight.detach()[-n_ctx:].double()
rows = torch.nn.functional.normalize(table[1:], dim=1)  # row 0 is like no other
cosines = rows @ rows.T
learned = torch.stack([cosines.diagonal(d).mean() for d in range(min(reach + 1, len(rows)))])

slope = 2.0 ** (-8 * head / 8)
alibi = torch.exp(-slope * distance)

for d in sorted({0, 1, 2, 5, 10, 20, 50, reach}):
    if d <= reach and d < len(learned):
        print(f"{d:4}  {sinusoidal[d]:.4f}  {rotary[d]:.4f}  {learned[d]:.4f}  {alibi[d]:.4f}")
