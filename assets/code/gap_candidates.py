# Answers of one or several tokens behind a mask: the probability of each token given those before it.
import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM

folder = "~/.cache/llm-playground/models/google-bert--bert-base-uncased"
head_file = ""  # a masked-LM head that lies apart from its model, "" for none
# answer -> the text as tokens with a mask for each of its tokens, and those tokens by position
candidates = {"capital": ([101, 1996, 103, 1997, 2563, 102], {2: 3007})}

model = AutoModelForMaskedLM.from_pretrained(Path(folder).expanduser(), dtype=torch.float32).eval()
if head_file:
    model.load_state_dict(load_file(head_file), strict=False)
surprisals = {}
for answer, (input_ids, tokens) in candidates.items():
    ids, bits = list(input_ids), 0.0
    for position, token in tokens.items():
        with torch.no_grad():
            logprobs = model(torch.tensor([ids])).logits[0, position].double().log_softmax(-1)
        bits -= float(logprobs[token]) / math.log(2)
        ids[position] = token
    surprisals[answer] = bits
for answer, bits in sorted(surprisals.items(), key=lambda one: one[1]):
    n_tokens = len(candidates[answer][1])
    print(f"{answer!r:20} {n_tokens} tokens {bits:8.3f} bits, probability {2**-bits:.3g}")
