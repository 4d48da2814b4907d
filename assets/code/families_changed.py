"""Another last word: how far the state of every token moves in every layer, by its own length."""

from pathlib import Path

import torch
from transformers import AutoModel

# Of each family: its name, the model's folder, the tokens of both texts, an encoder-decoder's answer (the
# same for both), and which tokens stand for each other.
runs = []


def moved(first: tuple, second: tuple, pairs: list) -> torch.Tensor:
    """‖b - a‖ / ‖a‖ for every layer and pair. Shape [layer, pair]."""
    a = torch.cat(first).double()[:, [i for i, _j in pairs]]
    b = torch.cat(second).double()[:, [j for _i, j in pairs]]
    return (b - a).norm(dim=-1) / a.norm(dim=-1)


changes = {}
for run in runs:
    model = AutoModel.from_pretrained(Path(run["folder"]).expanduser(), dtype=torch.float32).eval()
    both = []
    for ids in (run["first"], run["second"]):
        given = {"input_ids": torch.tensor([ids])}
        if run["family"] == "encoder-decoder":
            start = model.config.decoder_start_token_id
            given["decoder_input_ids"] = torch.tensor([[start, *run["decoder_ids"]]])
        with torch.no_grad():
            both.append(model(**given, output_hidden_states=True))
    if run["family"] == "encoder-decoder":
        changes["source"] = moved(*(out.encoder_hidden_states for out in both), run["pairs"])
        same = [[i, i] for i in range(1 + len(run["decoder_ids"]))]
        changes["target"] = moved(*(out.decoder_hidden_states for out in both), same)
    else:
        changes[run["family"]] = moved(*(out.hidden_states for out in both), run["pairs"])
for stack, change in changes.items():
    print(stack, "- largest change of each token, from the first to the last:")
    print([f"{most:.2g}" for most in change.amax(0).tolist()])
