"""How probable is each label after each prompt, compared with the other labels?"""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
prompts = ["I loved it. ->", "Too salty. -> negative\nI loved it. ->"]
labels = [" negative", " positive"]
content_free = [[], []]  # of each prompt the same without content, whose answer is divided out
by_length = False
is_chat = False  # the marks of a chat template stand in the prompts already

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def shares_after(prompt: str) -> torch.Tensor:
    """How the model shares 1 among the labels."""
    ids = tokenizer(prompt, add_special_tokens=not is_chat).input_ids
    scores = []
    for label in labels:
        label_ids = tokenizer(label, add_special_tokens=False).input_ids
        with torch.no_grad():
            logits = model(torch.tensor([ids + label_ids])).logits[0, len(ids) - 1 : -1]
        logprobs = logits.double().log_softmax(-1).gather(1, torch.tensor(label_ids)[:, None])
        scores.append(logprobs.mean() if by_length else logprobs.sum())
    return torch.stack(scores).softmax(0)


shares = []
for prompt, others in zip(prompts, content_free, strict=True):
    share = shares_after(prompt)
    if others:
        share = share / torch.stack([shares_after(other) for other in others]).mean(0)
    shares.append(share / share.sum())
for prompt, share in zip(prompts, shares, strict=True):
    print(repr(prompt[-60:]))
    for label, p in zip(labels, share.tolist(), strict=True):
        print(f"   {label!r:20} {p:.4f}")
