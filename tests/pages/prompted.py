"""What the page on prompts shows, read back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from streamlit.testing.v1 import AppTest

from playground.core.few_shot import label_probabilities
from playground.engine.contract.engine import Engine
from playground.settings import Settings
from playground.ui.prompting import task_files
from tests import tiny
from tests.engine.conftest import oracle

TASK = task_files.task.__wrapped__("word_game", "en")  # short words: tiny models read 128 tokens


LINK = {"pro_task": "word_game"}


def told(app: AppTest) -> str:
    return " ".join(one.value for one in (*app.markdown, *app.caption)).replace("\\", "")


def text_of(demos: list[Any], query: str) -> str:
    """The default format, written out."""
    shown = "".join(f"Q: {one.text}\nA: {one.label}\n\n" for one in demos)
    return f"{shown}Q: {query}\nA:"


def plain_shares(settings: Settings, engine: Engine, texts: list[str], labels: list[str]) -> np.ndarray:
    """Shares of the labels by plain forwards of the library. Shape [text, label]."""
    net = oracle(settings, tiny.LLAMA)
    rows = []
    for text in texts:
        ids = list(engine.tokenizers.tokenize(tiny.LLAMA, text, add_special_tokens=True).input_ids)
        sums = []
        for label in labels:
            label_ids = list(engine.tokenizers.tokenize(tiny.LLAMA, label, add_special_tokens=True).input_ids)
            with torch.no_grad():
                logits = net(input_ids=torch.tensor([ids + label_ids])).logits[0, len(ids) - 1 : -1]
            logprobs = torch.log_softmax(logits, -1)
            sums.append(sum(float(logprobs[at, token]) for at, token in enumerate(label_ids)))
        rows.append(label_probabilities(sums, [1] * len(sums)))
    return np.array(rows)


def small(app: AppTest) -> AppTest:
    app.button(key="pro_sweep_start").click().run()
    assert not app.exception
    return app
