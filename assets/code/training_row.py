"""What of an example counts in the loss, and how surprising the model finds it."""

from pathlib import Path

import torch
from reading_row import read
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
row = [("user", "Hello!"), ("assistant", "Ahoy, matey!")]
max_tokens = 128

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


ids, labels = read(tokenizer, row, max_tokens)
is_trained = [label != -100 for label in labels]
with torch.no_grad():
    logprobs = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
surprisals = [
    -float(logprobs[place - 1, token])
    for place, (token, on) in enumerate(zip(ids, is_trained, strict=True))
    if on
]
for place, (token, on) in enumerate(zip(ids, is_trained, strict=True)):
    nats = f"{-float(logprobs[place - 1, token]):8.3f} nats" if on else ""
    print(f"{tokenizer.decode([token])!r:20} {nats}")
loss = sum(surprisals) / len(surprisals)
print(f"{len(surprisals)} of {len(ids)} tokens count; loss {loss:.4f} nats a token")
