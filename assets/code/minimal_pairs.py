# Minimal pairs: which of two sentences has the larger pseudo-log-likelihood, each token masked alone.
import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/google-bert--bert-base-uncased"
head_file = ""  # a masked-LM head that lies apart from its model, "" for none
pairs = [("grammar", "There are many books.", "There is many books.")]  # group, sentence A, sentence B

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForMaskedLM.from_pretrained(path, dtype=torch.float32).eval()
if head_file:
    model.load_state_dict(load_file(head_file), strict=False)


def bits(text: str) -> float:
    """Surprisal of all tokens, each masked alone."""
    encoding = tokenizer(text, return_special_tokens_mask=True)
    ids, frame = torch.tensor(encoding.input_ids), encoding.special_tokens_mask
    total = 0.0
    for position in (at for at, is_frame in enumerate(frame) if not is_frame):
        masked = ids.clone()
        masked[position] = tokenizer.mask_token_id
        with torch.no_grad():
            logprobs = model(masked[None]).logits[0, position].double().log_softmax(-1)
        total -= float(logprobs[ids[position]]) / math.log(2)
    return total


differences = []
for group, a, b in pairs:
    differences.append(bits(b) - bits(a))
    print(f"{group:12} {differences[-1]:+8.2f} bits  A: {a}  B: {b}")
preferred = sum(difference > 0 for difference in differences)
print(f"A is preferred in {preferred} of {len(pairs)} pairs")
