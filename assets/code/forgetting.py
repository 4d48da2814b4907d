"""Train LoRA with a remedy against forgetting, by plain peft: old rows in the batches, L2-SP, or EWC."""

from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from reading_row import read
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
rows = [[("user", "Hello!"), ("assistant", "Ahoy, matey!")], [("user", "Bye!"), ("assistant", "Fair winds!")]]
held_out = [[("user", "Good morning!"), ("assistant", "Top o' the mornin', matey!")]]
old = ["The bus had to take a longer way around the lake.", "Cats sleep for most of the day."]
general = ["The lighthouse at the end of the bay had been dark for eleven years."]
kind = "ewc"  # or "rehearsal", "l2sp", "none"
strength = 300.0  # share of the old rows, or factor of the distance
n_steps = 4
learning_rate = 0.01
r = 8
lora_alpha = 16.0
target_modules = ["q_proj", "v_proj"]
batch_size = 2
seed = 0
max_tokens = 128  # of one text

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
is_gpt2 = model.config.model_type == "gpt2"  # it keeps its weights as [in, out]
config = LoraConfig(r=r, lora_alpha=lora_alpha, target_modules=target_modules, fan_in_fan_out=is_gpt2)
model = get_peft_model(model, config).eval()
generator = torch.Generator().manual_seed(seed)
layers = {name: one for name, one in model.named_modules() if hasattr(one, "lora_A")}
trained = [weight for weight in model.parameters() if weight.requires_grad]
with torch.no_grad():
    for layer in layers.values():
        A = layer.lora_A["default"].weight
        A.uniform_(-(A.shape[1] ** -0.5), A.shape[1] ** -0.5, generator=generator)

news = [read(tokenizer, row, max_tokens) for row in rows]
tests = [read(tokenizer, row, max_tokens) for row in held_out]
olds, prose = (
    [[part[: len(tokenizer(text).input_ids)] for part in read(tokenizer, text, max_tokens)] for text in texts]
    for texts in (old, general)  # without the mark of the end
)


def loss_of(texts: list[list[list[int]]]) -> torch.Tensor:
    """Mean surprisal, in nats, of all trained tokens of these texts."""
    total, n = torch.zeros(()), 0
    for ids, labels in texts:
        logits, wanted = model(torch.tensor([ids])).logits[0, :-1], torch.tensor(labels[1:])
        total = total + torch.nn.functional.cross_entropy(logits, wanted, reduction="sum", ignore_index=-100)
        n += int((wanted != -100).sum())
    return total / n


fisher = {name: torch.zeros(()) for name in layers}  # EWC: mean square of the gradients, text by text
for text in olds if kind == "ewc" else []:
    weights = [layer.base_layer.weight.requires_grad_() for layer in layers.values()]
    for name, gradient in zip(layers, torch.autograd.grad(loss_of([text]), weights), strict=True):
        fisher[name] = fisher[name] + (gradient.T if is_gpt2 else gradient).square() / len(olds)
    for weight in weights:
        weight.requires_grad_(False)


def penalty() -> torch.Tensor:
    """Half the strength times the sum of the squared changes of the weights, for EWC each by its Fisher."""
    total = torch.zeros(())
    for name, layer in layers.items():
        B, A = layer.lora_B["default"].weight, layer.lora_A["default"].weight
        change = layer.scaling["default"] * B @ A
        total = total + (change.square() * (fisher[name] if kind == "ewc" else 1)).sum()
    return strength / 2 * total if kind in ("l2sp", "ewc") else torch.zeros(())


def mixed(n_texts: int, n_read: int, seed: int) -> np.ndarray:
    """Every text once, in a new order, before any comes again."""
    random = np.random.default_rng(seed)
    return np.concatenate([random.permutation(n_texts) for _ in range(-(-n_read // n_texts))])


n_old = max(1, round(batch_size * strength / (1 - strength))) if kind == "rehearsal" else 0
order = mixed(len(news), n_steps * batch_size, seed)
old_order = mixed(len(olds), n_steps * n_old, seed + 1) if n_old else []
optimizer = torch.optim.AdamW(trained, lr=learning_rate, weight_decay=0.0)
losses = []
for step in range(n_steps):
    loss = loss_of([news[place] for place in order[step * batch_size : (step + 1) * batch_size]])
    losses.append(loss.item())
    if n_old:
        again = loss_of([olds[place] for place in old_order[step * n_old : (step + 1) * n_old]])
        loss = (1 - strength) * loss + strength * again
    optimizer.zero_grad()
    (loss + penalty()).backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
with torch.no_grad():
    held_out_loss, general_loss, added = loss_of(tests).item(), loss_of(prose).item(), penalty().item()
print(f"held-out {held_out_loss:.4f}, prose {general_loss:.4f}, penalty {added:.4f} nats")
