"""The same tokens in two orders, with counted and with equal positions: how far does each vector move?"""

from pathlib import Path

import torch
from transformers import AutoModel, logging

encoder_folder = "~/.cache/llm-playground/models/sentence-transformers--all-MiniLM-L6-v2"
decoder_folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
encoder_ids = [101, 1996, 3007, 1997, 2563, 2003, 102]
decoder_ids = [504, 3575, 282, 3996, 314]
encoder_order = [0, 3, 1, 5, 4, 2, 6]
decoder_order = [2, 0, 3, 1, 4]


def vectors(model: torch.nn.Module, ids: list[int], positions: list[int]) -> torch.Tensor:
    """Hidden states of every layer. Shape [layer, position, d_model]."""
    if model.config.model_type in ("roberta", "xlm-roberta"):  # the rows before belong to no position
        positions = [position + model.config.pad_token_id + 1 for position in positions]
    # Without a mask of its own transformers takes a jump in the positions for the start of another text.
    mask = torch.ones(1, len(ids), dtype=torch.long)
    with torch.no_grad():
        out = model(
            torch.tensor([ids]),
            attention_mask=mask,
            position_ids=torch.tensor([positions]),
            output_hidden_states=True,
        )
    return torch.stack(out.hidden_states)[:, 0].double()


differences = {}
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
for name, folder, ids, order in (
    ("encoder", encoder_folder, encoder_ids, encoder_order),
    ("decoder", decoder_folder, decoder_ids, decoder_order),
):
    model = AutoModel.from_pretrained(Path(folder).expanduser(), dtype=torch.float32).eval()
    shuffled = [ids[token] for token in order]
    for kind, positions in (("counted", list(range(len(ids)))), ("equal", [0] * len(ids))):
        before = vectors(model, ids, positions)[:, order]
        after = vectors(model, shuffled, positions)
        moved = (after - before).norm(dim=-1) / before.norm(dim=-1)
        differences[name, kind] = moved.max(-1).values
        print(f"{name}, positions {kind}: {differences[name, kind][-1]:.3g} in the last layer,")
        print(f"  no number differs by more than {(after - before)[-1].abs().max():.3g}")
        if name == "decoder" and kind == "equal":
            differences[name, "last"] = moved[:, -1]
            print("  the last token, layer by layer:", differences[name, "last"][:4], "...")
