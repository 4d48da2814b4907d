"""An empty sentence: panels that are about it say so in one line, all others work as with one."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from playground.errors import EmptyText, TextTooLong
from playground.ui.state import settings
from tests import tiny
from tests.pages.conftest import OpenApp

EMPTY = ["", "   ", " \t\n "]
LINE = EmptyText.msgid
WHOLLY = ("home", "attention", "inside")  # pages whose every picture is about the sentence


def lines(app: AppTest) -> int:
    """How often the page says that a sentence is missing."""
    assert not app.exception
    return sum(box.value == LINE for box in app.info)


def troubles(app: AppTest) -> list[str]:
    return [box.value for box in (*app.error, *app.warning)]


def n_pictures(app: AppTest) -> int:
    """Charts and components, without the buttons that save and share them."""
    names = [element.proto.component_name for element in app.get("bidi_component")]
    buttons = ("playground.save_picture", "playground.share")
    return len(app.get("vega_lite_chart")) + sum(name not in buttons for name in names)


@pytest.mark.parametrize("text", EMPTY)
@pytest.mark.parametrize("page", WHOLLY)
def test_a_page_about_the_sentence_says_so_once_and_keeps_its_lesson(
    page: str, text: str, open_app: OpenApp
) -> None:
    app = open_app(page, text=text)
    assert (lines(app), troubles(app)) == (1, [])
    assert app.markdown[-1].value.startswith("## More about it")


@pytest.mark.parametrize("text", EMPTY)
@pytest.mark.parametrize(
    ("page", "link", "n_lines", "n_missing"),
    [
        ("prompting", {"pro_shots": "0"}, 0, 0),
        (
            "prompting",
            {"pro_shots": "0", "pro_panel": "chat"},
            0,
            1,
        ),  # an empty message has a line of its own
        ("prompting", {"pro_shots": "0", "pro_panel": "library"}, 0, 0),
        ("finetuning", {}, 0, 0),
        ("finetuning", {"fin_panel": "weights"}, 0, 0),
        ("embeddings", {}, 1, 1),
        ("embeddings", {"emb_word": "the"}, 1, 1),
        ("embeddings", {"emb_view": "analogy"}, 0, 0),
        ("embeddings", {"emb_view": "training"}, 0, 0),
        ("embeddings", {"emb_view": "context"}, 0, 0),
        ("embeddings", {"emb_view": "sentences"}, 0, 0),
        ("positions", {}, 3, 3),  # the ribbon, the clocks, the shuffled words
        ("positions", {"pos_far": "true"}, 4, 4),
        ("tokenization", {}, 3, 4),  # the ribbon and the rows, the ladder, what stands around the text
        ("tokenization", {"tok_source": "textbook"}, 3, 4),
        ("tokenization", {"tok_source": "sentence"}, 4, 7),
        ("sampling", {}, 1, 4),
        ("sampling", {"sam_panel": "guess"}, 1, 4),
    ],
)
def test_only_panels_about_the_sentence_say_so_and_all_others_work(
    page: str, link: dict[str, str], n_lines: int, n_missing: int, text: str, open_app: OpenApp
) -> None:
    app = open_app(page, text=text, **link)
    assert lines(app) == n_lines
    whole = open_app(page, text="The cat sat on the mat", **link)
    assert troubles(app) == troubles(whole)
    assert n_pictures(whole) - n_pictures(app) == n_missing


@pytest.mark.parametrize("page", ["positions", "tokenization", "prompting", "finetuning", "embeddings"])
def test_a_text_that_is_too_long_leaves_the_other_panels(page: str, open_app: OpenApp) -> None:
    link = {"pro_shots": "0"} if page == "prompting" else {}
    limit = settings().max_text_chars
    app = open_app(page, text="a" * (limit + 1), **link)
    assert not app.exception
    told = TextTooLong(limit=limit, got=limit + 1)
    n_lines = sum(box.value.replace("\\", "") == str(told) for box in app.error)
    assert len(app.error) == n_lines
    assert n_lines == 1 + lines_of_empty(page, open_app, link), "once for the page"


def lines_of_empty(page: str, open_app: OpenApp, link: dict[str, str]) -> int:
    return lines(open_app(page, text="", **link))


def test_my_sentence_is_no_query_while_there_is_none(open_app: OpenApp) -> None:
    for text, is_offered in (("", False), ("The cat", True)):
        app = open_app("prompting", text=text, pro_shots="0")
        options = app.selectbox(key="pro_query_choice").options
        assert any(str(one).startswith("my sentence") for one in options) == is_offered


@pytest.mark.parametrize("model", tiny.FAMILIES)
@pytest.mark.parametrize("page", ["tokenization", "positions", "embeddings"])
def test_every_family_of_models_can_do_without_a_sentence(page: str, model: str, open_app: OpenApp) -> None:
    app = open_app(page, text="", model=model)
    assert not app.exception
    assert not app.error
