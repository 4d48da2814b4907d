"""Bytes of a real cache of keys and values that grows with a text."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
lengths = [32, 64, 128, 256]

model = AutoModelForCausalLM.from_pretrained(Path(folder).expanduser(), dtype=torch.float32).eval()
cache, n_read, sizes = None, 0, {}
for length in lengths:
    ids = torch.ones(1, length - n_read, dtype=torch.long)
    with torch.no_grad():
        cache = model.base_model(input_ids=ids, past_key_values=cache, use_cache=True).past_key_values
    n_read = length
    sizes[length] = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    print(f"{length} tokens: {sizes[length]:,} bytes, {sizes[length] // length:,} a token")
