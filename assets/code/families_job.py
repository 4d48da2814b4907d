"""One job, three ways: an encoder with a trained head, a decoder and an encoder-decoder by label scores."""

from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

folders = {"decoder": "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"}
prefix = ""  # what the encoder wants before a text
training = []  # (review, is it positive?) for the encoder's head
test = [("I loved it.", True), ("Too salty.", False)]
texts = {"decoder": ["Review: I loved it.\nSentiment:", "Review: Too salty.\nSentiment:"]}

truth = np.array([is_positive for _text, is_positive in test])
probs = {}


def load(family: str, loader: type) -> tuple:
    """The tokenizer and the model of a family."""
    path = Path(folders[family]).expanduser()
    return AutoTokenizer.from_pretrained(path), loader.from_pretrained(path, dtype=torch.float32).eval()


if "encoder" in folders:
    tokenizer, model = load("encoder", AutoModel)

    def vector(text: str) -> np.ndarray:
        """The sentence vector of a text."""
        ids = tokenizer(prefix + text, return_tensors="pt", split_special_tokens=True).input_ids
        with torch.no_grad():
            mean = model(ids).last_hidden_state[0].mean(0).double().numpy()
        return mean / np.linalg.norm(mean)

    head = LogisticRegression(C=10.0, max_iter=1_000, tol=1e-8)
    head.fit([vector(text) for text, _label in training], [label for _text, label in training])
    probs["encoder"] = head.predict_proba([vector(text) for text, _label in test])[:, 1]


def logprob(
    model: torch.nn.Module, ids: list, label_ids: list, source: torch.Tensor | None = None
) -> torch.Tensor:
    """log p(label | text), nats."""
    whole = torch.tensor([[*ids, *label_ids]])
    with torch.no_grad():
        out = model(whole) if source is None else model(source, decoder_input_ids=whole)
    steps = out.logits[0, len(ids) - 1 : -1].double().log_softmax(-1)
    return steps[range(len(label_ids)), label_ids].sum()


def share(scores: list) -> float:
    """p(positive), if there were only these labels."""
    return torch.stack(scores).softmax(0)[0].item()


if "decoder" in folders:
    tokenizer, model = load("decoder", AutoModelForCausalLM)
    probs["decoder"] = []
    for text in texts["decoder"]:
        ids = tokenizer(text).input_ids
        labels = [tokenizer(text + label).input_ids[len(ids) :] for label in (" positive", " negative")]
        probs["decoder"].append(share([logprob(model, ids, label) for label in labels]))
if "encoder-decoder" in folders:
    tokenizer, model = load("encoder-decoder", AutoModelForSeq2SeqLM)
    start = [model.config.decoder_start_token_id]
    probs["encoder-decoder"] = []
    for text in texts["encoder-decoder"]:
        source = tokenizer(text, return_tensors="pt").input_ids
        labels = [tokenizer(label, add_special_tokens=False).input_ids for label in ("positive", "negative")]
        probs["encoder-decoder"].append(share([logprob(model, start, label, source) for label in labels]))
for family, found in probs.items():
    right = (np.array(found) > 0.5) == truth
    print(f"{family}: {right.sum()} of {len(right)} right ({right.mean():.1%})")
