# How probable an answer is to each persona, before and after a talk.
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
before = ["Tea?\n\nTea? Ann, a cook, answers (Yes / No):"]  # a prompt for each persona
after = ['Tea?\n\nAnn, a cook, says: "Yes."\nTea? Ann, a cook, answers (Yes / No):']
answers = [" Yes", " No"]

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def logprob(prompt: str, answer: str) -> float:
    """log p(answer | prompt), the sum over its tokens."""
    n = len(tokenizer(prompt, split_special_tokens=True).input_ids)
    ids = torch.tensor([tokenizer(prompt + answer, split_special_tokens=True).input_ids])
    with torch.no_grad():
        logprobs = model(ids).logits[0].log_softmax(-1)
    return sum(float(logprobs[at - 1, ids[0, at]]) for at in range(n, ids.shape[1]))


def share(prompt: str) -> float:
    """Probability of the first answer, when only these two are possible."""
    both = torch.tensor([logprob(prompt, answer) for answer in answers])
    return float(both.softmax(0)[0])


shares = [(share(first), share(last)) for first, last in zip(before, after, strict=True)]
for was, now in shares:
    print(f"{answers[0].strip()}: {was:.1%} before, {now:.1%} after")
