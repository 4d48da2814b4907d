"""A labelled set answered by a head on frozen vectors, and by a decoder behind two prompts."""

from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

encoder = "~/.cache/llm-playground/models/sentence-transformers--all-MiniLM-L6-v2"
decoder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
prefix = ""  # what the encoder wants before a text
training = [(["I loved it."], "positive"), (["Too salty."], "negative")]  # texts and their label
test = [(["A lovely evening."], "positive"), (["It fell apart."], "negative")]
labels = ["negative", "positive"]
words = [" negative", " positive"]  # what the decoder may say for each label
prompts = {"zero": ["Review: A lovely evening.\nSentiment:", "Review: It fell apart.\nSentiment:"]}

truth = [label for _texts, label in test]
answers = {}


def load(folder: str, loader: type) -> tuple:
    """A tokenizer and its model."""
    path = Path(folder).expanduser()
    return AutoTokenizer.from_pretrained(path), loader.from_pretrained(path, dtype=torch.float32).eval()


tokenizer, model = load(encoder, AutoModel)


@torch.no_grad()
def vector(texts: list) -> np.ndarray:
    """The mean of the last states of one text, or of two read together, of length 1."""
    read = tokenizer(*[prefix + text for text in texts], return_tensors="pt", split_special_tokens=True)
    mean = model(**read).last_hidden_state[0].mean(0).double().numpy()
    return mean / np.linalg.norm(mean)


head = LogisticRegression(C=10.0 if len(labels) == 2 else 5.0, max_iter=5_000, tol=1e-8)
head.fit([vector(texts) for texts, _label in training], [label for _texts, label in training])
answers["encoder + head, frozen"] = head.predict([vector(texts) for texts, _label in test])

tokenizer, model = load(decoder, AutoModelForCausalLM)


@torch.no_grad()
def said(prompt: str) -> str:
    """The label whose word is the most probable continuation."""
    scores = []
    ids = tokenizer(prompt).input_ids
    for word in words:
        whole = tokenizer(prompt + word).input_ids
        steps = model(torch.tensor([whole])).logits[0, len(ids) - 1 : -1].double().log_softmax(-1)
        scores.append(steps[range(len(whole) - len(ids)), whole[len(ids) :]].sum().item())
    return labels[int(np.argmax(scores))]


for way, asked in prompts.items():
    answers[f"decoder, {way}-shot"] = [said(prompt) for prompt in asked]
for way, found in answers.items():
    n_right = sum(one == label for one, label in zip(found, truth, strict=True))
    print(f"{way}: {n_right} of {len(truth)} right ({n_right / len(truth):.1%})")
