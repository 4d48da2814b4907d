# Masks filled by a masked language model: the most probable tokens of each, and the token that was hidden.
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/google-bert--bert-base-uncased"
head_file = ""  # a masked-LM head that lies apart from its model, "" for none
input_ids = [101, 1996, 103, 1997, 2563, 2003, 2414, 1012, 102]  # the text as tokens, with its masks
hidden = {2: 3007}  # position -> the token that stood there
n_top = 10

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForMaskedLM.from_pretrained(path, dtype=torch.float32).eval()
if head_file:
    model.load_state_dict(load_file(head_file), strict=False)
with torch.no_grad():
    logits = model(torch.tensor([input_ids])).logits[0]
probabilities = logits.double().softmax(-1)  # one forward pass: no mask knows what another one is filled with
answers = {}
for position, token_id in enumerate(input_ids):
    if token_id != tokenizer.mask_token_id:
        continue
    top = probabilities[position].topk(n_top)
    answers[position] = list(zip(top.indices.tolist(), top.values.tolist(), strict=True))
    print(f"position {position}:")
    for answer, probability in answers[position]:
        print(f"  {tokenizer.decode([answer])!r:16} {probability:8.3%}")
    if position in hidden:
        p = probabilities[position, hidden[position]]
        rank = int((probabilities[position] > p).sum()) + 1
        print(f"  what stood there, {tokenizer.decode([hidden[position]])!r}: {float(p):.4%}, rank {rank:,}")
