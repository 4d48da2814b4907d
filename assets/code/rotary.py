"""The first head's score of one query and one key, before and after both are shifted."""

from pathlib import Path

import torch
from transformers import AutoModel, logging
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
query = 4
key = 3
m = 4
n = 3
shift = 100

logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(Path(folder).expanduser(), dtype=torch.float32).eval()
layer = model.layers[0]
attention, family = layer.self_attn, model.config.model_type
with torch.no_grad():
    x = layer.input_layernorm(model.embed_tokens(torch.tensor([input_ids])))
    split = (1, len(input_ids), -1, attention.head_dim)  # [batch, position, head, d_head]
    q, k = attention.q_proj(x).view(split), attention.k_proj(x).view(split)
    if hasattr(attention, "q_norm"):  # Qwen 3
        q, k = attention.q_norm(q), attention.k_norm(k)


def score(at_query: int, at_key: int) -> float:
    """The query of one token at one position against the key of another token at another position."""
    positions = torch.tensor([[at_query, at_key]])
    kind = getattr(model.config, "layer_types", [""])[:1] if family == "gemma3_text" else []
    cos, sin = model.rotary_emb(x, positions, *kind)  # Gemma 3 turns two kinds of layers at two speeds
    pair = torch.stack([q[0, query, 0], k[0, key, 0]]).view(1, 1, 2, -1)
    turned, _ = apply_rotary_pos_emb(pair, pair, cos, sin)
    return float(turned[0, 0, 0] @ turned[0, 0, 1]) * attention.scaling


here, there = score(m, n), score(m + shift, n + shift)
print(f"score at ({m}, {n}): {here:.6f}")
print(f"score at ({m + shift}, {n + shift}): {there:.6f}")
