# How surprised a model is by a text: -log2 of the probability it gave to each token, their sum, perplexity.
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is London"

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
input_ids = tokenizer(text, return_tensors="pt").input_ids
with torch.no_grad():
    logprobs = model(input_ids).logits[0].double().log_softmax(-1) / torch.log(torch.tensor(2.0))

surprisals = []
for position in range(1, input_ids.shape[1]):  # nothing is before the first token
    token_id = int(input_ids[0, position])
    before = logprobs[position - 1]
    surprisals.append(-float(before[token_id]))
    rank = int((before > before[token_id]).sum()) + 1
    expected = tokenizer.decode([int(before.argmax())])
    token = tokenizer.decode([token_id])
    print(f"{token!r:20} {surprisals[-1]:7.3f} bits  rank {rank:6,}  expected {expected!r}")
total = sum(surprisals)
perplexity = 2 ** (total / len(surprisals))
print(f"{total:.3f} bits in all, perplexity {perplexity:.3f}")
