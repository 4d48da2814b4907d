"""Accuracy of several prompts on the same test items: the most probable answer counts."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
instruction = "Is the review positive or negative?\n\n"
marks = ("Review: ", "\nSentiment:", "\n\n")  # before a text, before its label, after it; None: as a chat
next_text = "The tea was cold."  # stands after a label as another example would; it is not scored
points = {("true", 1, 0): [("Too salty.", "negative")]}  # name -> the examples of the prompt
test = [("I loved it.", "positive", ["negative", "positive"])]  # text, right label, the labels compared
content_free = []  # queries whose answer is divided out
by_length = False

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def ids_of(text: str) -> list[int]:
    """Token ids of an answer in a chat."""
    return tokenizer(text, add_special_tokens=False).input_ids


def cut(examples: list, query: str, labels: list[str]) -> tuple[list[int], list[list[int]]]:
    """The prompt in tokens, and the prompt with each label, cut together with what follows in an example."""
    if marks is None:
        said = [{"role": "system", "content": instruction.strip()}] if instruction else []
        for text, label in examples:
            said += [{"role": "user", "content": text}, {"role": "assistant", "content": label}]
        said.append({"role": "user", "content": query})
        ids = tokenizer.apply_chat_template(said, add_generation_prompt=True, return_dict=False)
        return ids, [ids + ids_of(label) for label in labels]
    before, between, after = marks
    shown = "".join(f"{before}{text}{between} {label}{after}" for text, label in examples)
    prompt = f"{instruction}{shown}{before}{query}{between}"
    nested = any(one != other and other.startswith(one) for one in labels for other in labels)
    wholes = []
    for label in labels:
        end = len(f"{prompt} {label}{after if nested else ''}")
        whole = tokenizer(f"{prompt} {label}{after}{before}{next_text}", return_offsets_mapping=True)
        spans = zip(whole.input_ids, whole.offset_mapping, strict=True)
        wholes.append([token_id for token_id, (start, _end) in spans if start < end])
    return tokenizer(prompt.rstrip()).input_ids, wholes


def shares(examples: list, query: str, labels: list[str]) -> torch.Tensor:
    """How the model shares 1 among the labels."""
    prompt_ids, wholes = cut(examples, query, labels)
    n = len(prompt_ids)
    while any(ids[:n] != prompt_ids[:n] for ids in wholes):  # a token that prompt and label share
        n -= 1
    scores = []
    for ids in wholes:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, n - 1 : -1]
        logprobs = logits.double().log_softmax(-1).gather(1, torch.tensor(ids[n:])[:, None])
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
