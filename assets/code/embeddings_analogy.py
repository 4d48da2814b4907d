# a - b + c in the embedding table, with and without the input words.
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, logging

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "king - man + woman"  # the first of these:
quadruples = [["king", "man", "woman", "queen"]]

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(path, dtype=torch.float32)
table = model.get_input_embeddings().weight.detach().numpy()  # [d_vocab, d_model]
norms = np.linalg.norm(table, axis=1)


def token(word: str) -> int | None:
    """The token of a word in running text, or of the bare word."""
    for written in (f" {word}", word):
        ids = tokenizer(written, add_special_tokens=False).input_ids
        if len(ids) == 1 and ids[0] != tokenizer.unk_token_id:
            return int(ids[0])
    return None


answers = []
for words in quadruples:
    a, b, c, d = (token(word) if word else None for word in words)
    query = table[a] - table[b] + table[c]
    cosines = table @ query / (norms * np.linalg.norm(query))
    ordered = np.argsort(-cosines, kind="stable")
    without = ordered[~np.isin(ordered, [a, b, c])]
    rank = None if d is None else int((cosines > cosines[d]).sum()) + 1
    rank_without = None if d is None else int((cosines[without] > cosines[d]).sum()) + 1
    answers.append((ordered[:10], without[:10], rank, rank_without))
    first, second = (tokenizer.decode([int(ids[0])]) for ids in (ordered, without))
    print(f"{words[0]} - {words[1]} + {words[2]} = {first!r}, input words left out {second!r}")
    print(f"  rank of {words[3]!r}: {rank}, input words left out {rank_without}")
