# How many guesses a model needs for each token of a text: the rank of the token that really comes.
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The quick brown fox jumps over the lazy dog."

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
input_ids = tokenizer(text, return_tensors="pt").input_ids
with torch.no_grad():
    logprobs = model(input_ids).logits[0].double().log_softmax(-1)

ranks, surprisals = [], []
for position in range(2, input_ids.shape[1]):  # the first two are given
    before = logprobs[position - 1]
    own = before[input_ids[0, position]]
    ranks.append(int((before > own).sum()) + 1)
    surprisals.append(-float(own) / float(torch.log(torch.tensor(2.0))))
    print(f"{tokenizer.decode(input_ids[0, position])!r:16} rank {ranks[-1]:6,}  {surprisals[-1]:6.2f} bits")
shares = torch.tensor([ranks.count(rank) / len(ranks) for rank in set(ranks)], dtype=torch.float64)
bound = float(-(shares * shares.log2()).sum())
print(f"Shannon's bound {bound:.4f} bits a token, mean surprisal {sum(surprisals) / len(surprisals):.4f}")
