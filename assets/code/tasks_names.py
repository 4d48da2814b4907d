"""Names by a head on the tokens of a frozen encoder: BIO labels, and F1 over whole names by seqeval."""

from pathlib import Path

import numpy as np
import torch
from seqeval.metrics import classification_report, f1_score
from sklearn.linear_model import LogisticRegression
from transformers import AutoModel, AutoTokenizer

folder = "~/.cache/llm-playground/models/intfloat--multilingual-e5-small"
prefix = "query: "  # what the encoder wants before a text
inverse_penalty = 50.0
training = [("Ann met Bo in Oslo.", [(0, 3, "PER"), (8, 10, "PER"), (14, 18, "LOC")])]
test = [("Bo lives in Rome.", [(0, 2, "PER"), (12, 16, "LOC")])]  # first character, the one behind, kind

tokenizer = AutoTokenizer.from_pretrained(Path(folder).expanduser())
encoder = AutoModel.from_pretrained(Path(folder).expanduser(), dtype=torch.float32).eval()


def spans(text: str) -> list:
    """The characters of each token, without the space before a word."""
    read, at = tokenizer(text, return_offsets_mapping=True, split_special_tokens=True), 0
    found = []
    for start, end in read["offset_mapping"]:
        start = max(start, at)
        start += len(text[start:end]) - len(text[start:end].lstrip())
        if start < end:
            found.append((start, end))
            at = end
    return found


def labels(words: list, names: list) -> list:
    """BIO labels: a token that holds a character of a name belongs to it."""
    found, before = [], None
    for start, end in words:
        name = next((one for one in names if one[0] < end and start < one[1]), None)
        found.append("O" if name is None else ("I-" if name is before else "B-") + name[2])
        before = name
    return found


def vectors(text: str, words: list) -> np.ndarray:
    """The last state of each token, of length 1."""
    read = tokenizer(
        prefix + text, return_offsets_mapping=True, return_tensors="pt", split_special_tokens=True
    )
    places = read.pop("offset_mapping")[0].tolist()
    with torch.no_grad():
        states = encoder(read["input_ids"]).last_hidden_state[0].double().numpy()
    shift = len(prefix)
    firsts = [
        next(at for at, (a, b) in enumerate(places) if a < end + shift and b > start + shift)
        for start, end in words
    ]
    return states[firsts] / np.linalg.norm(states[firsts], axis=1, keepdims=True)


rows, targets = [], []
for text, names in training:
    words = spans(text)
    rows.extend(vectors(text, words))
    targets.extend(labels(words, names))
head = LogisticRegression(C=inverse_penalty, max_iter=2_000, tol=1e-8).fit(rows, targets)
right = [labels(spans(text), names) for text, names in test]
answers = [head.predict(vectors(text, spans(text))).tolist() for text, _names in test]
print(f"F1 over names: {f1_score(right, answers):.1%}")
print(classification_report(right, answers, zero_division=0))
