"""Beam search, and A against B, on tiny models: the engine's numbers, and the code that gives them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.comparing import overlap
from playground.core.pieces import piece
from playground.core.ranking import rank
from playground.core.sampling import GREEDY, Sampling, distribution
from playground.core.tables import beams as frames_beams
from playground.core.tables import comparing as frames_comparing
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui import show
from playground.ui.sampling import beams
from playground.ui.sampling import compare as comparing
from playground.ui.sampling.settings import DEFAULT
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, run_script

TEXT = "The cat sat on"


def folder(settings: Settings, name: str) -> str:
    return str(settings.cache_dir / "models" / f"tiny--{name}")


def texts(app: AppTest) -> list[str]:
    return [one.value for one in (*app.markdown, *app.caption)]


def expects(engine: Any, model: str, settings: Sampling) -> Any:
    logits = engine.trace(TraceRequest(model, TEXT, Capture(logits="last"))).logits
    return distribution(rank(logits[-1]), settings)


def test_a_search_is_the_engines_and_stands_beside_greedy_and_sampled(
    open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    link = {"sam_n_beams": "3", "sam_length_penalty": "0.5", "sam_beam_tokens": "6"}
    app = open_app("sampling", text=TEXT, sam_panel="beam", **link)
    app.button(key="sam_search").click().run()
    assert not app.exception
    engine = tiny_engine.get(timeout_s=180)
    asked = BeamsRequest(tiny.LLAMA, TEXT, n_beams=3, length_penalty=0.5, max_new_tokens=6)
    steps = list(engine.beams(asked))
    search = app.session_state["sam_beams"]
    assert search.steps == steps
    greedy = list(engine.generate(GenerateRequest(tiny.LLAMA, TEXT, sampling=GREEDY, max_new_tokens=6)))
    assert search.others["greedy"].token_ids == [step.token_id for step in greedy]
    table = next(one.value for one in app.dataframe if "score" in one.value)
    assert table.columns.tolist() == list(frames_beams.TEXTS)
    found = steps[-1].hypotheses
    assert table["score"].tolist()[: len(found)] == pytest.approx([one.score for one in found])
    assert len(table) == len(found) + 2
    assert any(
        f"{found[0].logprob:.2f}" in one and "bits of surprisal per token" in one for one in texts(app)
    )


@pytest.mark.parametrize("penalty", ["3.0", "0.0", "-2.0"])
def test_what_is_said_of_a_search_follows_from_its_texts(penalty: str, open_app: OpenApp) -> None:
    link = {"sam_n_beams": "4", "sam_length_penalty": penalty, "sam_beam_tokens": "6"}
    app = open_app("sampling", text=TEXT, sam_panel="beam", **link)
    app.button(key="sam_search").click().run()
    table = next(one.value for one in app.dataframe if "score" in one.value)
    best, most = table["logprob"].iloc[0], table["logprob"].max()
    told = " ".join(texts(app))
    assert f"with {most:.2f}. A length penalty of 0" in told or most == best
    assert ("none of the texts found here is more probable" in told) == (most == best)
    hypotheses = app.session_state["sam_beams"].steps[-1].hypotheses
    ends = ["cut at the limit" if one.is_cut else "ended" for one in hypotheses]
    assert table["is_cut"].tolist()[: len(hypotheses)] == ends


def told_of(best: float, other: float, beam: list[float], sampled: list[float]) -> tuple[str, str]:
    """What is said of a best beam beside another of other lengths, and of two lines of probabilities."""
    found = [
        ("beam 1", "a b", (1, 2), False, best), ("beam 2", "a", (1,), True, other),
        ("greedy", "a", (1,), True, -9.0), ("sampled", "c", (3,), True, -9.0),
    ]  # fmt: skip
    logs = {"beam": np.log(beam).tolist(), "sampled": np.log(sampled).tolist()}
    lines = frames_beams.probabilities(logs, {"beam": "x" * len(beam), "sampled": "y" * len(sampled)})
    return beams._ranking(frames_beams.texts(found, 1.0), 1.0), beams._steadiness(lines)


def test_a_more_probable_text_than_the_best_beam_is_named() -> None:
    ranking, _lines = told_of(-7.59, -6.77, [0.5, 0.5], [0.5, 0.5])
    assert "that is beam 2 with -6.77" in ranking
    ranking, _lines = told_of(-6.0, -6.77, [0.5, 0.5], [0.5, 0.5])
    assert "none of the texts found here" in ranking


def test_ups_and_downs_are_counted_before_they_are_spoken_of() -> None:
    _ranking, told = told_of(-1, -2, [0.9, 0.8], [0.9, 0.1, 0.9])
    assert "best beam 10 %, sampled 80 %" in told
    assert "In long texts too" in told
    _ranking, told = told_of(-1, -2, [0.9, 0.1], [0.5, 0.4, 0.5])
    assert "best beam 80 %, sampled 10 %" in told
    assert "no less steady" in told
    assert "goes neither up nor down" in told_of(-1, -2, [0.9], [0.5, 0.4])[1]


def test_a_new_sentence_puts_the_old_search_away(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_panel="beam", sam_beam_tokens="3")
    app.button(key="sam_search").click().run()
    app.text_area(key="text").set_value("Another sentence").run()
    assert any("At every step the search keeps" in one for one in texts(app))


@pytest.mark.parametrize("penalty", [1.0, 0.0])
def test_beams_code_gives_the_scores_of_the_table(
    penalty: float, tiny_settings: Settings, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    values = {"n_beams": 3, "length_penalty": penalty, "n_tokens": 6}
    script = show.code("beams", folder=folder(tiny_settings, "llama"), text=TEXT, **values)
    found, _printed = run_script(script, tmp_path)
    asked = BeamsRequest(tiny.LLAMA, TEXT, n_beams=3, length_penalty=penalty, max_new_tokens=6)
    hypotheses = list(tiny_engine.get(timeout_s=180).beams(asked))[-1].hypotheses
    assert found["scores"].tolist() == pytest.approx([one.score for one in hypotheses], abs=2e-4)
    assert found["logprobs"].tolist() == pytest.approx([one.logprob for one in hypotheses], abs=1e-3)


def test_the_same_on_both_sides_agrees_wholly(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_panel="compare", sam_temperature="0.7", sam_top_k="40")
    assert not any("They agree on 100.0 %" in one for one in texts(app))
    app.button(key="sam_copy").click().run()
    assert not app.exception
    assert app.number_input(key="sam_b_temperature").value == 0.7
    assert app.number_input(key="sam_b_top_k").value == 40
    assert any("They agree on 100.0 %" in one for one in texts(app))


def test_a_link_sets_b_and_the_sentence_is_computed(open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    link = {"sam_panel": "compare", "sam_b_temperature": "1.5", "sam_b_top_k": "7", "sam_b_min_p": "0.05"}
    app = open_app("sampling", text=TEXT, **link)
    engine = tiny_engine.get(timeout_s=180)
    first = expects(engine, tiny.LLAMA, DEFAULT)
    second = expects(engine, tiny.LLAMA, Sampling(1.5, 7, 1.0, 0.05))
    shared = overlap(*(dict(zip(one.token_ids, one.probs, strict=True)) for one in (first, second)))
    told = f"Tokens kept: {first.n_kept:,} in A, {second.n_kept:,} in B. Entropy: {first.entropy_bits:.2f}"
    assert any(told in one and f"They agree on {100 * shared:.1f} %" in one for one in texts(app))


def test_a_token_that_is_far_down_on_one_side_has_its_probability_there(
    open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    hot = Sampling(2.0, 0, 1.0, 0.0)
    link = {"sam_temperature": "2", "sam_top_p": "1", "sam_b_temperature": "2", "sam_b_model": tiny.GPT2}
    app = open_app("sampling", text=TEXT, sam_panel="compare", **link)
    table = next(rows for rows in charts(app) if set(rows.columns) == set(frames_comparing.COLUMNS))
    assert len(table) == 2 * comparing.N_SHOWN
    engine = tiny_engine.get(timeout_s=180)
    for side, model in (("A", tiny.LLAMA), ("B", tiny.GPT2)):
        kept = expects(engine, model, hot)
        labels = [piece(text, b"").label for text in engine.tokenizers.token_texts(model, kept.token_ids)]
        known = dict(zip(reversed(labels), reversed(kept.probs.tolist()), strict=True))
        shown = table[table["setting"] == side].set_index("token")["probability"]
        assert (shown > 0).sum() > comparing.N_SHOWN / 2
        for label, probability in shown.items():
            assert probability == pytest.approx(known.get(label, 0.0))


def test_another_model_on_the_same_sentence(open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    app = open_app("sampling", text=TEXT, sam_panel="compare", sam_b_model=tiny.GPT2)
    assert not app.exception
    second = expects(tiny_engine.get(timeout_s=180), tiny.GPT2, Sampling(1.0, 0, 1.0, 0.0))
    assert any(
        f"{second.n_kept:,} in B" in one and f"{second.entropy_bits:.2f} bits" in one for one in texts(app)
    )
    app.button(key="sam_both_write").click().run()
    assert not app.exception
    _asked, (mine, others) = app.session_state["sam_both_texts"]
    request = GenerateRequest(tiny.GPT2, TEXT, seed=2, max_new_tokens=comparing.N_TOKENS)
    expected = "".join(step.text for step in tiny_engine.get(timeout_s=180).generate(request))
    assert others[2] == expected
    assert mine.keys() == others.keys() == set(range(comparing.N_TEXTS))


def test_an_unknown_model_of_b_is_one_sentence(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_panel="compare", sam_b_model="</script>")
    assert not app.exception
    assert len(app.warning) == 1


@pytest.mark.parametrize(
    "sides",
    [
        [Sampling(0.8, 0, 0.9, 0.0), Sampling(1.4, 30, 1.0, 0.02)],
        [Sampling(0.0, 9, 1.0, 0.0, 0.2, "llama.cpp"), Sampling(0.0, 9, 0.9, 0.1, 0.2)],
    ],
    ids=["drawn", "greedy"],
)
def test_comparing_code_gives_the_numbers_of_the_sentence(
    sides: list[Sampling], tiny_settings: Settings, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    models = ["llama", "gpt2"]
    script = show.code(
        "comparing",
        folders=[folder(tiny_settings, name) for name in models],
        text=TEXT,
        a=asdict(sides[0]),
        b=asdict(sides[1]),
    )
    found, _printed = run_script(script, tmp_path)
    engine = tiny_engine.get(timeout_s=180)
    masses = []
    for name, settings in zip(models, sides, strict=True):
        kept = expects(engine, f"tiny/{name}", settings)
        by_text: dict[str, float] = {}
        for text, mass in zip(
            engine.tokenizers.token_texts(f"tiny/{name}", kept.token_ids), kept.probs.tolist(), strict=True
        ):
            by_text[text] = by_text.get(text, 0.0) + mass
        masses.append(by_text)
    for side, ours in zip((found["first"], found["second"]), masses, strict=True):
        assert sorted(side.values()) == pytest.approx(sorted(ours.values()), abs=1e-5)
    assert found["overlap"] == pytest.approx(overlap(*masses), abs=1e-4)
