"""The log-probability that a model gives each of several answers to a prompt, token by token."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
prompt = "Who wrote Hamlet?"
answers = ["William Shakespeare.", "Hamlet was written by William Shakespeare, an English playwright."]
n_read = [5, 20]  # tokens of each answer that are read, at most

tokenizer = AutoTokenizer.from_pretrained(Path(folder).expanduser())
model = AutoModelForCausalLM.from_pretrained(Path(folder).expanduser(), dtype=torch.float32).eval()


def logprobs_of(answer: str, n: int) -> torch.Tensor:
    """Log-probability of each token of an answer and of the mark that ends it, in nats."""
    end = model.generation_config.eos_token_id
    end = min(end) if isinstance(end, list) else end
    if tokenizer.chat_template:
        message = [{"role": "user", "content": prompt}]
        text = tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
        before = tokenizer(text, add_special_tokens=False).input_ids
    else:  # one below the other
        before = tokenizer(f"{prompt}\n", add_special_tokens=False).input_ids
    own = tokenizer(answer, add_special_tokens=False).input_ids
    own = (own if end is None else [*own, end])[:n]
    with torch.no_grad():
        logits = model(torch.tensor([before + own])).logits[0, len(before) - 1 : -1]
    return logits.log_softmax(-1).gather(1, torch.tensor(own)[:, None])[:, 0]


found = [logprobs_of(answer, n) for answer, n in zip(answers, n_read, strict=True)]
for answer, logprobs in zip(answers, found, strict=True):
    print(f"{logprobs.sum():.1f} nats, {logprobs.mean():.2f} a token: {answer}")
