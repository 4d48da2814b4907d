# The next-token distribution of a text under sampling settings, with transformers' own processors.
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
temperature = 1.0
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
greedy = TopKLogitsWarper(1)
made = {"temperature": TemperatureLogitsWarper(float(temperature)) if temperature > 0 else greedy}
if top_k > 0:
    made["top_k"] = TopKLogitsWarper(top_k)
if top_p < 1:
    made["top_p"] = TopPLogitsWarper(top_p)
if min_p > 0:
    made["min_p"] = MinPLogitsWarper(min_p)
if typical_p < 1:
    made["typical_p"] = TypicalLogitsWarper(typical_p)
processors = LogitsProcessorList(made[name] for name in orders[order] if name in made)
scores = processors(input_ids, logits)
if temperature == 0:  # of equally probable ones the first
    best = scores.argmax()
    scores = torch.full_like(logits, -torch.inf)
    scores[0, best] = 0.0

probs = scores.softmax(-1)[0]
n_kept = int((scores > -torch.inf).sum())
positive = probs[probs > 0]
entropy_bits = float(-(positive * positive.log2()).sum())
print(f"kept {n_kept:,} of {len(probs):,} tokens, entropy {entropy_bits:.4f} bits")
for rank, token_id in enumerate(probs.argsort(descending=True)[: min(n_kept, 20)].tolist(), start=1):
    print(f"{rank:3}  {probs[token_id]:.6f}  {token_id:6}  {tokenizer.decode([token_id])!r}")
