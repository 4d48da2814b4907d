"""Sentiment by a head on a frozen encoder: vectors, logistic regression, the confusion matrix of the set."""

from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix
from transformers import AutoModel, AutoTokenizer

folder = "~/.cache/llm-playground/models/intfloat--multilingual-e5-small"
prefix = "query: "  # what the encoder wants before a text
inverse_penalty = 5.0
training = [("I loved it.", "positive"), ("Too salty.", "negative")]
test = [("I would come again.", "positive"), ("It broke.", "negative")]

tokenizer = AutoTokenizer.from_pretrained(Path(folder).expanduser())
encoder = AutoModel.from_pretrained(Path(folder).expanduser(), dtype=torch.float32).eval()


def vector(text: str) -> np.ndarray:
    """The mean of the last layer's states, of length 1."""
    ids = tokenizer(prefix + text, return_tensors="pt", split_special_tokens=True).input_ids
    with torch.no_grad():
        mean = encoder(ids).last_hidden_state[0].mean(0).double().numpy()
    return mean / np.linalg.norm(mean)


head = LogisticRegression(C=2 * inverse_penalty, max_iter=2_000, tol=1e-8)
head.fit([vector(text) for text, _label in training], [label for _text, label in training])
right = [label for _text, label in test]
probs = head.predict_proba([vector(text) for text, _label in test])
answers = head.classes_[probs.argmax(1)].tolist()
print(f"accuracy: {accuracy_score(right, answers):.1%}")
print("rows: right label, columns: answer;", head.classes_.tolist())
print(confusion_matrix(right, answers, labels=head.classes_))
