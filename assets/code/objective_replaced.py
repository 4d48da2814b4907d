# Replaced-token detection, as in ELECTRA: a masked language model writes tokens, and each is new or original.
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/google-bert--bert-base-uncased"
head_file = ""  # a masked-LM head that lies apart from its model, "" for none
ids = [101, 1996, 3007, 1997, 2563, 2003, 2414, 1012, 102]
candidates = [1, 2, 3, 4, 5, 6, 7]  # positions that may be written: not the frame of the text
seed = 0
n_proposed = 50  # the generator draws from so many tokens

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForMaskedLM.from_pretrained(path, dtype=torch.float32).eval()
if head_file:
    model.load_state_dict(load_file(head_file), strict=False)
rng = np.random.default_rng(seed)
n_chosen = min(max(1, round(0.15 * len(candidates))), 16)
chosen = sorted(rng.choice(candidates, n_chosen, replace=False).tolist())
hidden = torch.tensor([ids])
hidden[0, chosen] = tokenizer.mask_token_id
with torch.no_grad():
    logprobs = model(hidden).logits[0].log_softmax(-1)
input_ids = list(ids)
for at in chosen:
    top = logprobs[at].topk(n_proposed)
    shares = np.exp(top.values.numpy().astype(np.float64))
    input_ids[at] = int(rng.choice(top.indices.numpy(), p=shares / shares.sum()))
    is_new = "replaced" if input_ids[at] != ids[at] else "original"
    print(
        f"position {at}: {tokenizer.decode([ids[at]])!r} -> {tokenizer.decode([input_ids[at]])!r}, {is_new}"
    )
