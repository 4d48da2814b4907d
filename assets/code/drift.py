# Texts of two models, scored by both: bits per UTF-8 byte, which two tokenizers have in common.
import math
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

first = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
second = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
rows = [("The capital of England is", " London.")]


def bits_per_byte(folder: str) -> list[float]:
    """Bits per UTF-8 byte of each text behind its prompt."""
    path = Path(folder).expanduser()
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    found = []
    for prompt, text in rows:
        n = len(tokenizer(prompt, split_special_tokens=True).input_ids)
        ids = tokenizer(prompt + text, split_special_tokens=True, return_tensors="pt").input_ids
        with torch.no_grad():
            logprobs = model(ids).logits[0, :-1].double().log_softmax(-1)
        picked = logprobs.gather(1, ids[0, 1:, None])[n - 1 :]
        found.append(-picked.sum().item() / math.log(2) / len(text.encode()))
    return found


shifts = list(zip(bits_per_byte(first), bits_per_byte(second), strict=True))
for (prompt, text), (a, b) in zip(rows, shifts, strict=True):
    print(f"{a:.3f} and {b:.3f} bits per byte: {prompt}│{text}")
