# Pseudo-log-likelihood: mask each token alone, and add up the log-probabilities of what stands there.
import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/google-bert--bert-base-uncased"
head_file = ""  # a masked-LM head that lies apart from its model, "" for none
input_ids = [101, 1996, 3007, 1997, 2563, 2003, 2414, 1012, 102]
positions = [1, 2, 3, 4, 5, 6, 7]  # not the tokens that frame the text

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForMaskedLM.from_pretrained(path, dtype=torch.float32).eval()
if head_file:
    model.load_state_dict(load_file(head_file), strict=False)
surprisals = []
for position in positions:
    ids = torch.tensor([input_ids])
    ids[0, position] = tokenizer.mask_token_id
    with torch.no_grad():
        logprobs = model(ids).logits[0, position].double().log_softmax(-1)
    surprisals.append(-float(logprobs[input_ids[position]]) / math.log(2))
    print(f"{tokenizer.decode([input_ids[position]])!r:20} {surprisals[-1]:8.3f} bits")
total = sum(surprisals)
pseudo_perplexity = 2 ** (total / len(surprisals))
print(f"pseudo-log-likelihood {-total:.3f} bits, pseudo-perplexity {pseudo_perplexity:.3f}")
