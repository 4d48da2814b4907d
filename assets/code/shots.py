"""Accuracy of several prompts on the same test items: the most probable answer counts."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
instruction = "Is the review positive or negative?\n\n"
marks = ("Review: ", "\nSentiment:", "\n\n")  # before a text, before its label, after it; None: as a chat
points = {("true", 1, 0): [("Too salty.", "negative")]}  # name -> the examples of the prompt
test = [("I loved it.", "positive", ["negative", "positive"])]  # text, right label, the labels compared
content_free = []  # queries whose answer is divided out
by_length = False

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def prompt_ids(examples: list, query: str) -> list[int]:
    """Token ids of the prompt."""
    if marks is None:
        said = [{"role": "system", "content": instruction.strip()}] if instruction else []
        for text, label in examples:
            said += [{"role": "user", "content": text}, {"role": "assistant", "content": label}]
        said.append({"role": "user", "content": query})
        return tokenizer.apply_chat_template(said, add_generation_prompt=True, return_dict=False)
    before, between, after = marks
    shown = "".join(f"{before}{text}{between} {label}{after}" for text, label in examples)
    return tokenizer(f"{instruction}{shown}{before}{query}{between}").input_ids


def shares(examples: list, query: str, labels: list[str]) -> torch.Tensor:
    """How the model shares 1 among the labels."""
    ids = prompt_ids(examples, query)
    nested = any(one != other and other.startswith(one) for one in labels for other in labels)
    scores = []
    for label in labels:
        said = label if marks is None else f" {label}{marks[2] if nested else ''}"
        label_ids = tokenizer(said, add_special_tokens=False).input_ids
        with torch.no_grad():
            logits = model(torch.tensor([ids + label_ids])).logits[0, len(ids) - 1 : -1]
        logprobs = logits.double().log_softmax(-1).gather(1, torch.tensor(label_ids)[:, None])
        scores.append(logprobs.mean() if by_length else logprobs.sum())
    return torch.stack(scores).softmax(0)


accuracy = {}
for name, examples in points.items():
    right = 0
    free: dict[tuple, torch.Tensor] = {}
    for text, label, labels in test:
        share = shares(examples, text, labels)
        if content_free:
            if tuple(labels) not in free:
                free[tuple(labels)] = torch.stack(
                    [shares(examples, one, labels) for one in content_free]
                ).mean(0)
            share = share / free[tuple(labels)]
        right += labels[int(share.argmax())] == label
    accuracy[name] = right / len(test)
    print(f"{name}: {accuracy[name]:.0%} right")
