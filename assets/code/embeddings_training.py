# The same words in an untrained embedding layer and in the trained one, projected to two dimensions.
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from transformers import AutoModel, AutoTokenizer, logging

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "words in groups:"
words = ["dog", "cat", "horse", "red", "blue", "green"]
groups = [0, 0, 0, 1, 1, 1]
seed = 0

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(path, dtype=torch.float32)
table = model.get_input_embeddings().weight.detach()  # [d_vocab, d_model]

ids = []
for word in words:
    cuts = [tokenizer(written, add_special_tokens=False).input_ids for written in (f" {word}", word)]
    ids.append(next(cut[0] for cut in cuts if len(cut) == 1))
trained = table[ids].numpy()
random = torch.nn.init.normal_(
    torch.empty(len(ids), table.shape[1]), generator=torch.Generator().manual_seed(seed)
).numpy()

maps, scores = {}, {}
for name, vectors in {"random": random, "trained": trained}.items():
    maps[name] = PCA(2, svd_solver="full").fit_transform(vectors.astype(np.float64))
    if 2 <= len(set(groups)) < len(words):
        scores[name] = silhouette_score(vectors, groups, metric="cosine")
        print(f"{name}: separation {scores[name]:.4f}")
    for word, (x, y) in zip(words, maps[name], strict=True):
        print(f"  {word:12} {x:8.3f} {y:8.3f}")
