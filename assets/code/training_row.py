"""What of an example counts in the loss, and how surprising the model finds it."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
row = [("user", "Hello!"), ("assistant", "Ahoy, matey!")]
max_tokens = 128

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)

ids, is_trained = [], []
if isinstance(row, str):
    ids = [*tokenizer(row).input_ids, tokenizer.eos_token_id]
    is_trained = [False] + [True] * (len(ids) - 1)
else:
    said = [{"role": role, "content": content} for role, content in row]
    for place, message in enumerate(said):
        if message["role"] == "assistant":  # its words count, and the mark that ends them
            asked = tokenizer.apply_chat_template(said[:place], tokenize=False, add_generation_prompt=True)
            answered = tokenizer.apply_chat_template(said[: place + 1], tokenize=False)
            n_before = len(tokenizer(asked, add_special_tokens=False).input_ids)
            whole = tokenizer(answered, add_special_tokens=False).input_ids
            end = len(whole) - whole[::-1].index(tokenizer.eos_token_id)
            is_trained += [False] * (n_before - len(ids)) + [True] * (end - n_before)
            is_trained += [False] * (len(whole) - end)
            ids = whole
ids, is_trained = ids[:max_tokens], is_trained[:max_tokens]

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
