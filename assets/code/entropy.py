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
    TypicalLogitsWarper,
)

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is"
top_k = 0
top_p = 0.75
min_p = 0.0
typical_p = 1.0
order = "transformers"

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
input_ids = tokenizer(text, return_tensors="pt").input_ids
with torch.no_grad():
    logits = model(input_ids).logits[:, -1].double()

orders = {
    "transformers": ["temperature", "top_k", "top_p", "min_p", "typical_p"],
    "vllm": ["temperature", "min_p", "top_k", "top_p"],
    "llama.cpp": ["top_k", "typical_p", "top_p", "min_p", "temperature"],
}
made = {}
if top_k > 0:
    made["top_k"] = TopKLogitsWarper(top_k)
if top_p < 1:
    made["top_p"] = TopPLogitsWarper(top_p)
if min_p > 0:
    made["min_p"] = MinPLogitsWarper(min_p)
if typical_p < 1:
    made["typical_p"] = TypicalLogitsWarper(typical_p)


def entropy_bits(scores: torch.Tensor) -> float:
    """Average surprisal of a draw."""
    probs = scores.softmax(-1)
    positive = probs[probs > 0]
    return float(-(positive * positive.log2()).sum())


for step in range(1, 16):  # temperature 0 is greedy: one token, 0 bits
    temperature = step * 0.2
    made["temperature"] = TemperatureLogitsWarper(temperature)
    scores = made["temperature"](input_ids, logits)
    kept = LogitsProcessorList(made[name] for name in orders[order] if name in made)(input_ids, logits)
    n_kept = int((kept > -torch.inf).sum())
    everything, cut = entropy_bits(scores), entropy_bits(kept)
    print(f"T {temperature:.1f}  all {everything:.4f} bits  kept {cut:.4f} bits  {n_kept} tokens")
