"""The home page on tiny models of four families: it draws what the model computed and what its code gives."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from playground import navigation
from playground.core import journey
from playground.core.inside import log_probabilities
from playground.core.next_characters import AT_ONCE, first_character
from playground.core.pieces import bytes_of
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui import next_characters, show, warming
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import run_code, run_script

TEXT = "The cat sat on the mat"
CODE = {tiny.LLAMA: "home", tiny.GPT2: "home", tiny.BERT: "home_encoder", tiny.T5: "home_encoder_decoder"}


def drawn(app: AppTest) -> dict[str, Any]:
    """What the picture got."""
    assert not app.exception
    found = (element.proto for element in app.get("bidi_component"))
    return dict(
        json.loads(next(proto.json for proto in found if proto.component_name == "playground.journey"))
    )


@pytest.mark.parametrize("text", [TEXT, "a", "the cat", "<|endoftext|> 서울은 😀"])
@pytest.mark.parametrize("model", tiny.FAMILIES)
def test_code_shown_gives_the_numbers_shown(
    model: str, text: str, open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    shown = drawn(open_app("home", model=model, text=text))
    folder = tiny_settings.cache_dir / "models" / model.replace("/", "--")
    own = run_code(CODE[model], tmp_path, folder=str(folder), text=text)
    note = shown["stations"][3]["note"]
    assert note == f"layer {own['layer'] + 1}, head {own['head'] + 1}", "pages count from 1, code from 0"
    weights = own["looks"][own["layer"], own["head"]].numpy()
    rows = [row for row in shown["rows"] if row["kind"] != "gap"]
    for row in rows:
        position = int(row["about"].split("token ")[-1].split(" of")[0]) - 1
        assert row["weight"] == pytest.approx(weights[position], abs=1e-5)
        np.testing.assert_allclose(row["values"], own["embedding"][position, :8].numpy(), atol=1e-4)
    assert sum(row["weight"] for row in shown["rows"]) == pytest.approx(1, abs=1e-5)
    if model == tiny.BERT:
        np.testing.assert_allclose(
            [v["value"] for v in shown["vector"]], own["sentence"][:8].numpy(), atol=1e-5
        )
        return
    probs = np.sort(own["probs"].numpy())[::-1]
    np.testing.assert_allclose([row["p"] for row in shown["next"][:-1]], probs[: journey.N_NEXT], atol=1e-5)
    assert sum(row["p"] for row in shown["next"]) == pytest.approx(1, abs=1e-9)


def test_one_forward_a_text_and_none_for_a_click(open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    engine = tiny_engine.get(timeout_s=180)
    before = engine.stats().n_forwards
    app = open_app("home", text="a sentence nobody has typed before")
    assert engine.stats().n_forwards == before + 1
    app.session_state["token"] = "2"
    app.run()
    (selected,) = (row for row in drawn(app)["rows"] if row["selected"])
    assert "token 3 of" in selected["about"]
    assert engine.stats().n_forwards == before + 1


def test_long_text_is_read_whole_and_says_that_attention_is_not_drawn(
    open_app: OpenApp, tiny_engine: SharedEngine, tiny_settings: Settings
) -> None:
    text = "the cat sat " * 25
    engine = tiny_engine.get(timeout_s=180)
    n_tokens = len(engine.tokenizers.tokenize(tiny.LLAMA, text, add_special_tokens=True))
    assert n_tokens > tiny_settings.max_tokens_all_heads
    app = open_app("home", text=text)
    shown = drawn(app)
    assert shown["stations"][3]["note"] == "not drawn for this text"
    assert f"up to {tiny_settings.max_tokens_all_heads} tokens" in app.markdown[1].value
    assert [row["weight"] for row in shown["rows"]] == [None] * journey.N_ROWS
    assert shown["rows"][0]["label"] == f"⋯ {n_tokens - journey.N_ROWS + 1} tokens"
    whole = journey.next_tokens(
        engine.trace(TraceRequest(model=tiny.LLAMA, text=text, capture=Capture(logits="last")))
    )
    assert whole is not None
    assert shown["next"][0]["p"] == pytest.approx(whole.probs[0], abs=1e-6)


def test_encoder_ends_with_the_sentence_vector_and_says_so(open_app: OpenApp) -> None:
    app = open_app("home", model=tiny.BERT, text=TEXT)
    shown = drawn(app)
    assert shown["next"] == []
    assert shown["stations"][4]["title"] == "Sentence vector"
    assert shown["stations"][4]["href"] is None
    assert "predicts no next token" in app.markdown[1].value


def test_a_text_that_its_makers_would_cut_is_said_to_have_another_vector(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = warming.model_when_ready

    def told(entry: Any, **asked: Any) -> Any:
        info = ready(entry, **asked)
        return info and replace(info, max_seq_length=8)

    said = "only the first 8 tokens"
    monkeypatch.setattr(warming, "model_when_ready", told)
    for text, model, is_said in (
        (TEXT * 2, tiny.BERT, True),
        ("a", tiny.BERT, False),
        (TEXT * 2, tiny.GPT2, False),
    ):
        app = open_app("home", model=model, text=text)
        assert not app.exception
        assert any(said in box.value for box in app.markdown) == is_said


def test_stations_lead_to_their_pages_with_the_sentence(open_app: OpenApp) -> None:
    text = "1 & 1 = 서울?"
    links = [station["href"] for station in drawn(open_app("home", text=text, lang="ko"))["stations"]]
    assert links[0] is None
    targets = [urlsplit(link) for link in links[1:]]
    assert {target.path for target in targets} < navigation.BY_NAME.keys()
    assert targets[-1].path == "sampling"
    for target in targets:
        assert parse_qs(target.query) == {"text": [text], "model": [tiny.LLAMA], "lang": ["ko"]}


def test_picture_is_read_in_words_with_its_own_numbers(open_app: OpenApp) -> None:
    app = open_app("home", text=TEXT)
    shown = drawn(app)
    sentence = app.markdown[1].value.replace("\\", "")
    assert f"**{shown['next'][0]['label']}**] {shown['next'][0]['percent']}" in sentence
    layer, head = re.findall(r"\d+", shown["stations"][3]["note"])
    assert f"Layer {layer} of 3 (0 is the embedding), head {head}, lets" in sentence


def test_tasks_are_checked_against_the_models_values(open_app: OpenApp) -> None:
    app = open_app("home", text=TEXT)
    shown = drawn(app)
    n_tokens = int(shown["stations"][1]["note"].split()[0])
    widest = max((row for row in shown["rows"] if row["kind"] != "gap"), key=lambda row: float(row["weight"]))
    position = int(widest["about"].split("token ")[-1].split(" of")[0]) - 1
    app.number_input(key="task_home_count").set_value(n_tokens + 1).run()
    assert not app.success
    app.number_input(key="task_home_count").set_value(n_tokens)
    app.radio(key="task_home_look").set_value(str(position)).run()
    sure = shown["next"][0]["p"] > 0.9
    assert len(app.success) == 2 + sure


# ---------------------------------------------------------------- characters


def characters_told(app: AppTest) -> list[str]:
    assert not app.exception
    return [one.value for one in app.markdown if "As whole characters" in one.value]


def test_next_characters_are_asked_once_a_text_within_the_limit(
    open_app: OpenApp, tiny_engine: SharedEngine, tiny_settings: Settings
) -> None:
    engine = tiny_engine.get(timeout_s=180)
    before = engine.stats().n_forwards
    app = open_app("home", model=tiny.GPT2, text="읽힌 적 없는 글")
    n_forwards = engine.stats().n_forwards - before
    assert 1 < n_forwards <= 1 + 2 * tiny_settings.max_followed_characters // AT_ONCE, "several in a forward"
    (told,) = characters_told(app)
    app.session_state["token"] = "2"
    app.run()
    assert characters_told(app) == [told]
    assert engine.stats().n_forwards == before + n_forwards


def test_next_characters_read_the_text_once(
    open_app: OpenApp, tiny_engine: SharedEngine, tiny_settings: Settings
) -> None:
    engine = tiny_engine.get(timeout_s=180)
    text = "부산은 바다가 가까운 도시라서 여름마다"
    n = len(engine.tokenizers.tokenize(tiny.LLAMA, text, add_special_tokens=True))
    before = engine.stats()
    assert characters_told(open_app("home", model=tiny.LLAMA, text=text))
    after = engine.stats()
    n_passes = after.n_forwards - before.n_forwards - 1
    assert n_passes > 0
    most = tiny_settings.max_followed_characters + AT_ONCE
    assert after.n_prefill_tokens - before.n_prefill_tokens <= n + 3 * most, "then up to three bytes each"


def test_next_characters_are_at_least_what_single_tokens_give_them(
    open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    """No sequence is more probable than its character, and the characters shown are in order."""
    (told,) = characters_told(open_app("home", model=tiny.GPT2, text="대한민국의 수도는"))
    shares = [float(share) for share in re.findall(r"\*\*\] ([\d.]+) %", told)]
    assert len(shares) == next_characters.N_SHOWN
    assert shares == sorted(shares, reverse=True)
    engine = tiny_engine.get(timeout_s=180)
    trace = engine.trace(TraceRequest(tiny.GPT2, text="대한민국의 수도는", capture=Capture(logits="last")))
    assert trace.logits is not None
    probs = np.exp(log_probabilities(trace.logits[-1]))
    ids = np.arange(len(probs))
    firsts = [first_character(bytes_of(one)) for one in engine.tokenizers.token_texts(tiny.GPT2, ids)]
    single = max(float(probs[[first == char for first in firsts]].sum()) for char in set(firsts) - {""})
    assert shares[0] >= 100 * single - 0.06


@pytest.mark.parametrize("page", ["home", "sampling"])
@pytest.mark.parametrize("text", ["대한민국의 수도는", "I 😀", "서울은 한국의 \u1112\u1161"])
@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_the_code_under_next_characters_gives_their_values(
    model: str, text: str, page: str, open_app: OpenApp, tiny_settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    under, kept = show.under_picture, list[tuple[pd.DataFrame, str]]()

    def seen(name: str, *, frame: Any, code: Any, **rest: Any) -> None:
        if name == "next_characters":
            kept.append((frame(), code()))
        under(name, frame=frame, code=code, **rest)

    monkeypatch.setattr(show, "under_picture", seen)
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
    app = open_app(page, model=model, text=text, lang="en")
    (told,) = characters_told(app)
    assert ("before the settings above" in told) == (page == "sampling")
    ((values, script),) = kept
    own, _printed = run_script(script, tmp_path)
    own_rows = [("character", char, p) for char, p in own["characters"].items()]
    own_rows += [("end", "", own["ended"]), ("left", "", own["left"])]
    expected = pd.DataFrame(own_rows, columns=["kind", "character", "prob"])
    assert len(values) == len(expected) > 20
    both = values.merge(expected, on=["kind", "character"], suffixes=("", "_code"))
    assert len(both) == len(values)
    np.testing.assert_allclose(both["prob"], both["prob_code"], atol=2e-6)
    assert values["prob"].sum() == pytest.approx(1, abs=1e-9)
    shares = [float(share) for share in re.findall(r"\*\*\] ([\d.]+) %", told)]
    top = values.loc[values["kind"] == "character", "prob"].head(len(shares))
    np.testing.assert_allclose(shares, 100 * top, atol=0.06)


@pytest.mark.parametrize("model", [tiny.BERT, tiny.T5])
def test_other_kinds_of_models_have_no_next_characters(model: str, open_app: OpenApp) -> None:
    assert characters_told(open_app("home", model=model, text="대한민국의 수도는")) == []
