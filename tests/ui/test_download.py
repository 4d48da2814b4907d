"""Who may download a model, and the line that says that the model was not trained on the text's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from playground.engine.contract.models import Download, ModelInfo, State
from playground.engine.models.catalogue import catalogue
from playground.errors import HubUnreachable, Message
from playground.settings import DATES_MODEL, DEFAULT_DECODER, Settings
from playground.ui import compute, download, text
from playground.ui.unread_language import N_NAMED

KOREAN = "대한민국의 수도는"
QWEN, KOGPT, KLUE = "Qwen/Qwen3-0.6B", "skt/kogpt2-base-v2", "klue/bert-base"


ALL_ABSENT: dict[str, State] = {
    one.model_id: "absent" for one in catalogue(Settings()).values() if one.source == "hub"
}


def how_far(here_mb: int, total_mb: int, percent: float) -> Message:
    megabytes = Message("{here:,} / {total:,} MB", (("here", here_mb), ("total", total_mb)))
    return Message("{doing} ({percent:.0f} %)", (("doing", megabytes), ("percent", percent)))


@pytest.mark.parametrize(
    ("ip", "headers", "is_teacher"),
    [
        (None, {"Host": "127.0.0.1:8501"}, True),
        (None, {"Host": "localhost:8501"}, True),
        (None, {"Host": "[::1]:8501"}, True),
        ("10.0.0.7", {"Host": "127.0.0.1:8501"}, False),  # a line of the browser's own making
        (None, {"Host": "school.example"}, False),  # a proxy on this machine that says whom it was asked for
        (None, {"Host": "127.0.0.1:8501", "X-Forwarded-For": "10.0.0.7"}, False),
        (None, {"Host": "127.0.0.1:8501", "Forwarded": "for=10.0.0.7"}, False),
        (None, {}, False),
        (None, {"Host": "[::1"}, False),
    ],
)
def test_only_who_sits_at_the_server_may_download(
    ip: str | None, headers: dict[str, str], is_teacher: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "context", SimpleNamespace(ip_address=ip, headers=headers))
    assert download.is_at_server() is is_teacher


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "about 1 s left"), (89, "about 89 s left"), (150, "about 2 min left")]
)
def test_a_download_says_its_bytes_and_its_expected_time(seconds: float, words: str) -> None:
    info = replace(infos({})[0], message=how_far(12, 548, 2.2), download=Download(0.02, seconds))
    assert download.progress_words(info) == f"12 / 548 MB (2 %) · {words}"


def test_a_download_says_the_same_in_korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "language", lambda: "ko")
    info = replace(infos({})[0], message=how_far(12, 548, 2.2), download=Download(0.02, 150.0))
    assert download.progress_words(info) == "12 / 548 MB (2 %) · 약 2분 남음"
    asked = replace(info, message=None)
    assert download.progress_words(asked) == "모델 허브에 묻는 중"


# ---------------------------------------------------------------- the line


@dataclass
class Engine:
    """An engine of which only the states of its models are asked."""

    infos: list[ModelInfo]
    asked: list[tuple[str, str]] = field(default_factory=list)

    def owner_back(self, owner_id: str) -> None:
        pass

    @property
    def pretraining(self) -> SimpleNamespace:
        return SimpleNamespace(of=lambda _owner: [])

    def models(self) -> list[ModelInfo]:
        return self.infos

    def load(self, model_id: str) -> None:
        self.asked.append(("load", model_id))

    def stop_download(self, model_id: str) -> None:
        self.asked.append(("stop", model_id))


def infos(states: dict[str, State]) -> list[ModelInfo]:
    """The catalogue's models: the default one is ready, the others can be downloaded unless said."""
    return [
        ModelInfo(
            one.model_id, one.name, one.kind, one.family, one.capabilities, one.languages, one.licence, "1",
            states.get(one.model_id, "ready" if one.model_id == DEFAULT_DECODER else "remote"),
        )
        for one in catalogue(Settings()).values()
    ]  # fmt: skip


def script(text: str, model_id: str, language: str, needs: tuple[str, ...]) -> None:
    import streamlit as st

    from playground.ui import compute, unread_language

    st.session_state["lang"] = language
    model = next(info for info in compute.models() if info.model_id == model_id)
    unread_language.say(text, model, needs)  # type: ignore[arg-type]


Run = Callable[..., AppTest]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def start(
        engine: Engine, text: str = KOREAN, model: str = DEFAULT_DECODER, language: str = "en",
        needs: tuple[str, ...] = ("logits",), is_at_server: bool = True,
    ) -> AppTest:  # fmt: skip
        monkeypatch.setattr(compute, "shared_engine", lambda timeout_s=0.0: engine)
        monkeypatch.setattr(download, "is_at_server", lambda: is_at_server)
        app = AppTest.from_function(script, args=(text, model, language, needs)).run()
        assert not app.exception
        return app

    return start


def told(app: AppTest) -> str:
    return " ".join(one.value.replace("\\", "") for one in app.markdown)


def labels(app: AppTest) -> list[str]:
    return [button.label.replace("\\", "") for button in app.button]


def test_korean_text_and_an_english_model_name_those_that_can_do_what_the_page_needs(run: Run) -> None:
    said = told(run(Engine(infos({})), is_at_server=False))
    assert "SmolLM2 135M Instruct was not trained on Korean" in said
    assert "Models trained on it: KoGPT2 125M, Qwen2.5 0.5B, Qwen2.5 0.5B Instruct, Qwen3 0.6B Base" in said
    assert "KLUE" not in said, "an encoder gives no logits"
    assert "KLUE RoBERTa small" in told(run(Engine(infos({})), needs=("fill",), is_at_server=False))


def test_of_many_models_the_smallest_are_named_and_the_others_counted(run: Run) -> None:
    read = [one for one in catalogue(Settings()).values() if {"ko"} <= set(one.languages)]
    n = sum("logits" in one.capabilities and one.model_id != DATES_MODEL for one in read) - N_NAMED
    assert f" and {n} more." in told(run(Engine(infos({})), is_at_server=False))


def test_models_behind_a_licence_come_last(run: Run) -> None:
    said = told(run(Engine(infos({})), "ไทย", is_at_server=False))
    assert "Qwen2.5 0.5B, Qwen2.5 0.5B Instruct" in said
    assert "Llama" not in said


def test_the_line_in_korean_chooses_its_particles(run: Run) -> None:
    app = run(Engine(infos({QWEN: "waiting"})), language="ko")
    assert "SmolLM2 135M Instruct는 한국어를 배우지" in told(app)
    assert labels(app) == ["Qwen3 0.6B로 바꾸기"]


@pytest.mark.parametrize(
    ("text", "model"), [(KOREAN, QWEN), ("The capital", DEFAULT_DECODER), ("1 + 1 😀", DEFAULT_DECODER)]
)
def test_nothing_is_said_where_the_model_reads_it_or_nobody_knows(text: str, model: str, run: Run) -> None:
    app = run(Engine(infos({})), text, model)
    assert (len(app.markdown), len(app.button)) == (0, 0)


def test_without_a_model_that_reads_it_none_is_named(run: Run) -> None:
    app = run(Engine(infos({})), "საქართველოს დედაქალაქი")
    assert "Models trained on it" not in told(app)
    assert not app.button


@pytest.mark.parametrize("is_at_server", [True, False])
def test_a_model_on_this_machine_is_one_click_away_for_everybody(is_at_server: bool, run: Run) -> None:
    app = run(Engine(infos({QWEN: "waiting"})), is_at_server=is_at_server)
    assert labels(app) == ["Switch to Qwen3 0.6B"]
    app.button[0].click().run()
    assert app.session_state["model"] == QWEN


def test_a_teacher_may_have_one_brought(run: Run) -> None:
    engine = Engine(infos({}))
    app = run(engine)
    assert labels(app) == [
        "Download KoGPT2 125M (516 MB)",
        "Download Qwen2.5 0.5B (1,000 MB)",
        "Download Qwen2.5 0.5B Instruct (1,000 MB)",
    ]
    app.button[0].click().run()
    assert engine.asked == [("load", KOGPT)]


def test_a_student_reads_who_can_bring_one(run: Run) -> None:
    app = run(Engine(infos({})), is_at_server=False)
    assert not app.button
    assert "ask your teacher" in told(app)


@pytest.mark.parametrize("is_at_server", [True, False])
def test_offline_it_is_said_at_once(is_at_server: bool, run: Run) -> None:
    app = run(Engine(infos(ALL_ABSENT)), is_at_server=is_at_server)
    assert not app.button
    assert "HF_HUB_OFFLINE" in told(app)


@pytest.mark.parametrize("is_at_server", [True, False])
def test_a_download_is_seen_by_all_and_stopped_by_who_may_start_it(is_at_server: bool, run: Run) -> None:
    known = [
        replace(one, state="loading", message=how_far(12, 1503, 0.8), download=Download(0.01, 600))
        if one.model_id == QWEN
        else one
        for one in infos({})
    ]
    engine = Engine(known)
    app = run(engine, is_at_server=is_at_server)
    assert "12 / 1,503 MB (1 %) · about 10 min left" in told(app)
    assert len(app.button) == is_at_server
    if is_at_server:
        app.button[0].click().run()
        assert engine.asked == [("stop", QWEN)]


def test_a_download_that_failed_says_why_and_can_be_tried_again(run: Run) -> None:
    known = [
        replace(one, state="failed", message=HubUnreachable(model_id=QWEN).message)
        if one.model_id == QWEN
        else one
        for one in infos(ALL_ABSENT)
    ]
    engine = Engine(known)
    app = run(engine)
    assert "check the internet connection" in app.error[0].value
    assert labels(app) == ["Try again"]
    app.button[0].click().run()
    assert engine.asked == [("load", QWEN)]
    assert not run(Engine(known), is_at_server=False).error
