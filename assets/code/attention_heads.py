"""Scores of every head on one text: what its weights say it does."""

from pathlib import Path

import torch
from transformers import AutoModel, logging

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
# layers and heads are counted from 0 here, from 1 on the page
layer = 13
head = 8

path = Path(folder).expanduser()
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
stack = model.encoder if model.config.is_encoder_decoder else model
with torch.no_grad():
    out = stack(torch.tensor([input_ids]), output_attentions=True)
weights = torch.stack(out.attentions)[:, 0].double()  # [layer, head, query, key]

ids = torch.tensor(input_ids)
place = torch.arange(len(ids))
back = place[:, None] - place  # how many tokens before the query a key stands
not_first = place > 0
earlier = (ids[:, None] == ids) & (back > 0)
followed = torch.zeros_like(earlier)
followed[:, 1:] = earlier[:, :-1] & (back[:, 1:] > 0)
targets = {
    "previous_token": (back == 1) & not_first,
    "first_token": (place == 0).expand_as(back),
    "induction": followed,
    "duplicate_token": earlier & not_first,
}
scores = {}
for name, target in targets.items():
    rows = target.any(-1) & not_first  # the first query of a decoder sees itself only
    scores[name] = (weights * target).sum(-1)[..., rows].mean(-1)
rows = weights[..., 1:, :]
scores["entropy"] = -torch.special.xlogy(rows, rows).sum(-1).mean(-1) / torch.tensor(2.0).log()
scores["distance"] = (rows * back[1:].abs()).sum(-1).mean(-1)

for name, score in scores.items():
    best = divmod(int(score.nan_to_num(-1).argmax()), score.shape[1])
    print(f"{name}: head {layer + 1}.{head + 1} {score[layer, head]:.4f}", end=", ")
    print(f"best {best[0] + 1}.{best[1] + 1} {score.max():.4f}")
