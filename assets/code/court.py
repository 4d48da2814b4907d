# Perplexity of a text read in overlapping windows, and its bits per byte: a loop over a plain model.
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is London"
start_ids = [0]  # the start token, <|endoftext|>: in training it stood before a text
n_tokens = 7  # tokens that are read, the start token too
n_bytes = 32  # UTF-8 bytes of those after the first
windows = [(0, 5, 1), (3, 7, 5)]  # first token read, last token read + 1, first token asked about

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
ids = [*start_ids, *tokenizer(text, add_special_tokens=False).input_ids][:n_tokens]

bits = []  # of every token after the first
for begin, end, first in windows:
    with torch.no_grad():
        logits = model(torch.tensor([ids[begin:end]])).logits[0].double()
    logprobs = logits.log_softmax(-1) / torch.log(torch.tensor(2.0))
    bits += [-float(logprobs[at - begin - 1, ids[at]]) for at in range(first, end)]

perplexity = 2 ** (sum(bits) / len(bits))
bits_per_byte = sum(bits) / n_bytes
print(f"{len(bits)} tokens, {sum(bits):.3f} bits, {n_bytes} bytes")
print(f"perplexity {perplexity:.3f}, {bits_per_byte:.4f} bits per byte")
