"""How probable is each label after each prompt, compared with the other labels?"""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
prompts = ["I loved it. ->", "Too salty. -> negative\nI loved it. ->"]
labels = [" negative", " positive"]
by_length = False

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
shares = []
for prompt in prompts:
    ids = tokenizer(prompt, add_special_tokens=False).input_ids
    scores = []
    for label in labels:
        label_ids = tokenizer(label, add_special_tokens=False).input_ids
        with torch.no_grad():
            logits = model(torch.tensor([ids + label_ids])).logits[0, len(ids) - 1 : -1]
        logprobs = logits.log_softmax(-1).gather(1, torch.tensor(label_ids)[:, None])[:, 0]
        scores.append(logprobs.mean() if by_length else logprobs.sum())
    shares.append(torch.stack(scores).softmax(0))
for prompt, share in zip(prompts, shares, strict=True):
    print(repr(prompt[-60:]))
    for label, p in zip(labels, share.tolist(), strict=True):
        print(f"   {label!r:20} {p:.4f}")
