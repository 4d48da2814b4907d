# Several masks: all at once, each for itself, or one after another, each knowing those before it.
import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/google-bert--bert-base-uncased"
head_file = ""  # a masked-LM head that lies apart from its model, "" for none
input_ids = [101, 1996, 103, 103, 2563, 2003, 2414, 1012, 102]  # the text as tokens, with its masks

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForMaskedLM.from_pretrained(path, dtype=torch.float32).eval()
if head_file:
    model.load_state_dict(load_file(head_file), strict=False)
masks = [position for position, token in enumerate(input_ids) if token == tokenizer.mask_token_id]


def log_probabilities(ids: list[int]) -> torch.Tensor:
    """At every position, of every token. Shape [position, d_vocab]."""
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].double().log_softmax(-1)


def at_once() -> tuple[list[int], float]:
    """The best token of each mask, and the bits of all."""
    best = log_probabilities(input_ids)[masks].max(-1)
    return best.indices.tolist(), -float(best.values.sum()) / math.log(2)


def in_turn(order: str) -> tuple[list[int], float]:
    """One mask after another, and the bits of all when they were chosen."""
    ids, left, bits = list(input_ids), list(masks), 0.0
    while left:
        best = log_probabilities(ids)[left].max(-1)
        place = {"left": 0, "right": -1, "surest": int(best.values.argmax())}[order]
        bits -= float(best.values[place]) / math.log(2)
        ids[left[place]] = int(best.indices[place])
        left.remove(left[place])
    return [ids[position] for position in masks], bits


def chain_bits(tokens: list[int]) -> float:
    """Bits of these tokens from left to right, each given those before it."""
    ids, bits = list(input_ids), 0.0
    for position, token in zip(masks, tokens, strict=True):
        bits -= float(log_probabilities(ids)[position, token]) / math.log(2)
        ids[position] = token
    return bits


ways = {"all at once": at_once(), **{order: in_turn(order) for order in ("left", "right", "surest")}}
for way, (tokens, bits) in ways.items():
    text = " … ".join(tokenizer.decode([token]) for token in tokens)
    print(f"{way:12} {text:30} {bits:7.2f} bits when chosen, {chain_bits(tokens):7.2f} from left to right")
