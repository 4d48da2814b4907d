# One vector of the embedding table: its nearest neighbours, random pairs as a baseline, and lengths.
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, logging

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = " England"
token_id = None

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(path, dtype=torch.float32)
table = model.get_input_embeddings().weight.detach().numpy()  # [d_vocab, d_model]
if token_id is None:
    token_id = tokenizer(text, add_special_tokens=False).input_ids[0]


def cosine(vectors: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Cosine of a vector with every row."""
    return vectors @ query / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(query))


vector, average = table[token_id], table.mean(axis=0)
similarities = {
    "cosine": cosine(table, vector),
    "cosine, mean subtracted": cosine(table - average, vector - average),
    "dot product": table @ vector,
}
nearest = {}
for name, values in similarities.items():
    ordered = np.argsort(-values, kind="stable")
    nearest[name] = ordered[ordered != token_id][:10]
    print(name)
    for neighbour in nearest[name]:
        print(f"  {values[neighbour]:.4f}  {neighbour:6}  {tokenizer.decode([int(neighbour)])!r}")

random = np.random.Generator(np.random.Philox(key=0))
first = random.integers(0, len(table), 4_000)
second = (first + random.integers(1, len(table), 4_000)) % len(table)
norms = np.linalg.norm(table, axis=1)
pairs = (table[first] * table[second]).sum(1) / norms[first] / norms[second]
centred = table - average
lengths = np.linalg.norm(centred, axis=1)
centred_pairs = (centred[first] * centred[second]).sum(1) / lengths[first] / lengths[second]
print(f"random pairs: cosine {pairs.mean():.4f}, mean subtracted {centred_pairs.mean():.4f}")
print(f"length {norms[token_id]:.4f}, longer vectors: {(norms > norms[token_id]).mean():.2%}")
