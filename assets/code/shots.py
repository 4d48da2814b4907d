"""Accuracy of several prompts on the same test items: the most probable answer counts."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
prompts = {0: ["I loved it. ->", "Too salty. ->"]}  # a number -> the prompt of each item
options = [[" negative", " positive"], [" negative", " positive"]]
answers = [1, 0]

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def logprob(prompt: str, answer: str) -> float:
    """log p(answer | prompt)."""
    ids = tokenizer(prompt, add_special_tokens=False).input_ids
    answer_ids = tokenizer(answer, add_special_tokens=False).input_ids
    with torch.no_grad():
        logits = model(torch.tensor([ids + answer_ids])).logits[0, len(ids) - 1 : -1]
    return float(logits.log_softmax(-1).gather(1, torch.tensor(answer_ids)[:, None]).sum())


accuracy = {}
for number, texts in prompts.items():
    right = 0
    for text, each, answer in zip(texts, options, answers, strict=True):
        scores = [logprob(text, option) for option in each]
        right += scores.index(max(scores)) == answer
    accuracy[number] = right / len(texts)
    print(f"{number:4}: {accuracy[number]:.0%} right")
