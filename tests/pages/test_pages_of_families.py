"""Pages that look into a model, with a tiny one of every family: a picture, or why there is none."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from playground.engine import process
from playground.settings import Settings
from tests import families
from tests.pages.conftest import OpenApp
from tests.pages.test_every_page import pictures

MODELS = tuple(one for one in families.VARIANTS if one.endswith("-plain") or one == "tiny/electra-narrow")
OPENED = (
    ("attention", {"att_panel": "row"}),
    ("attention", {"att_panel": "flow"}),
    ("inside", {}),
    ("embeddings", {"emb_panel": "analogy"}),
    ("positions", {}),
    ("sampling", {}),
    ("families", {}),
)


@pytest.fixture(scope="module")
def tiny_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return families.make(tmp_path_factory.mktemp("families"), MODELS)


@pytest.fixture(scope="module")
def tiny_engine(tiny_settings: Settings) -> Iterator[process.SharedEngine]:
    shared = process.SharedEngine(tiny_settings)
    yield shared
    shared.close()


@pytest.mark.parametrize(("page", "link"), OPENED, ids=lambda one: one if isinstance(one, str) else "")
@pytest.mark.parametrize("model", MODELS)
def test_a_page_draws_what_a_family_gives_and_says_what_it_does_not(
    model: str, page: str, link: dict[str, str], tiny_engine: process.SharedEngine, open_app: OpenApp
) -> None:
    tiny_engine.get(timeout_s=180).load(model)
    app = open_app(page, model=model, text="The cat sat on the mat", **link)
    deadline = time.monotonic() + 30
    while not (pictures(app) or app.error) and time.monotonic() < deadline:
        app.run()  # the model is being loaded
    assert not app.exception
    assert pictures(app) or app.error, "a picture, or why this family has none"
    assert app.error or any("Take away" in box.value for box in app.info), "the rest of the page is there"
    wholly = ("attention", "inside", "embeddings", "positions", "families")
    assert page not in wholly or not app.error, "what one panel cannot show ends no page"
