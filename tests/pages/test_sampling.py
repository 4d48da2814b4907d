"""The sampling page on a tiny model: settings from the link, generation, tasks, and the code it shows."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.penalties import Penalties
from playground.core.ranking import rank
from playground.core.sampling import GREEDY, Sampling, distribution
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui.components.sampler import valid
from playground.ui.sampling.settings import DEFAULT
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.sampled import TEXT, run_code, scored, written
from tests.pages.shown import drawn
from tests.pages.test_every_page import HOSTILE


def sent_to_browser(app: AppTest) -> dict[str, Any]:
    """The JSON head of the sampler's data."""
    return drawn(app, "sampler")[0]


def test_settings_of_the_link_reach_the_sliders(open_app: OpenApp) -> None:
    link = {"sam_temperature": "1.5", "sam_top_k": "40", "sam_top_p": "0.8", "sam_min_p": "0.05"}
    link |= {"sam_typical_p": "0.9", "sam_order": "llama.cpp"}
    app = open_app("sampling", text=TEXT, **link)
    assert not app.exception
    assert not app.warning
    assert sent_to_browser(app)["settings"] == asdict(Sampling(1.5, 40, 0.8, 0.05, 0.9, "llama.cpp"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "hot"),
        ("temperature", "-1"),
        ("temperature", "inf"),
        ("temperature", "nan"),
        ("top_k", "2.5"),
        ("top_k", "-3"),
        ("top_k", "9" * 5_000),
        ("top_p", "0"),
        ("top_p", "1.1"),
        ("min_p", "</script><script>"),
        ("typical_p", "0"),
        ("order", "alphabetical"),
    ],
)
def test_a_value_that_cannot_be_gives_one_sentence_and_the_default(
    name: str, value: str, open_app: OpenApp
) -> None:
    app = open_app("sampling", text=TEXT, **{"sam_min_p": "0.1", f"sam_{name}": value})
    assert not app.exception
    assert len(app.warning) == 1
    expected = DEFAULT if name == "min_p" else replace(DEFAULT, min_p=0.1)
    assert sent_to_browser(app)["settings"] == asdict(expected)


@pytest.mark.parametrize(
    ("name", "least", "default", "most"),
    [("sam_seed", 0, 0, 2**32 - 1), ("sam_max_new_tokens", 1, 32, 128)],
)
@pytest.mark.parametrize("value", ["x", "-1", "1e99", "99999999999999999999"])
def test_a_number_of_the_link_that_cannot_be_is_the_nearest_or_the_default(
    name: str, least: int, default: int, most: int, value: str, open_app: OpenApp
) -> None:
    app = open_app("sampling", text=TEXT, **{name: value})
    assert not app.exception
    assert app.number_input(key=name).value == {"x": default, "-1": least}.get(value, most)


def test_same_settings_send_the_same_bytes_again(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT)
    first = app.get("bidi_component")
    again = app.run().get("bidi_component")
    assert [element.proto.bytes for element in first] == [element.proto.bytes for element in again]


def test_generate_continues_the_text_as_the_engine_does(open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    app = open_app("sampling", text=TEXT, sam_seed="7", sam_max_new_tokens="9", sam_temperature="0.8")
    app.button(key="sam_start").click().run()
    assert not app.exception
    request = GenerateRequest(
        sampling=Sampling(temperature=0.8, top_p=DEFAULT.top_p),
        model=tiny.LLAMA,
        text=TEXT,
        seed=7,
        max_new_tokens=9,
    )
    steps = list(tiny_engine.get(timeout_s=180).generate(request))
    run = app.session_state["sam_run"]
    assert [token.token_id for token in run.tokens] == [step.token_id for step in steps]
    assert app.text[0].value == f"{TEXT}│{''.join(step.text for step in steps)}"
    assert run.finish == steps[-1].finish_reason


def test_token_by_token_and_then_on_gives_what_one_run_gives(open_app: OpenApp) -> None:
    link = {"text": "서울은", "sam_seed": "7", "sam_max_new_tokens": "9", "sam_temperature": "0.8"}
    whole = open_app("sampling", **link)
    whole.button(key="sam_start").click().run()
    app = open_app("sampling", **link)
    assert app.button(key="sam_go_on").disabled
    for n in (1, 2, 3):
        app.button(key="sam_step").click().run()
        assert not app.exception
        assert len(app.session_state["sam_run"].tokens) == n
        assert any("Not ended yet" in one.value for one in app.caption)
    app.button(key="sam_go_on").click().run()
    run, expected = app.session_state["sam_run"], whole.session_state["sam_run"]
    assert [one.token_id for one in run.tokens] == [one.token_id for one in expected.tokens]
    assert (run.text, run.finish) == (expected.text, expected.finish)
    assert app.button(key="sam_go_on").disabled
    app.button(key="sam_step").click().run()
    assert len(app.session_state["sam_run"].tokens) == 1, "a finished text begins anew"


def test_exact_says_so(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_max_new_tokens="4", sam_exact="true")
    app.button(key="sam_start").click().run()
    assert any("alone in its batch" in one.value for one in app.caption)
    assert app.session_state["sam_run"].goes_on["alone"]


def test_generating_code_goes_on_from_what_was_written(
    folder: str, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    values = {"temperature": 0.9, "top_p": 1.0, "presence_penalty": 1.0, "seed": 5}
    found, _printed = run_code(
        "generating", tmp_path, folder=folder, text=TEXT, n_tokens=6, written=[7, 9, 7], **values
    )
    request = GenerateRequest(
        tiny.LLAMA, TEXT, sampling=Sampling(0.9), penalties=Penalties(presence_penalty=1.0),
        written=(7, 9, 7), max_new_tokens=6, seed=5,
    )  # fmt: skip
    steps = list(tiny_engine.get(timeout_s=180).generate(request))
    new_ids = found["input_ids"][0, found["prompt_length"] :].tolist()
    assert new_ids == [7, 9, 7, *(step.token_id for step in steps)]


def test_penalties_reach_the_engine_and_every_token_has_its_expectations(
    open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    link = {"sam_max_new_tokens": "9", "sam_temperature": "0", "sam_repetition": "2.5", "sam_presence": "1.0"}
    app = open_app("sampling", text=TEXT, **link)
    app.button(key="sam_start").click().run()
    assert not app.exception
    request = GenerateRequest(
        tiny.LLAMA,
        TEXT,
        sampling=GREEDY,
        penalties=Penalties(repetition_penalty=2.5, presence_penalty=1.0),
        max_new_tokens=9,
    )
    steps = list(tiny_engine.get(timeout_s=180).generate(request))
    sent = scored(app)
    assert sent["bits"] == pytest.approx([-step.logprob / math.log(2) for step in steps], abs=1e-3)
    assert sent["ranks"] == [step.rank + 1 for step in steps]
    for step, expected in zip(steps, sent["expected"], strict=True):
        probs = np.exp(step.top_logits[:5] - step.log_sum_exp)
        assert [p for _label, p in expected] == pytest.approx(probs.tolist(), abs=1e-5)


@pytest.mark.parametrize("panel", ["many", "text", "guess", "beam", "compare"])
@pytest.mark.parametrize("name", HOSTILE)
def test_every_panel_survives_any_text_in_korean(panel: str, name: str, open_app: OpenApp) -> None:
    app = open_app("sampling", lang="ko", text=HOSTILE[name], sam_panel=panel, sam_many_tokens="4")
    assert not app.exception
    if panel == "many" and any(button.key == "sam_many" for button in app.button):
        app.button(key="sam_many").click().run()
        assert not app.exception
        assert all(written(app))


def test_a_new_sentence_puts_the_old_continuation_away(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_max_new_tokens="3")
    app.button(key="sam_start").click().run()
    assert app.text[0].value.startswith(f"{TEXT}│")
    app.text_area(key="text").set_value("The dog").run()
    assert not app.exception
    assert not [text for text in app.text if "│" in text.value]


def test_tasks_are_checked_against_the_model(open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    trace = tiny_engine.get(timeout_s=180).trace(
        TraceRequest(model=tiny.LLAMA, text=TEXT, capture=Capture(logits="last"))
    )
    assert trace.logits is not None
    ranked = rank(trace.logits[-1])
    probs = distribution(ranked).probs
    five = float(probs[:5].sum() - probs[4] / 2)
    app = open_app("sampling", text=TEXT, sam_top_p=f"{five:.6f}")
    assert ("sampling", "five") in app.session_state["solved_tasks"]
    app.number_input(key="task_sampling_entropy").set_value(round(distribution(ranked).entropy_bits, 1)).run()
    assert ("sampling", "entropy") in app.session_state["solved_tasks"]
    app.number_input(key="task_sampling_entropy").set_value(99.0).run()
    assert any(caption.value.startswith("Solved before") for caption in app.caption)


@pytest.mark.parametrize("values", [{}, {"temperature": 1}, None])
def test_half_a_setting_from_the_browser_is_refused(values: dict[str, Any] | None) -> None:
    assert valid(values or {}, 100) is None


def test_vllm_has_no_typical_p(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_order="vllm", sam_typical_p="0.5")
    assert not app.exception
    assert sent_to_browser(app)["settings"] == asdict(replace(DEFAULT, order="vllm"))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1, 1e400, "x", None, [], True + 5])
@pytest.mark.parametrize("name", asdict(DEFAULT))
def test_a_forged_setting_from_the_browser_is_refused(name: str, bad: object) -> None:
    values = asdict(DEFAULT) | {name: bad}
    if name == "top_k" and bad == 6:
        assert valid(values, 100) is not None
        assert valid(values, 5) is None
    else:
        assert valid(values, 100) is None


@pytest.fixture
def folder(tiny_settings: Settings) -> str:
    return str(tiny_settings.cache_dir / "models" / tiny.LLAMA.replace("/", "--"))
