"""A tiny Llama that reads one text and nothing else: the losses of its first steps from zero."""

import math
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

file = "assets/trained/pretraining/text-en.txt"
text = ""  # a text of your own, in place of the file
n_layers = 2
d_model = 128
n_heads = 4
window = 128
n_steps = 300
learning_rate = 3e-3
warm_up = 20
batch_size = 16
seed = 0
n_shown = 10

data = (text or Path(file).expanduser().read_text("utf-8")).encode()
cut = len(data) - len(data) // 10  # the last tenth is held out
while 0 < cut < len(data) and data[cut] & 0xC0 == 0x80:
    cut -= 1
starts = sorted({*range(0, cut - window + 1, window // 2), cut - window})
windows = torch.tensor([list(data[start : start + window]) for start in starts])

START = 256  # stands before every window
config = LlamaConfig(
    vocab_size=257, hidden_size=d_model, intermediate_size=4 * d_model, num_hidden_layers=n_layers,
    num_attention_heads=n_heads, num_key_value_heads=n_heads, head_dim=d_model // n_heads,
    max_position_embeddings=window, tie_word_embeddings=False, bos_token_id=START, eos_token_id=START,
)  # fmt: skip
model = LlamaForCausalLM(config).float()
random = torch.Generator().manual_seed(seed)
with torch.no_grad():
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.normal_(0.0, 0.7 * weight.shape[-1] ** -0.5, generator=random)

order = np.random.default_rng(seed)
places = np.concatenate(
    [order.permutation(len(windows)) for _ in range(n_steps * batch_size // len(windows) + 1)]
)
optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99), eps=1e-8, weight_decay=0.0)
losses = []
for step in range(n_shown):
    gone = (step - warm_up) / max(1, n_steps - 1 - warm_up)
    slow = (step + 1) / warm_up if step < warm_up else 0.1 + 0.9 * (1 + math.cos(math.pi * gone)) / 2
    optimizer.param_groups[0]["lr"] = learning_rate * slow
    batch = windows[places[step * batch_size : (step + 1) * batch_size]]
    read = torch.cat([torch.full((len(batch), 1), START), batch[:, :-1]], dim=1)
    logits = model(read).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.flatten())
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item() / math.log(2))
    print(f"step {step + 1}: {losses[-1]:.4f} bits per byte")
