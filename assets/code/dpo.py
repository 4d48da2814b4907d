"""Direct preference optimization with plain peft: the same adapter, batch by batch."""

from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from reading_row import read
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
pairs = [("Hello!", "Good morning.", "What?"), ("Bye!", "See you soon.", "Go.")]  # prompt, chosen, rejected
held_out = [("Thanks!", "Any time.", "Whatever.")]
beta = 0.1  # nats of reward per nat of log-ratio
n_steps = 4
learning_rate = 0.0005
batch_size = 2
seed = 0
r = 8
lora_alpha = 16.0
target_modules = ["q_proj", "v_proj"]
max_tokens = 512  # of a prompt with one answer

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
is_gpt2 = model.config.model_type == "gpt2"  # it keeps its weights as [in, out]
config = LoraConfig(r=r, lora_alpha=lora_alpha, target_modules=target_modules, fan_in_fan_out=is_gpt2)
model = get_peft_model(model, config).eval()
generator = torch.Generator().manual_seed(seed)
with torch.no_grad():
    for name, parameter in model.named_parameters():
        if "lora_A" in name:
            bound = parameter.shape[1] ** -0.5  # B is 0: at step 0 policy and reference are the same
            parameter.uniform_(-bound, bound, generator=generator)


def logprob(prompt: str, answer: str) -> torch.Tensor:
    """Log-probability of an answer given its prompt, nats; the mark that ends it is a part of it."""
    ids, labels = read(tokenizer, [("user", prompt), ("assistant", answer)], max_tokens)
    logits, wanted = model(torch.tensor([ids])).logits[0, :-1], torch.tensor(labels[1:])
    return -torch.nn.functional.cross_entropy(logits, wanted, reduction="sum", ignore_index=-100)


def log_ratios(pair: tuple[str, str, str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probability of both answers, less that by the reference: the model without its adapter."""
    prompt, *answers = pair
    with torch.no_grad(), model.disable_adapter():
        reference = [logprob(prompt, answer) for answer in answers]
    chosen, rejected = (
        logprob(prompt, answer) - known for answer, known in zip(answers, reference, strict=True)
    )
    return chosen, rejected


def loss_of(some: list[tuple[str, str, str]]) -> torch.Tensor:
    """Mean of -log sigmoid(margin), nats per pair."""
    margins = [beta * (chosen - rejected) for chosen, rejected in map(log_ratios, some)]
    return torch.nn.functional.softplus(-torch.stack(margins)).mean()


random = np.random.default_rng(seed)
n_epochs = -(-n_steps * batch_size // len(pairs))
order = np.concatenate([random.permutation(len(pairs)) for _ in range(n_epochs)])
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=learning_rate, weight_decay=0.0)
losses = []
for step in range(n_steps):
    batch = [pairs[place] for place in order[step * batch_size : (step + 1) * batch_size]]
    loss = loss_of(batch)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    losses.append(loss.item())
    print(f"step {step + 1}: loss {losses[-1]:.4f}")

with torch.no_grad():
    moved = [tuple(float(one) for one in log_ratios(pair)) for pair in held_out]
    held_out_loss = loss_of(held_out).item()
n_right = sum(chosen > rejected for chosen, rejected in moved)
print(f"held out: loss {held_out_loss:.4f}, {n_right} of {len(moved)} pairs in the right order")
for pair, (chosen, rejected) in zip(held_out, moved, strict=True):
    print(f"  {pair[0]}: chosen {chosen:+.2f} nats, rejected {rejected:+.2f} nats")
