"""Every page in both languages, with every model family, and with everything a reader may type or link."""

from __future__ import annotations

import ast
import itertools
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground import navigation
from playground.engine.models.catalogue import CAPABILITIES_OF_KIND
from playground.engine.models.shipped import trained_assets
from playground.settings import Settings
from playground.ui import show, state, warming
from playground.ui.particles import MARK
from playground.ui.translations import languages
from tests import tiny
from tests.pages.conftest import OpenApp

PAGES = [page.name for page in navigation.PAGES]
LINKS = {
    "prompting": {"pro_shots": "0"},  # tiny models read 128 tokens: a prompt with examples is too long
    "retrieval": {"ret_panel": "search"},  # the panel before it shows no model
}
READ_NOTHING = (  # at first no model reads the sentence there
    "seq2seq", "pretraining", "memory", "scaling", "tasks", "evaluation", "retrieval", "alignment",
    "agents", "lifecycle", "classroom",
)  # fmt: skip
NO_CODE = ("classroom",)  # its picture is of people: no script gives it again, and no file leaves it
NO_MODEL = ("scaling", "lifecycle")  # its code fits a law to the points that stand in it
HOSTILE = {
    "markup": "</script><script>alert(1)</script> ![](http://x)",
    "formula and directive": "$E=mc^2$ and $$x$$ :red[x] :material/home: :smile:",
    "template": "{0} {name} %s %(x)s",
    "joined emoji, right to left": "👨‍👩‍👧‍👦 🏳️‍🌈 e\u0301 שלום \u202eabc\u202c مرحبا",
    "control": "a\x00b\x1b[31mc\x7f",
    "blank": " \t\n ",
    "spaces": "   ",
    "empty": "",
    "one": "a",
    "one emoji": "😀",
    "combining": "Z" + "\u0301" * 500,
    "2,000 emoji": "😀" * 2_000,
    "100,000": "a" * 100_000,
}


def messages(app: AppTest) -> list[str]:
    return [box.value for box in (*app.error, *app.warning)]


def pictures(app: AppTest) -> list[str]:
    """What a page shows of its own; the lesson and the frame have none of these."""
    kinds = ("bidi_component", "vega_lite_chart", "arrow_data_frame", "iframe")
    return [kind for kind in kinds for _one in app.main.get(kind)]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_draws_nothing_is_noticed(
    page: str, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard of what the tests below ask of a page."""
    monkeypatch.setattr(f"playground.ui.{page}.page.draw", lambda context: ((), None))
    app = open_app(page, lang="ko", text="The cat sat on the mat")
    assert not app.exception
    assert not pictures(app)
    assert not app.error


def settled(app: AppTest) -> AppTest:
    """The page once the models and documents that it waits for are in memory, as a browser asks again."""
    until = time.monotonic() + 120
    while not pictures(app) and not app.error and time.monotonic() < until:
        time.sleep(0.5)
        app.run()
    return app


@pytest.mark.parametrize(("language", "model"), list(zip(itertools.cycle(languages()), tiny.FAMILIES)))
@pytest.mark.parametrize("page", PAGES)
def test_page_runs_with_every_family(page: str, language: str, model: str, open_app: OpenApp) -> None:
    app = open_app(page, lang=language, model=model, text="The cat sat on the mat", **LINKS.get(page, {}))
    assert not app.exception
    assert pictures(settled(app)) or app.error, "a picture, or why this model has none"
    assert app.main.markdown[-1].value.startswith("## "), "the lesson can be read"


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("page", PAGES)
def test_page_survives_any_text(page: str, name: str, open_app: OpenApp) -> None:
    # Korean is the language whose sentences put words elsewhere
    app = open_app(page, lang="ko", text=HOSTILE[name], **LINKS.get(page, {}))
    assert not app.exception
    too_long = len(HOSTILE[name]) > state.settings().max_text_chars
    if too_long:
        assert len(messages(app)) >= 1
    elif HOSTILE[name].strip():
        assert pictures(settled(app)) or app.error, "a picture, or what is wrong with the text"


@pytest.mark.parametrize("page", PAGES)
def test_page_tells_what_of_a_link_it_cannot_follow_and_keeps_the_rest(page: str, open_app: OpenApp) -> None:
    app = open_app(page, lang="tlh", model="../../etc/passwd", text="Hello there", **LINKS.get(page, {}))
    assert not app.exception
    sentences = " ".join(messages(app))
    assert "tlh" in sentences
    assert "passwd" in sentences
    assert app.text_area(key="text").value == "Hello there"
    assert app.selectbox(key="model_choice").value == state.settings().default_model


@pytest.mark.parametrize("page", PAGES)
def test_page_speaks_the_language_of_the_link(page: str, open_app: OpenApp) -> None:
    english, korean = (
        open_app(page, lang=language, **LINKS.get(page, {})).markdown[0].value for language in languages()
    )
    assert english != korean
    assert any("가" <= letter <= "힣" for letter in korean)


@pytest.mark.parametrize("page", PAGES)
def test_an_example_becomes_the_sentence(page: str, open_app: OpenApp) -> None:
    app = open_app(page, lang="en", **LINKS.get(page, {}))
    app.button_group(key="example").set_value("code").run()
    assert not app.exception
    assert app.text_area(key="text").value.startswith("def add")
    assert app.button_group(key="example").value is None


@pytest.mark.parametrize("page", [page for page in PAGES if page not in (*NO_CODE, *NO_MODEL)])
def test_the_code_shown_reads_models_of_this_machine(
    page: str, open_app: OpenApp, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without internet, a model is a folder: code that names one of the hub would not run."""
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
    shown: list[str] = []
    code = show.code

    def seen(name: str, **values: object) -> str:
        script = code(name, **values)
        shown.append(script)
        return script

    monkeypatch.setattr(show, "code", seen)
    under = show.under_picture

    def opened(name: str, *, code: Any, **values: Any) -> None:
        under(name, code=code() if callable(code) else code, **values)

    monkeypatch.setattr(show, "under_picture", opened)
    assert not open_app(page, text="The cat sat on the mat", **LINKS.get(page, {})).exception
    told = [
        line
        for script in shown
        for lines in (r"^(?:\w*folder|file) = (.*)$", r"'folder': ('[^']*')")
        for line in re.findall(lines, script, re.MULTILINE)
    ]
    assert told
    for one in told:
        path = Path(ast.literal_eval(one)).expanduser()
        assert path.is_absolute(), one
        assert path.is_relative_to(tiny_settings.cache_dir) or path.is_relative_to(trained_assets())


def strings(value: object) -> list[str]:
    """Every string of a JSON value; bytes above their character count as one."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    if isinstance(value, list):
        if len(value) == 2 and str(value[1]).startswith("("):
            return [" ".join(value)]
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("page", PAGES)
def test_korean_page_shows_whole_characters_and_chosen_particles(page: str, open_app: OpenApp) -> None:
    beside = {
        "playground.token_chips",
        "playground.token_rows",
        "playground.journey",
    }  # drawn under characters
    app = open_app(page, lang="ko", model=tiny.LLAMA, text="대한민국의 수도는", **LINKS.get(page, {}))
    assert not app.exception
    shown: list[str] = [option for box in (*app.selectbox, *app.radio) for option in box.options]
    for element in app.get("bidi_component"):
        sent = strings(json.loads(element.proto.json or "null"))
        assert not MARK.search(" ".join(sent)), "a particle that nothing has chosen"
        if element.proto.component_name not in beside:
            shown += sent
    for one in (*app.markdown, *app.caption):
        assert not MARK.search(one.value), one.value
        pairs = re.findall(r"`([^`]+)`|\*\*([^*]+)\*\*", one.value.replace("\\", ""))
        shown += [text for pair in pairs for text in pair]
    alone = [text for text in shown if re.fullmatch(r"(\d+: )?(?=.*[A-F])[0-9A-F]{2}( [0-9A-F]{2})*", text)]
    assert not alone


@pytest.fixture
def of_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tiny model was trained on English."""
    ready = warming.model_when_ready

    def made(entry: Any, **asked: Any) -> Any:
        info = ready(entry, **asked)
        return info and replace(info, languages=("en",))

    monkeypatch.setattr(warming, "model_when_ready", made)


def unread(app: AppTest) -> list[str]:
    """The lines that say which language the model was not trained on."""
    return [one.value for one in app.markdown if one.value.startswith(":material/translate:")]


@pytest.mark.parametrize(("language", "text"), [("ko", "대한민국의 수도는"), ("en", "The capital")])
@pytest.mark.parametrize("page", PAGES)
def test_a_language_that_the_model_was_not_trained_on_is_told_once_on_every_page(
    page: str, language: str, text: str, open_app: OpenApp, of_english: None
) -> None:
    app = open_app(page, lang=language, text=text, **LINKS.get(page, {}))
    assert not app.exception
    told = unread(app)
    assert len(told) == (language == "ko" and page not in READ_NOTHING)
    others = [button.label for button in app.button if str(button.key).startswith("switch_to_")]
    if others:  # trained on Korean, embedded, an encoder
        assert len(others) == 1
        assert "E5" in others[0]
        assert set(navigation.BY_NAME[page].needs) <= CAPABILITIES_OF_KIND["encoder"]
    else:
        able = "KLUE" if page == "masked" else "Qwen3 0"  # trained on Korean, and can do what the page shows
        assert all(able in one for one in told)


@pytest.mark.parametrize("model", [tiny.BERT, tiny.T5])
@pytest.mark.parametrize(("text", "n_told"), [("대한민국의 수도는", 1), ("The capital", 0)])
def test_a_language_is_told_of_an_encoder_and_of_an_encoder_decoder_too(
    model: str, text: str, n_told: int, open_app: OpenApp, of_english: None
) -> None:
    app = open_app("attention", lang="en", model=model, text=text)
    assert not app.exception
    assert len(unread(app)) == n_told
    others = [button.label for button in app.button if str(button.key).startswith("switch_to_")]
    assert all(model.removeprefix("tiny/") in one and "not trained on Korean" in one for one in unread(app))
    assert ["E5" in one for one in others] == [True] * n_told
    assert pictures(app), "what the model makes of it is drawn all the same"
