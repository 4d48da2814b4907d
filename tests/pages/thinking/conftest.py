"""Tiny models with room for the prompts of the panel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.core.few_shot import Example, PromptTask
from playground.engine.contract.generation import GenerateRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui.prompting import task_files
from tests import tiny
from tests.pages.shown import folder
from tests.pages.thinking.thought import (
    CHAT,
    NO_CHAT,
    TEMPLATE,
)


@pytest.fixture(scope="module")
def tiny_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The tiny models with room for the page's prompts; the llama has a chat template."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "N_CTX", 1_024)
        settings = tiny.make(tmp_path_factory.mktemp("thinking"))
    (Path(folder(settings, CHAT)) / "chat_template.jinja").write_text(TEMPLATE, "utf-8")
    return settings


@pytest.fixture(scope="module")
def tiny_engine(tiny_settings: Settings) -> Iterator[SharedEngine]:
    shared = SharedEngine(tiny_settings)
    engine = shared.get(timeout_s=180)
    for model in (CHAT, NO_CHAT):
        list(engine.generate(GenerateRequest(model, "a", max_new_tokens=1)))
    yield shared
    shared.close()


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> list[Example]:
    """Three short ones; a test may give them the labels it likes."""
    items = [Example("3 + 4", "7"), Example("the cat 2 the dog", "5"), Example("0 1 2 3", "4")]
    real = task_files.task

    def task(task_id: str, language: str) -> PromptTask:
        return PromptTask("", "", "", tuple(items)) if task_id == "problems" else real(task_id, language)

    monkeypatch.setattr(task_files, "task", task)
    return items
