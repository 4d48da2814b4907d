"""The next token with a reward on a leash: the reference tilted by exp(reward / beta), by plain torch."""

from pathlib import Path

import regex
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [1, 9690, 198]
kind = "characters"  # or "words", "mentions", "pattern"
wanted = ""
sign = 1
places = [253, 28]  # tokens that are shown
betas = [0.1, 0.3, 1.0, 3.0, 10.0]

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
with torch.no_grad():
    reference = model(torch.tensor([input_ids])).logits[0, -1].double().log_softmax(-1)


def reward(text: str) -> float:
    """The reward of a text."""
    counts = {
        "characters": lambda: len(text),
        "words": lambda: len(text.split()),
        "mentions": lambda: text.casefold().count(wanted.casefold()),
        "pattern": lambda: sum(match.start() < match.end() for match in regex.finditer(wanted, text)),
    }
    return sign * counts[kind]()


special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}  # marks, not text
texts = ["" if i in special else tokenizer.decode([i]) for i in range(len(reference))]
rewards = torch.tensor([reward(text) for text in texts], dtype=torch.double)
table = {}
for beta in betas:
    tilted = (reference + rewards / beta).log_softmax(-1)  # normalised: it adds up to 1
    kl = float((tilted.exp() * (tilted - reference)).sum())
    expected = float((tilted.exp() * rewards).sum())
    table[beta] = tilted.exp()[places].tolist()
    print(f"beta {beta:5}: expected reward {expected:8.3f}, KL {kl:6.3f} nats")
