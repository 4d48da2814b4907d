"""GLUE in small: a trained head on frozen vectors, and label words scored behind a prompt."""

import json
from itertools import zip_longest
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

sets = "assets/samples/glue"  # the nine sets
languages = ["en", "ko"]  # of the items that count
encoder = "~/.cache/llm-playground/models/sentence-transformers--all-MiniLM-L6-v2"  # "" for none
prefix = ""  # what the encoder wants before a text
decoder = ""  # "" for none
asked = {"rte": ("Is the second true?", ["First", "Second"], "True", ["no", "yes"])}

figures = {}


def figure(metric: str, labels: list, right: list, told: list) -> float:
    """The metric that GLUE reports."""
    if metric == "spearman":
        return spearmanr(right, told).statistic
    if metric == "f1":
        return f1_score(right, told, pos_label=labels[-1])
    return (matthews_corrcoef if metric == "matthews" else accuracy_score)(right, told)


def vectors(items: list) -> np.ndarray:
    """u, v, |u - v|, u * v of each item; of single texts u alone."""
    rows = []
    for item in items:
        read = []
        for text in item["texts"]:
            ids = tokenizer(prefix + text, return_tensors="pt", split_special_tokens=True).input_ids
            with torch.no_grad():
                mean = model(ids).last_hidden_state[0].mean(0).double().numpy()
            read.append(mean / np.linalg.norm(mean))
        u, v = read[0], read[-1]
        rows.append(np.concatenate([u, v, abs(u - v), u * v]) if len(read) > 1 else u)
    return np.array(rows)


def logprob(ids: list, label_ids: list) -> float:
    """log p(label | text), nats."""
    with torch.no_grad():
        logits = model(torch.tensor([[*ids, *label_ids]])).logits[0, len(ids) - 1 : -1]
    return logits.double().log_softmax(-1)[range(len(label_ids)), label_ids].sum().item()


def answer(task: str, labels: list, item: dict, demos: list) -> str | float:
    """The most probable label; of grades their mean."""
    instruction, names, output, words = asked[task]
    text = f"{instruction}\n\n"
    for one in [*demos, item]:
        text += (
            "".join(f"{name}: {part}\n" for name, part in zip(names, one["texts"], strict=True))
            + f"{output}:"
        )
        if one is not item:
            place = labels.index(one["label"]) if labels else round(one["label"])
            text += f" {words[place]}\n\n"
    ids = tokenizer(text).input_ids
    scores = [logprob(ids, tokenizer(f"{text} {word}").input_ids[len(ids) :]) for word in words]
    probs = torch.tensor(scores, dtype=torch.float64).softmax(0).numpy()
    return labels[int(probs.argmax())] if labels else float(probs @ np.arange(len(words)))


for folder, loader in ((encoder, AutoModel), (decoder, AutoModelForCausalLM)):
    if not folder:
        continue
    tokenizer = AutoTokenizer.from_pretrained(Path(folder).expanduser())
    model = loader.from_pretrained(Path(folder).expanduser(), dtype=torch.float32).eval()
    for task in asked:
        data = json.loads((Path(sets).expanduser() / f"{task}.json").read_text("utf-8"))
        labels = data["labels"]
        train = [item for item in data["items"] if item["split"] == "train"]
        test = [
            item for item in data["items"] if item["split"] == "held_out" and item["language"] in languages
        ]
        told = {}
        if loader is AutoModel:
            head = LogisticRegression(C=10.0, max_iter=2_000, tol=1e-8) if labels else Ridge(alpha=0.1)
            head.fit(vectors(train), [item["label"] for item in train])
            told["head"] = head.predict(vectors(test)).tolist()
        else:
            shots = {}
            for language in languages:
                mine = [item for item in train if item["language"] == language]
                values = labels or sorted({item["label"] for item in mine})
                n = 2 if labels else 1
                sides = [[item for item in mine if item["label"] == value][:n] for value in values]
                shots[language] = [item for turn in zip_longest(*sides) for item in turn if item]
            told["zero"] = [answer(task, labels, item, []) for item in test]
            told["few"] = [answer(task, labels, item, shots[item["language"]]) for item in test]
        for way, answers in told.items():
            figures[way, task] = figure(data["metric"], labels, [item["label"] for item in test], answers)
            print(f"{task} {way}: {data['metric']} {figures[way, task]:.3f} ({len(test)} items)")
