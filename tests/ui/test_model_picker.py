"""The choice of the model: what is here at hand, the others behind a button, by what they read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from playground.engine.contract.models import ModelInfo, State
from playground.engine.models.catalogue import catalogue
from playground.settings import DATES_MODEL, DEFAULT_DECODER, DEFAULT_ENCODER, MULTILINGUAL_ENCODER, Settings
from playground.ui import compute, download

EMBEDDED = [DEFAULT_DECODER, DEFAULT_ENCODER, MULTILINGUAL_ENCODER, DATES_MODEL]
KLUE, QWEN, GEMMA = "klue/bert-base", "Qwen/Qwen3-0.6B", "google/gemma-3-270m-it"


def infos(states: dict[str, State]) -> list[ModelInfo]:
    return [
        ModelInfo(
            one.model_id, one.name, one.kind, one.family, one.capabilities, one.languages, one.licence, "1",
            states.get(one.model_id, "waiting" if one.source == "embedded" else "remote"),
        )
        for one in catalogue(Settings()).values()
    ]  # fmt: skip


def script(chosen: str, language: str, group: str) -> None:
    import streamlit as st

    from playground.engine.models.catalogue import catalogue
    from playground.settings import Settings
    from playground.ui import model_picker

    st.session_state["lang"] = language
    if group and "more_models_group" not in st.session_state:
        st.session_state["more_models_group"] = group
    known = catalogue(Settings())
    model_picker.draw(known, known[chosen])


Run = Callable[..., AppTest]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def start(
        known: list[ModelInfo] | None, chosen: str = DEFAULT_DECODER, language: str = "en",
        group: str = "", is_at_server: bool = True,
    ) -> AppTest:  # fmt: skip
        engine = None if known is None else SimpleNamespace(models=lambda: known)
        monkeypatch.setattr(compute, "running_engine", lambda: engine)
        monkeypatch.setattr(download, "is_at_server", lambda: is_at_server)
        app = AppTest.from_function(script, args=(chosen, language, group)).run()
        assert not app.exception
        return app

    return start


def opened(app: AppTest) -> AppTest:
    """The window with the others."""
    app.button[0].click().run()
    assert not app.exception
    return app


def at_hand(app: AppTest) -> list[str]:
    return list(app.selectbox(key="model_choice").options)


def names(model_ids: list[str]) -> list[str]:
    known = catalogue(Settings())
    return [known[model_id].name for model_id in model_ids]


def test_what_is_on_this_machine_is_at_hand_the_embedded_first(run: Run) -> None:
    app = run(infos({KLUE: "waiting", QWEN: "ready"}))
    assert at_hand(app) == names([*EMBEDDED, KLUE, QWEN])


def test_the_model_of_a_link_is_at_hand_wherever_it_is(run: Run) -> None:
    app = run(infos({}), chosen=GEMMA)
    assert at_hand(app) == names([*EMBEDDED, GEMMA])
    assert app.selectbox(key="model_choice").value == GEMMA


def test_what_failed_although_its_files_are_here_stays_at_hand(run: Run) -> None:
    known = [replace(one, state="failed", n_layer=12) if one.model_id == KLUE else one for one in infos({})]
    assert "KLUE BERT base" in at_hand(run(known))


def test_until_the_engine_knows_the_embedded_models_are_at_hand(run: Run) -> None:
    app = run(None)
    assert at_hand(app) == names(EMBEDDED)
    assert not app.button


def test_offline_nothing_is_offered_that_cannot_come(run: Run) -> None:
    hub: dict[str, State] = {
        one.model_id: "absent" for one in catalogue(Settings()).values() if one.source == "hub"
    }
    app = run(infos(hub))
    assert at_hand(app) == names(EMBEDDED)
    assert not app.button


@pytest.mark.parametrize(("language", "group", "first"), [
    ("en", "", "SmolLM2 135M"), ("ko", "", "KoGPT2 125M"),
    ("ko", "english", "SmolLM2 135M"), ("en", "many", "Qwen2.5 0.5B"),
])  # fmt: skip
def test_the_others_are_listed_by_what_they_read(run: Run, language: str, group: str, first: str) -> None:
    app = opened(run(infos({}), language=language, group=group))
    assert app.radio[0].options[0].replace("\\", "") == first


def test_a_row_says_size_languages_and_licence(run: Run) -> None:
    app = opened(run(infos({}), group="many"))
    said = "\n".join(app.radio[0].proto.captions).replace("\\", "")
    assert "decoder · 1,519 MB · 13 languages · Korean too · Apache-2.0 · chats" in said
    assert "decoder · 2,481 MB · 8 languages · Llama 3.2 Community · licence to accept first" in said
    assert "encoder · 1,125 MB · 30 languages · Korean too · MIT · fills gaps" in said


def test_choosing_one_makes_it_the_model(run: Run) -> None:
    app = opened(run(infos({}), language="ko"))
    app.radio[0].set_value(KLUE).run()
    assert app.session_state["model"] == KLUE


def test_a_student_reads_who_can_bring_one(run: Run) -> None:
    assert "ask your teacher" in opened(run(infos({}), is_at_server=False)).caption[0].value
    assert not opened(run(infos({}))).caption
