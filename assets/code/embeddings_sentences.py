# Sentence vectors: mean of the last layer, divided by its length; a map, and a search by meaning.
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from transformers import AutoModel, AutoTokenizer, logging

folder = "~/.cache/llm-playground/models/sentence-transformers--all-MiniLM-L6-v2"
text = "these sentences:"
sentences = ["The cat sleeps on the sofa.", "It rained all night.", "A dog barked.", "Snow is expected."]
method = "pca"
n_dims = 2
seed = 0
query = "pets"
max_tokens = 256
before_text = ""  # what the model wants to read before each sentence, and before what is searched
before_query = ""

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(path, dtype=torch.float32).eval()


def embed(sentence: str) -> np.ndarray:
    """The vector of one sentence: of its first tokens, where it has more than the model's makers read."""
    cut = {"truncation": True, "max_length": max_tokens}
    ids = tokenizer(sentence, return_tensors="pt", split_special_tokens=True, **cut).input_ids
    with torch.no_grad():
        mean = model(ids).last_hidden_state[0].mean(0)
    return (mean / mean.norm()).numpy()


vectors = np.stack([embed(before_text + sentence) for sentence in sentences])
if method == "pca":
    points = PCA(n_dims, svd_solver="full").fit_transform(vectors.astype(np.float64))
else:
    different, place = np.unique(vectors, axis=0, return_inverse=True)
    perplexity = min(30.0, (len(different) - 1) / 3)
    arrange = TSNE(n_dims, perplexity=perplexity, init="random", random_state=seed, max_iter=500)
    points = arrange.fit_transform(different)[place.ravel()]
for sentence, point in zip(sentences, points, strict=True):
    print(point.round(3), sentence)

hits = []
if query.strip():
    cosines = vectors @ embed(before_query + query.strip())
    hits = [(int(row), float(cosines[row])) for row in np.argsort(-cosines, kind="stable")[:6]]
    for row, cosine in hits:
        print(f"{cosine:.4f}  {sentences[row]}")
