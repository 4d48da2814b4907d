# Support of an answer: the cosine of each of its sentences with each sentence of the chunks. No proof.
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

folder = "~/.cache/llm-playground/models/intfloat--multilingual-e5-small"
prefix = "query: "  # of e5; "" for a model without prefixes
said = ["The cook is Bram."]
sources = ["Our cook is Bram.", "There is no doctor on the island."]

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModel.from_pretrained(path, dtype=torch.float32).eval()


def vectors(texts: list[str]) -> torch.Tensor:
    """Means over the last layer, of length 1."""
    found = []
    for text in texts:
        ids = torch.tensor([tokenizer(prefix + text, split_special_tokens=True).input_ids])
        with torch.no_grad():
            found.append(
                model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0].mean(0)
            )
    return torch.nn.functional.normalize(torch.stack(found), dim=-1)


cosines = vectors(said) @ vectors(sources).T
nearest = cosines.argmax(1).tolist()
for sentence, row, at in zip(said, cosines, nearest, strict=True):
    print(f"{row[at]:.3f}  {sentence}  <-  {sources[at]}")
