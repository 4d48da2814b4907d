# How uncertain the next token is at each temperature, over all tokens and over those that the cuts keep.
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is"
top_k = 0
top_p = 0.75
min_p = 0.0

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
input_ids = tokenizer(text, return_tensors="pt").input_ids
with torch.no_grad():
    logits = model(input_ids).logits[:, -1].double()

cuts = LogitsProcessorList()
if top_k > 0:
    cuts.append(TopKLogitsWarper(top_k))
if top_p < 1:
    cuts.append(TopPLogitsWarper(top_p))
if min_p > 0:
    cuts.append(MinPLogitsWarper(min_p))


def entropy_bits(scores: torch.Tensor) -> float:
    """Average surprisal of a draw."""
    probs = scores.softmax(-1)
    positive = probs[probs > 0]
    return float(-(positive * positive.log2()).sum())


for step in range(1, 16):  # temperature 0 is greedy: one token, 0 bits
    temperature = step * 0.2
    scores = TemperatureLogitsWarper(temperature)(input_ids, logits)
    kept = cuts(input_ids, scores)
    n_kept = int((kept > -torch.inf).sum())
    everything, cut = entropy_bits(scores), entropy_bits(kept)
    print(f"T {temperature:.1f}  all {everything:.4f} bits  kept {cut:.4f} bits  {n_kept} tokens")
