"""The next token when the whole text stands later, and when only its end does."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
last = 4
offsets = [0, 16, 64, 256, 1024, 4096, 8192, 16384, 65536]

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()


def next_token(positions: list[int]) -> torch.Tensor:
    """Probability of every token of the vocabulary."""
    with torch.no_grad():
        out = model(
            torch.tensor([input_ids]),
            attention_mask=torch.ones(1, len(input_ids), dtype=torch.long),
            position_ids=torch.tensor([positions]),
        )
    return out.logits[0, -1].double().softmax(-1)


places = range(len(input_ids))
watched = int(next_token(list(places)).argmax())
found = {}
for offset in offsets:
    for moved, first in (("all", 0), ("last", last)):
        probs = next_token([place + (offset if place >= first else 0) for place in places])
        found[moved, offset] = float(probs[watched])
        winner = tokenizer.decode([int(probs.argmax())])
        print(f"{moved:4} {offset:6}: p = {found[moved, offset]:.4f}, {winner!r} wins")
