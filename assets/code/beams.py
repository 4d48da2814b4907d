# Beam search: the library's own, its texts, their scores and the sums of their token log-probabilities.
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is"
n_beams = 4
length_penalty = 1.0
n_tokens = 12

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
inputs = tokenizer(text, return_tensors="pt")
prompt_length = inputs.input_ids.shape[1]
ends = model.generation_config.eos_token_id
ends = set(ends if isinstance(ends, list) else [ends]) - {None}
if "<|endoftext|>" in tokenizer.get_vocab():  # ends a text of pre-training
    ends.add(tokenizer.get_vocab()["<|endoftext|>"])
found = model.generate(
    **inputs,
    num_beams=n_beams,
    num_return_sequences=n_beams,
    length_penalty=length_penalty,
    max_new_tokens=n_tokens,
    do_sample=False,
    eos_token_id=sorted(ends),
    pad_token_id=min(ends),
    output_scores=True,
    return_dict_in_generate=True,
)
each = model.compute_transition_scores(
    found.sequences, found.scores, found.beam_indices, normalize_logits=False
)
logprobs = each.sum(dim=1)
scores = found.sequences_scores
for sequence, logprob, score in zip(found.sequences, logprobs, scores, strict=True):
    print(f"log p {logprob:8.3f}  score {score:8.4f}  {tokenizer.decode(sequence[prompt_length:])!r}")
