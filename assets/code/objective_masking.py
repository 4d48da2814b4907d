# Masked language modelling: 15 % of the tokens are chosen, 80 / 10 / 10 masked, replaced, kept; and the loss.
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/google-bert--bert-base-uncased"
head_file = ""  # a masked-LM head that lies apart from its model, "" for none
ids = [101, 1996, 3007, 1997, 2563, 2003, 2414, 1012, 102]
words = [[1], [2], [3], [4], [5], [6], [7]]  # positions that are chosen together
whole_words = False
seed = 0
special_ids = [0, 100, 101, 102, 103]
d_vocab = 30522

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
rng = np.random.default_rng(seed)
n_tokens = sum(map(len, words))
n_chosen = min(n_tokens, max(1, round(0.15 * n_tokens)))
if whole_words:
    chosen = []
    for word in rng.permutation(len(words)):
        if len(chosen) + len(words[word]) <= n_chosen:
            chosen += words[word]
    chosen = sorted(chosen or min(words, key=len))
else:
    chosen = sorted(rng.choice([word[0] for word in words], n_chosen, replace=False).tolist())
fates = rng.choice(["masked", "replaced", "kept"], size=len(chosen), p=[0.8, 0.1, 0.1])
input_ids = np.array(ids)
input_ids[[at for at, fate in zip(chosen, fates, strict=True) if fate == "masked"]] = tokenizer.mask_token_id
replaced = [at for at, fate in zip(chosen, fates, strict=True) if fate == "replaced"]
input_ids[replaced] = rng.choice(np.setdiff1d(np.arange(d_vocab), special_ids), size=len(replaced))
print("The model reads:", tokenizer.decode(input_ids.tolist()))

model = AutoModelForMaskedLM.from_pretrained(path, dtype=torch.float32).eval()
if head_file:
    model.load_state_dict(load_file(head_file), strict=False)
with torch.no_grad():
    logprobs = model(torch.tensor([input_ids.tolist()])).logits[0].double().log_softmax(-1)
losses = []
for at, fate in zip(chosen, fates, strict=True):
    losses.append(-float(logprobs[at, ids[at]]) / math.log(2))
    print(f"position {at}: {tokenizer.decode([ids[at]])!r} {fate}, {losses[-1]:.3f} bits")
