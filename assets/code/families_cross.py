"""An encoder-decoder writes: greedy, with a beam search, and the cross-attention of every step."""

from pathlib import Path

import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/google-t5--t5-small"
input_ids = [37, 1784, 13, 2789, 19, 1]
target_ids = [37, 1784, 1]  # the answer whose steps are shown
head = None  # layer and head, counted from 0; None for the mean of all
n_beams = 4

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForSeq2SeqLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
source = torch.tensor([input_ids])
plain = {"do_sample": False, "max_new_tokens": 32, "return_dict_in_generate": True, "output_scores": True}
greedy = model.generate(source, num_beams=1, **plain)
beam = model.generate(source, num_beams=n_beams, length_penalty=1.0, **plain)
for name, found in (("greedy", greedy), ("beam search", beam)):
    print(f"{name}: {tokenizer.decode(found.sequences[0], skip_special_tokens=True)!r}")

start = model.config.decoder_start_token_id
with torch.no_grad():
    out = model(source, decoder_input_ids=torch.tensor([[start, *target_ids[:-1]]]), output_attentions=True)
cross = torch.cat(out.cross_attentions).double()  # [layer, head, step, source]
weights = cross.mean((0, 1)) if head is None else cross[min(head[0], len(cross) - 1), head[1]]
logprobs = out.logits[0].double().log_softmax(-1)[range(len(target_ids)), target_ids]
keys = tokenizer.convert_ids_to_tokens(input_ids)
for token, row, logprob in zip(tokenizer.convert_ids_to_tokens(target_ids), weights, logprobs, strict=True):
    best = row.argmax().item()
    print(f"{token:10} p {logprob.exp():.3f}  looks most at {keys[best]:10} {row[best]:.3f}")
print("each row sums to", weights.sum(-1))
