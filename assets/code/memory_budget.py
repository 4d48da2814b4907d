"""Memory of one real step: what stays between steps, and the most that tensors hold within it."""

from pathlib import Path

import torch
from torch.autograd.profiler import profile
from torch.nn.functional import cross_entropy
from transformers import AutoModel, AutoModelForCausalLM

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
is_decoder = True
method = "full"
batch = 1
length = 64
rank = 8

kind = AutoModelForCausalLM if is_decoder else AutoModel
model = kind.from_pretrained(Path(folder).expanduser(), dtype=torch.float32).eval()
body = model.base_model
n_parameters = sum(one.numel() for one in model.parameters())
print(f"{n_parameters:,} parameters; the rule: {4 * n_parameters:,} bytes, {24 * n_parameters:,} to train")

moved = []
model.requires_grad_(False)
if method == "full":
    moved = [one.requires_grad_(True) for name, one in model.named_parameters() if "pooler." not in name]
if method == "lora":  # beside every linear layer of the blocks: y = W x + B (A x)
    for name, layer in list(model.named_modules()):
        is_linear = isinstance(layer, torch.nn.Linear) or type(layer).__name__ == "Conv1D"
        if is_linear and any(part.isdigit() for part in name.split(".")):
            d_in, d_out = layer.weight.shape if type(layer).__name__ == "Conv1D" else layer.weight.shape[::-1]
            A, B = torch.randn(rank, d_in) * 0.02, torch.zeros(d_out, rank)
            A.requires_grad_(True), B.requires_grad_(True)
            moved += [A, B]
            layer.register_forward_hook(lambda _layer, given, out, A=A, B=B: out + (given[0] @ A.T) @ B.T)
head = torch.nn.Linear(model.config.hidden_size, 2)
if method == "head" or (method != "inference" and not is_decoder):
    moved += list(head.parameters())


def held(tensors: list[torch.Tensor]) -> int:
    """Bytes of the memory behind tensors, each counted once."""
    return sum({one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in tensors}.values())


if moved:
    optimizer = torch.optim.AdamW(moved, lr=1e-4, weight_decay=0.0, fused=True)
    for one in moved:
        one.grad = torch.zeros_like(one)
    optimizer.step()  # Adam's two moments are there from now on
    optimizer.zero_grad()
moments = optimizer.state.values() if moved else []
states = [one for state in moments for name, one in state.items() if name != "step"]
weights = held([*model.parameters(), *moved])
ids = torch.randint(0, model.config.vocab_size, (batch, length))


def step() -> None:
    """Forward, backward, update; of an inference the forward pass alone."""
    more = {"use_cache": method == "inference"} if is_decoder else {}
    with torch.set_grad_enabled(method in ("full", "lora")):
        states = body(input_ids=ids, **more).last_hidden_state
    if method == "inference":
        return
    if method == "head" or not is_decoder:
        loss = cross_entropy(head(states.mean(1)), torch.zeros(batch, dtype=torch.long))
    else:
        loss = cross_entropy(model.lm_head(states[:, :-1].flatten(0, 1)), ids[:, 1:].flatten())
    loss.backward()
    optimizer.step()


with profile(use_kineto=False, profile_memory=True) as seen:
    step()
changes, waiting = [], list(seen.kineto_results.experimental_event_tree())
while waiting:
    event = waiting.pop()
    waiting.extend(event.children)
    if event.tag.name == "Allocation":
        changes.append((event.start_time_ns, event.extra_fields.alloc_size))
level = most = 0
for _at, size in sorted(changes, key=lambda change: change[0]):
    level += size
    most = max(most, level)
gradients = held([one.grad for one in moved if one.grad is not None])
peak = weights + held(states) + most
print(f"weights {weights:,}, gradients {gradients:,}, optimizer states {held(states):,}, peak {peak:,} bytes")
