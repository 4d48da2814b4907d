# How surprised a model is by a text: -log2 of the probability it gave to each token, their sum, perplexity.
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is London"
start_ids = [0]  # the start token, <|endoftext|>: in training it stood before a text
with_start = False

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
text_ids = tokenizer(text, add_special_tokens=False).input_ids


def log2_probabilities(ids: list[int]) -> torch.Tensor:
    """After each token, of every next one. Shape [position, d_vocab]."""
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].double().log_softmax(-1) / torch.log(torch.tensor(2.0))


ids = [*start_ids, *text_ids] if with_start else text_ids
logprobs = log2_probabilities(ids)
surprisals = []
for position in range(1, len(ids)):  # nothing is before the first token
    before, token_id = logprobs[position - 1], ids[position]
    surprisals.append(-float(before[token_id]))
    rank = int((before > before[token_id]).sum()) + 1
    expected = tokenizer.decode([int(before.argmax())])
    token = tokenizer.decode([token_id])
    print(f"{token!r:20} {surprisals[-1]:7.3f} bits  rank {rank:6,}  expected {expected!r}")
total = sum(surprisals)
perplexity = 2 ** (total / len(surprisals))
print(f"{total:.3f} bits in all, perplexity {perplexity:.3f}")

bits = {}  # of the tokens after the first of the text, without the start token and with it
for name, start in {"without_start": [], "with_start": start_ids}.items():
    before = log2_probabilities([*start, *text_ids])[len(start) : -1]
    bits[name] = [-float(row[token_id]) for row, token_id in zip(before, text_ids[1:], strict=True)]
    print(f"{name}: {sum(bits[name]):.3f} bits after the first token of the text")
