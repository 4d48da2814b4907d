"""Tiny models of which one has a chat template."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from transformers import AutoTokenizer

from playground.engine import process
from playground.settings import Settings
from playground.ui import show
from playground.ui.prompting import continuing
from tests import tiny
from tests.pages.chat.conversing import (
    TEMPLATE,
)
from tests.pages.shown import folder


@pytest.fixture(scope="module")
def tiny_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The tiny models with room for a conversation; the llama has a chat template."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "N_CTX", 1_024)
        settings = tiny.make(tmp_path_factory.mktemp("chat"))
    place = settings.cache_dir / "models" / tiny.LLAMA.replace("/", "--")
    (place / "chat_template.jinja").write_text(TEMPLATE, "utf-8")
    return settings


@pytest.fixture(scope="module")
def tiny_engine(tiny_settings: Settings) -> Iterator[process.SharedEngine]:
    shared = process.SharedEngine(tiny_settings)
    engine = shared.get(timeout_s=180)
    wanted = {tiny.LLAMA, tiny.GPT2}
    for model_id in wanted:
        engine.load(model_id)
    deadline = time.monotonic() + 180
    while {info.state for info in engine.models() if info.model_id in wanted} != {"ready"}:
        assert time.monotonic() < deadline, engine.models()
        time.sleep(0.05)
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def library(tiny_settings: Settings) -> Any:
    return AutoTokenizer.from_pretrained(folder(tiny_settings, tiny.LLAMA))


@pytest.fixture(autouse=True)
def _panel_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the text that the model writes after the prompt above."""
    monkeypatch.setattr(continuing, "draw", lambda _prompt: None)


@pytest.fixture(autouse=True)
def _folders_of_tiny_models(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
