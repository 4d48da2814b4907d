# One word in several sentences: its vector at one layer, the cosines, and how well the senses separate.
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import silhouette_score
from sklearn.metrics.pairwise import cosine_similarity
from transformers import AutoModel, AutoTokenizer, logging

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "one word in these sentences:"
word = "bank"
sentences = ["We walked along the river bank", "She put her money in the bank"]
groups = [0, 1]
layer = 10

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(path, dtype=torch.float32).eval()

vectors = []
for sentence in sentences:
    cut = tokenizer(sentence, return_tensors="pt", return_offsets_mapping=True, split_special_tokens=True)
    start = sentence.lower().rfind(word.lower())
    stop = start + len(word)
    inside = [
        i for i, (a, b) in enumerate(cut.offset_mapping[0].tolist()) if a < b and a < stop and b > start
    ]
    with torch.no_grad():
        states = model(cut.input_ids, output_hidden_states=True).hidden_states[layer][0]
    vectors.append(states[inside].mean(0).numpy())  # the mean over the word's tokens

cosines = cosine_similarity(np.stack(vectors))
print(cosines.round(3))
separation = None
if 2 <= len(set(groups)) < len(groups):
    distances = np.maximum(1 - cosines, 0)
    np.fill_diagonal(distances, 0)
    separation = silhouette_score(distances, groups, metric="precomputed")
    print(f"layer {layer}: separation {separation:.4f}")
