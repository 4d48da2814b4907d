"""What would the model answer if it stopped after each layer? The final norm and the head, early."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
position = 4
final_norm = "norm"  # its name inside the model

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
body = model.base_model
norm = body.get_submodule(final_norm)
with torch.no_grad():
    states = body(torch.tensor([input_ids]), output_hidden_states=True).hidden_states
    # the last of them is after the norm already
    normed = torch.stack([*map(norm, states[:-1]), states[-1]])[:, 0]
    logits = model.get_output_embeddings()(normed)  # [layer + 1, position, d_vocab]
    if cap := getattr(model.config, "final_logit_softcapping", None):  # Gemma 2
        logits = cap * torch.tanh(logits / cap)

probs = logits.softmax(-1)
answers = logits[-1].argmax(-1)
answer_logits = logits.gather(-1, answers.expand(len(logits), -1)[..., None])
ranks = (logits > answer_logits).sum(-1) + 1  # [layer + 1, position], 1 = first

for layer, row in enumerate(probs[:, position]):
    best = row.topk(3)
    guesses = ", ".join(f"{tokenizer.decode(i)!r} {p:.3f}" for p, i in zip(*best, strict=True))
    print(f"layer {layer:2d}: {guesses}; the answer has rank {ranks[layer, position]:,}")
