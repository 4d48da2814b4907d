"""What the page Tasks needs in a test: heads on a tiny encoder, small sets, what its components got."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from streamlit.testing.v1 import AppTest

from playground.core.jobs.names import bio_labels, labels_of_words, words_of_tokens
from playground.core.sentences import sentence_vector
from playground.core.trace import Trace
from playground.engine.contract.task_heads import HeadSettings
from playground.engine.contract.vectors import TracesRequest
from playground.engine.local import task_heads as local
from playground.engine.local.engine import LocalEngine
from playground.engine.task_heads import trained
from playground.engine.task_heads.trained import SHIPPED, TrainedHead
from playground.ui.tasks import classification, measured, names, sets
from tests import tiny

LABEL = HeadSettings(tiny.BERT, "sentiment", labels=("positive", "negative"))  # not in the page's order
WORDS = HeadSettings(
    tiny.BERT, "names", task="words", labels=bio_labels(("PER", "ORG", "LOC", "DATE")), inverse_penalty=50.0
)


def read(engine: LocalEngine, texts: list[str]) -> list[Trace]:
    """The traces of some texts."""
    request = TracesRequest(tiny.BERT, tuple(texts), (tiny_layers(engine),))
    found = dict(engine.vectors.traces(request))
    traces = [found[place] for place in range(len(texts))]
    assert all(isinstance(one, Trace) for one in traces)
    return [one for one in traces if isinstance(one, Trace)]


def tiny_layers(engine: LocalEngine) -> int:
    """Layers of the tiny encoder."""
    return next(info.n_layer for info in engine.models() if info.model_id == tiny.BERT)


def label_head(engine: LocalEngine) -> TrainedHead:
    """Logistic regression of scikit-learn on the vectors of the training reviews, as a head."""
    items = [*sets.classified("train", "en"), *sets.classified("train", "ko")]
    rows = [sentence_vector(one) for one in read(engine, [item.texts[0] for item in items])]
    fitted: Any = LogisticRegression(C=2 * LABEL.inverse_penalty, max_iter=2_000, tol=1e-8)
    fitted.fit(np.array(rows, dtype=np.float64), [item.label == "positive" for item in items])
    w, b = torch.tensor(fitted.coef_[0] / 2), torch.tensor(fitted.intercept_ / 2)
    return TrainedHead(LABEL, 1, 0, torch.stack([w, -w]).float(), torch.cat([b, -b]).float())


def words_head(engine: LocalEngine) -> TrainedHead:
    """The same on the tokens of the training texts with names."""
    items = [*sets.named("train", "en"), *sets.named("train", "ko")]
    rows, targets = [], []
    for item in items:
        tokens = engine.tokenizers.tokenize(tiny.BERT, item.text, add_special_tokens=True)
        (trace,) = read(engine, [item.text])
        assert trace.hidden_states is not None
        words = words_of_tokens(item.text, tokens.offsets)
        places = [
            next(
                at
                for at, (a, b) in enumerate(tokens.offsets)
                if a < end and b > start and not tokens.special[at]
            )
            for start, end in words
        ]
        states = trace.hidden_states[-1][places].astype(np.float64)
        rows.extend(states / np.linalg.norm(states, axis=1, keepdims=True))
        targets.extend(labels_of_words(words, item.names))
    fitted: Any = LogisticRegression(C=WORDS.inverse_penalty, max_iter=2_000, tol=1e-8).fit(rows, targets)
    weight, bias = np.zeros((len(WORDS.labels), len(rows[0]))), np.full(len(WORDS.labels), -1e9)
    at = [WORDS.labels.index(label) for label in fitted.classes_]
    weight[at], bias[at] = fitted.coef_, fitted.intercept_
    return TrainedHead(WORDS, 1, 0, torch.tensor(weight).float(), torch.tensor(bias).float())


@pytest.fixture
def tiny_heads(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The two shipped heads on a tiny encoder; sets of few items; nothing measured yet."""
    whole = {"classified": sets.classified, "named": sets.named}

    def few(name: str) -> Any:
        return lambda split, language: whole[name](split, language)[:: 4 if split == "held_out" else 6]

    for module in (sets, classification):
        monkeypatch.setattr(module, "classified", few("classified"))
    for module in (sets, names):
        monkeypatch.setattr(module, "named", few("named"))
    found = dict(zip(SHIPPED, (label_head(engine), words_head(engine)), strict=True))
    for module in (trained, local):
        monkeypatch.setattr(module, "shipped", found.__getitem__)
    classification.baseline.cache_clear()
    names._scored.cache_clear()
    measured._known.clear()
    yield
    measured._known.clear()
    classification.baseline.cache_clear()
    names._scored.cache_clear()


def sent(app: AppTest, component: str) -> list[dict[str, Any]]:
    """The data of each component of a kind, in the page's order."""
    assert not app.exception
    found = [element.proto for element in app.get("bidi_component")]
    return [json.loads(one.json) for one in found if one.component_name == f"playground.{component}"]
