# The next-token distribution of a text under four sampling settings, with transformers' own processors.
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
temperature = 1.0
top_k = 0
top_p = 0.75
min_p = 0.0

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
input_ids = tokenizer(text, return_tensors="pt").input_ids
with torch.no_grad():
    logits = model(input_ids).logits[:, -1].double()

if temperature == 0:  # greedy: the most probable token, nothing to cut
    scores = torch.full_like(logits, -torch.inf)
    scores[0, logits.argmax()] = 0.0
else:
    processors = LogitsProcessorList([TemperatureLogitsWarper(float(temperature))])
    if top_k > 0:
        processors.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        processors.append(TopPLogitsWarper(top_p))
    if min_p > 0:
        processors.append(MinPLogitsWarper(min_p))
    scores = processors(input_ids, logits)

probs = scores.softmax(-1)[0]
n_kept = int((scores > -torch.inf).sum())
positive = probs[probs > 0]
entropy_bits = float(-(positive * positive.log2()).sum())
print(f"kept {n_kept:,} of {len(probs):,} tokens, entropy {entropy_bits:.4f} bits")
for rank, token_id in enumerate(probs.argsort(descending=True)[: min(n_kept, 20)].tolist(), start=1):
    print(f"{rank:3}  {probs[token_id]:.6f}  {token_id:6}  {tokenizer.decode([token_id])!r}")
