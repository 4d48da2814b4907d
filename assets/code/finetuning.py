"""Train the same adapter with plain peft: same first values, same order of examples, same losses."""

from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, PrefixTuningConfig, PromptTuningConfig, get_peft_model
from reading_row import read
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
method = "lora"  # or last_block (its linear layers trained in full), bottleneck, prompt, prefix
num_virtual_tokens = 16  # of a soft prompt or a prefix
bottleneck = 16  # its width
outputs = ["self_attn.o_proj", "mlp.down_proj"]  # layers that have a bottleneck behind them
batch_size = 2
seed = 0
keep_best = True  # save the step with the least held-out loss, else the last one
max_tokens = 128  # of one example
save_to = ""  # a folder for the adapter

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
is_gpt2 = model.config.model_type == "gpt2"
generator = torch.Generator().manual_seed(seed)


class Bottleneck(torch.nn.Module):
    """A frozen layer and a small network in series behind it."""

    def __init__(self, base: torch.nn.Module, d: int) -> None:
        super().__init__()
        self.base = base
        self.down, self.up = (
            torch.nn.Linear(d, bottleneck, bias=False),
            torch.nn.Linear(bottleneck, d, bias=False),
        )
        torch.nn.init.uniform_(self.down.weight, -(d**-0.5), d**-0.5, generator=generator)
        torch.nn.init.zeros_(self.up.weight)  # so step 0 is the model as it was

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape [..., d_in] -> [..., d]."""
        y = self.base(x)
        return y + self.up(torch.nn.functional.gelu(self.down(y)))


if method == "lora":
    config = LoraConfig(
        r=r,
        lora_alpha=lora_alpha,
        lora_dropout=lora_dropout,
        target_modules=target_modules,
        fan_in_fan_out=is_gpt2,
    )
    model = get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_A" in name:
                bound = parameter.shape[1] ** -0.5  # Kaiming uniform; B is 0: step 0 is the model as it was
                parameter.uniform_(-bound, bound, generator=generator)
elif method == "bottleneck":
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for block in model.base_model.get_submodule("h" if is_gpt2 else "layers"):
        for place in outputs:
            owner, name = block.get_submodule(place.split(".")[0]), place.split(".")[1]
            setattr(owner, name, Bottleneck(getattr(owner, name), model.config.hidden_size))
elif method in ("prompt", "prefix"):
    # The virtual positions begin as tokens of the rows; a prefix as what the model makes of those.
    known = sorted({token for row in rows for token in read(tokenizer, row, max_tokens)[0]})
    start = [known[place] for place in torch.randint(len(known), (num_virtual_tokens,), generator=generator)]
    with torch.no_grad():
        first = model.get_input_embeddings()(torch.tensor(start))
        if method == "prefix":
            layers = model(inputs_embeds=first[None], use_cache=True).past_key_values.layers
            first = torch.cat(
                [part[0].transpose(0, 1).flatten(1) for one in layers for part in (one.keys, one.values)],
                dim=1,
            )
    kind = PromptTuningConfig if method == "prompt" else PrefixTuningConfig
    model = get_peft_model(model, kind(task_type="CAUSAL_LM", num_virtual_tokens=num_virtual_tokens))
    with torch.no_grad():
        model.prompt_encoder["default"].embedding.weight.copy_(first)
else:
    last = f".{model.config.num_hidden_layers - 1}."
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(last in name and parameter.dim() == 2)


def loss_of(batch: list[list[tuple[str, str]]]) -> torch.Tensor:
    """Mean surprisal, in nats, of all trained tokens of these examples."""
    texts = [read(tokenizer, row, max_tokens) for row in batch]
    total, n = torch.zeros(()), 0
    for ids, labels in texts:
        given = torch.tensor([ids])
        logits = model(input_ids=given, attention_mask=torch.ones_like(given)).logits[0, -len(ids) : -1]
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
looks = {*range(0, n_steps, max(3, n_steps // 8)), 10, 25, 50, 100, n_steps}
model.eval()  # no dropout but the adapter's
for name, part in model.named_modules():
    part.training = "lora_dropout" in name


def look(step: int) -> None:
    """Test it, and keep it where it is the best so far."""
    model.eval()
    with torch.no_grad():
        loss = loss_of(held_out).item()
    is_best = all(loss <= other for _step, other in held_out_losses if _step)
    held_out_losses.append((step, loss))
    if save_to and step and (is_best if keep_best else step == n_steps):
        Path(save_to).expanduser().mkdir(parents=True, exist_ok=True)
        if method == "bottleneck":  # peft knows none
            torch.save([one.detach() for one in trained], Path(save_to).expanduser() / "bottlenecks.pt")
        else:
            model.save_pretrained(Path(save_to).expanduser())
    for name, part in model.named_modules():
        part.training = "lora_dropout" in name


for step in range(n_steps):
    if step in looks:
        look(step)
    loss = loss_of([rows[place] for place in order[step * batch_size : (step + 1) * batch_size]])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    losses.append(loss.item())
    print(f"step {step + 1}: loss {loss.item():.4f}")
look(n_steps)
print("held-out:", [(step, round(loss, 4)) for step, loss in held_out_losses])
