"""Train the same LoRA adapter with plain peft: same first values, same order of examples, same losses."""

from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
rows = [[("user", "Hello!"), ("assistant", "Ahoy, matey!")], [("user", "Bye!"), ("assistant", "Fair winds!")]]
held_out = [[("user", "Good morning!"), ("assistant", "Top o' the mornin', matey!")]]
n_steps = 4
learning_rate = 0.002
r = 8
lora_alpha = 16.0
lora_dropout = 0.0  # above 0 another stream of random numbers draws than on the page
target_modules = ["q_proj", "v_proj"]
batch_size = 2
seed = 0
max_tokens = 128  # of one example
save_to = ""  # a folder for the adapter

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
is_gpt2 = model.config.model_type == "gpt2"
config = LoraConfig(
    r=r,
    lora_alpha=lora_alpha,
    lora_dropout=lora_dropout,
    target_modules=target_modules,
    fan_in_fan_out=is_gpt2,
)
model = get_peft_model(model, config)

generator = torch.Generator().manual_seed(seed)
with torch.no_grad():
    for name, parameter in model.named_parameters():
        if "lora_A" in name:
            bound = parameter.shape[1] ** -0.5  # Kaiming uniform; B is 0, so step 0 is the model as it was
            parameter.uniform_(-bound, bound, generator=generator)


def read(row: list[tuple[str, str]]) -> tuple[list[int], list[int]]:
    """Token ids, and the same as labels: -100 where a token does not count in the loss."""
    if isinstance(row, str):
        ids = [*tokenizer(row).input_ids, tokenizer.eos_token_id]
        return ids[:max_tokens], [-100, *ids[1:]][:max_tokens]
    said = [{"role": role, "content": content} for role, content in row]
    ids, labels = [], []
    for place, message in enumerate(said):
        if message["role"] == "assistant":
            asked = tokenizer.apply_chat_template(said[:place], tokenize=False, add_generation_prompt=True)
            answered = tokenizer.apply_chat_template(said[: place + 1], tokenize=False)
            n_before = len(tokenizer(asked, add_special_tokens=False).input_ids)
            whole = tokenizer(answered, add_special_tokens=False).input_ids
            end = len(whole) - whole[::-1].index(tokenizer.eos_token_id)  # the mark that ends the answer
            labels += [-100] * (n_before - len(ids)) + whole[n_before:end] + [-100] * (len(whole) - end)
            ids = whole
    return ids[:max_tokens], labels[:max_tokens]


def loss_of(batch: list[list[tuple[str, str]]]) -> torch.Tensor:
    """Mean surprisal, in nats, of all trained tokens of these examples."""
    texts = [read(row) for row in batch]
    total, n = torch.zeros(()), 0
    for ids, labels in texts:
        logits = model(torch.tensor([ids])).logits[0, :-1]
        wanted = torch.tensor(labels[1:])
        total = total + torch.nn.functional.cross_entropy(logits, wanted, reduction="sum", ignore_index=-100)
        n += int((wanted != -100).sum())
    return total / n


random = np.random.default_rng(seed)
n_epochs = -(-n_steps * batch_size // len(rows))
order = np.concatenate([random.permutation(len(rows)) for _ in range(n_epochs)])
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=learning_rate, weight_decay=0.0)
losses, held_out_losses = [], []
for step in range(n_steps):
    model.eval()
    if step % max(3, n_steps // 8) == 0:
        with torch.no_grad():
            held_out_losses.append((step, loss_of(held_out).item()))
    model.train()
    loss = loss_of([rows[place] for place in order[step * batch_size : (step + 1) * batch_size]])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    losses.append(loss.item())
    print(f"step {step + 1}: loss {loss.item():.4f}")
print("held-out:", [(step, round(loss, 4)) for step, loss in held_out_losses])
if save_to:
    model.save_pretrained(Path(save_to).expanduser())
