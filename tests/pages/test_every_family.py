"""Every page with a tiny model of every family: what it can show, or why it cannot; never a raw error."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from playground import navigation
from playground.engine import process
from playground.engine.models.catalogue import catalogue
from playground.engine.models.families.table import FAMILIES
from playground.settings import Settings
from playground.ui.translations import languages
from tests import families
from tests.pages.conftest import OpenApp
from tests.pages.test_every_page import messages, pictures

NARROW = "tiny/electra-narrow"  # its embeddings have half the width of its states
VIEWS = ("neighbours", "training", "analogy", "context", "sentences")
MODELS = tuple(f"tiny/{family}-plain" for family in FAMILIES)
PAGES = [page.name for page in navigation.PAGES]


@pytest.fixture(scope="module")
def tiny_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings that allow one tiny model of every family."""
    made = families.make(tmp_path_factory.mktemp("families"), (*MODELS, NARROW))
    return made.model_copy(update={"default_encoder": "tiny/bert-plain"})


@pytest.fixture(scope="module")
def tiny_engine(tiny_settings: Settings) -> Iterator[process.SharedEngine]:
    """An engine with these models in memory."""
    shared = process.SharedEngine(tiny_settings)
    engine = shared.get(timeout_s=180)
    for model_id in tiny_settings.extra_models:
        engine.load(model_id)
    deadline = time.monotonic() + 180
    while any(
        info.state != "ready" for info in engine.models() if info.model_id in tiny_settings.extra_models
    ):
        assert time.monotonic() < deadline, engine.models()
        time.sleep(0.05)
    yield shared
    shared.close()


@pytest.mark.parametrize(("language", "model"), list(zip(itertools.cycle(languages()), MODELS)))
@pytest.mark.parametrize("page", PAGES)
def test_page_is_drawn_or_says_in_one_sentence_what_the_model_lacks(
    page: str, language: str, model: str, open_app: OpenApp, tiny_settings: Settings
) -> None:
    app = open_app(page, lang=language, model=model, text="The cat sat on the mat", pro_shots="0")
    assert not app.exception
    assert app.selectbox(key="model_choice").value == model
    assert app.main.markdown[-1].value.startswith("## "), "the lesson can be read"
    lacks = set(navigation.BY_NAME[page].needs) - catalogue(tiny_settings)[model].capabilities
    assert bool(pictures(app)) == (not lacks)
    if page != "prompting":  # whose shortest prompt is too long for these models, and it says so
        assert len(messages(app)) == bool(lacks), messages(app)


@pytest.mark.parametrize("view", VIEWS)
def test_embeddings_narrower_than_the_model_are_drawn_in_every_view(view: str, open_app: OpenApp) -> None:
    words = dict(zip(("emb_a", "emb_b", "emb_c", "emb_d"), ("the", "cat", "on", "mat"), strict=True))
    words["emb_words"] = "the, cat\nmat, on"
    app = open_app("embeddings", model=NARROW, text="The cat sat on the mat", emb_view=view, **words)
    assert not app.exception
    assert pictures(app)
    assert not messages(app)
    if view == "analogy":
        assert any("among all tokens" in one.value for one in app.markdown)
