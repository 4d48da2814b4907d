"""Activation patching: states of sentence A put into sentence B, before one block reads them."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
ids_a = [504, 3575, 282, 3996, 314]
ids_b = [504, 3575, 282, 4649, 314]
# the block that reads the state: blocks are counted from 0 here, from 1 on the page
layer = 10
pairs = [(3, 3)]
blocks = "layers"  # their name inside the model

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
body = model.base_model
block = body.get_submodule(blocks)[layer]


def put(_block: object, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Replace states of B by states of A."""
    states = given[0].clone()
    for here, there in pairs:
        states[0, there] = states_a[0, here]
    return (states, *given[1:])


with torch.no_grad():
    states_a = body(torch.tensor([ids_a]), output_hidden_states=True).hidden_states[layer]
    before = model(torch.tensor([ids_b])).logits[0, -1].double()
    hook = block.register_forward_pre_hook(put)
    after = model(torch.tensor([ids_b])).logits[0, -1].double()
    hook.remove()

p, q = before.log_softmax(-1), after.log_softmax(-1)
bits = float((p.exp() * (p - q)).sum() / torch.log(torch.tensor(2.0)))
for name, row in (("before", p), ("after", q)):
    best = row.exp().topk(5)
    said = ", ".join(f"{tokenizer.decode(i)!r} {prob:.3f}" for prob, i in zip(*best, strict=True))
    print(f"{name}: {said}")
print(f"KL(before || after) = {bits:.4f} bits")
