# Questions looked up by vectors: hit@k, MRR@k and nDCG@k of the chunks that hold the answers.
import math
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

folder = "~/.cache/llm-playground/models/intfloat--multilingual-e5-small"
prefixes = ("query: ", "passage: ")  # before questions, before chunks
chunks = ["Our cook is Bram.", "There is no doctor on the island."]
questions = [("Who is the cook?", [0])]  # question, numbers of the chunks that hold the answer
k = 3
n_most = 512  # tokens that the encoder reads of a text

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModel.from_pretrained(path, dtype=torch.float32).eval()


def vector(text: str) -> torch.Tensor:
    """Mean over the last layer, of length 1."""
    ids = tokenizer(text, split_special_tokens=True, truncation=True, max_length=n_most).input_ids
    given = torch.tensor([ids])
    with torch.no_grad():
        states = model(input_ids=given, attention_mask=torch.ones_like(given)).last_hidden_state[0]
    return torch.nn.functional.normalize(states.mean(0), dim=0)


matrix = torch.stack([vector(prefixes[1] + chunk) for chunk in chunks])
hits, reciprocal, gains = [], [], []
for text, right in questions:
    found = (matrix @ vector(prefixes[0] + text)).argsort(descending=True)[:k].tolist()
    ranks = [rank for rank, chunk in enumerate(found, 1) if chunk in right]
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(right), k) + 1))
    hits.append(bool(ranks))
    reciprocal.append(1 / ranks[0] if ranks else 0.0)
    gains.append(sum(1 / math.log2(rank + 1) for rank in ranks) / best if best else 0.0)
n = len(questions)
hit, mrr, ndcg = sum(hits) / n, sum(reciprocal) / n, sum(gains) / n
print(f"{n} questions by vectors: hit@{k} {hit:.3f}, MRR@{k} {mrr:.3f}, nDCG@{k} {ndcg:.3f}")
