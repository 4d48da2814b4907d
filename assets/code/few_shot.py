"""How probable is each label after each prompt, compared with the other labels?"""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
prompts = ["I loved it. ->", "Too salty. -> negative\nI loved it. ->"]
labels = [" negative", " positive"]
following = "\nThe tea was cold."  # what would stand after a label if another example came: it is not scored
content_free = [[], []]  # of each prompt the same without content, whose answer is divided out
by_length = False
is_chat = False  # the marks of a chat template stand in the prompts already

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def cut(prompt: str, label: str) -> list[int]:
    """Prompt and label in tokens: cut together, with what follows the label in an example."""
    if is_chat:
        parts = (tokenizer(part, add_special_tokens=False).input_ids for part in (prompt, label))
        return [token_id for part in parts for token_id in part]
    whole = tokenizer(prompt + label + following, return_offsets_mapping=True)
    spans = zip(whole.input_ids, whole.offset_mapping, strict=True)
    return [token_id for token_id, (start, _end) in spans if start < len(prompt + label)]


def shares_after(prompt: str) -> torch.Tensor:
    """How the model shares 1 among the labels."""
    stem = prompt if is_chat else prompt.rstrip()  # a space at the end belongs to the label's first token
    stem_ids = tokenizer(stem, add_special_tokens=not is_chat).input_ids
    wholes = [cut(prompt, label) for label in labels]
    n = len(stem_ids)
    while any(ids[:n] != stem_ids[:n] for ids in wholes):  # a token that prompt and label share
        n -= 1
    scores = []
    for ids in wholes:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, n - 1 : -1]
        logprobs = logits.double().log_softmax(-1).gather(1, torch.tensor(ids[n:])[:, None])
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
