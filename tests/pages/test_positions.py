"""The positions page on tiny models: the link, the experiments, tasks, and the code it shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core import word_order
from playground.core.positions import alibi_slopes, distance_profile, frequencies, rotate
from playground.core.ranking import rank
from playground.core.sampling import distribution
from playground.core.tables import positions as frames
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui.components.positions import Control
from playground.ui.positions.far import OFFSETS
from tests import tiny
from tests.pages import shown
from tests.pages.conftest import OpenApp
from tests.pages.shown import folder, run_code

TEXT = "The cat sat on the mat"


def drawn(app: AppTest, view: str) -> dict[str, Any]:
    """The JSON head of what one picture got."""
    return shown.drawn(app, f"positions_{view}")[0]


def chart(app: AppTest, at: int) -> str:
    return str(app.get("vega_lite_chart")[at].proto.spec)


def ids(engine: SharedEngine, model: str) -> tuple[int, ...]:
    return engine.get(timeout_s=180).tokenizers.tokenize(model, TEXT, add_special_tokens=True).input_ids


# ---------------------------------------------------------------- settings


def test_settings_of_the_link_reach_the_pictures(open_app: OpenApp) -> None:
    link = {"pos_waves_n_ctx": "20", "pos_waves_d_model": "8", "pos_waves_base": "50.5", "pos_clocks_m": "7"}
    app = open_app("positions", text=TEXT, **link, pos_distances_head="8")
    assert not app.warning
    assert drawn(app, "waves")["settings"] == {"n_ctx": 20, "d_model": 8, "base": 50.5, "dimension": 7}
    assert drawn(app, "clocks")["settings"]["m"] == 7
    assert drawn(app, "distances")["settings"]["head"] == 8


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("waves_n_ctx", "1"),
        ("waves_n_ctx", "2.5"),
        ("waves_d_model", "7"),
        ("waves_base", "nan"),
        ("waves_base", "1e400"),
        ("waves_dimension", "</script><script>"),
        ("clocks_shift", "-1"),
        ("clocks_query", "-1"),
        ("distances_reach", "9" * 5_000),
    ],
)
def test_a_value_that_cannot_be_gives_one_sentence_and_the_default(
    name: str, value: str, open_app: OpenApp
) -> None:
    usual = open_app("positions", text=TEXT)
    app = open_app("positions", text=TEXT, **{f"pos_{name}": value})
    assert len(app.warning) == len(usual.warning) + 1
    view = name.split("_")[0]
    assert drawn(app, view)["settings"] == drawn(usual, view)["settings"]


def test_a_shorter_sentence_puts_query_and_key_back(open_app: OpenApp) -> None:
    app = open_app("positions", text=TEXT, pos_clocks_query="30")
    settings = drawn(app, "clocks")["settings"]
    assert settings["query"] == len(drawn(app, "clocks")["controls"][0]["options"]) - 1
    assert not app.warning


def test_the_selected_token_is_the_query(open_app: OpenApp) -> None:
    settings = drawn(open_app("positions", text=TEXT, token="2"), "clocks")["settings"]
    assert (settings["query"], settings["key"], settings["m"], settings["n"]) == (2, 1, 2, 1)


def test_same_settings_send_the_same_bytes_again(open_app: OpenApp) -> None:
    app = open_app("positions", text=TEXT)
    first = [element.proto.bytes for element in app.get("bidi_component")]
    again = [element.proto.bytes for element in app.run().get("bidi_component")]
    assert first == again


@pytest.mark.parametrize("bad", [None, True, [], "x", float("nan"), float("inf"), -1, 7, 1e400, "9" * 400])
def test_a_forged_setting_is_refused(bad: object) -> None:
    assert Control("d_model", 2, 256, 64, step=2).valid(bad) is None


@pytest.mark.parametrize(
    ("model", "learned"), [(tiny.GPT2, tiny.GPT2), (tiny.T5, tiny.BERT), (tiny.LLAMA, tiny.BERT)]
)
def test_the_chosen_model_is_shown_where_it_fits(model: str, learned: str, open_app: OpenApp) -> None:
    app = open_app("positions", text=TEXT, model=model)
    assert drawn(app, "learned")["facts"]["model"] == learned
    assert drawn(app, "clocks")["facts"]["base"] == 10_000  # the tiny llama's


@pytest.mark.parametrize("text", ["a", "a a", "the the the the"])
def test_a_text_that_a_shuffle_does_not_change_says_so(text: str, open_app: OpenApp) -> None:
    app = open_app("positions", text=text, pos_far="true")
    assert not app.exception
    said = [box.value for box in app.info]
    assert any(sentence.startswith("Shuffled") for sentence in said)
    assert any(sentence.startswith("One token") for sentence in said) == (text == "a")


# ---------------------------------------------------------------- the experiments


def test_the_engine_s_refusal_is_shown(open_app: OpenApp) -> None:
    app = open_app("positions", text=TEXT)
    [answer] = [one.value for one in app.markdown if f"position is {tiny.N_CTX}" in one.value]
    assert f"0\\-{tiny.N_CTX - 1}" in answer
    assert not app.warning, "what was to be seen is no fault"


def test_tasks_are_checked_against_the_models(open_app: OpenApp) -> None:
    app = open_app("positions", text=TEXT)
    speeds = frequencies(16, 10_000)
    app.number_input(key="task_positions_turn").set_value(round(2 * np.pi / speeds[-1])).run()
    app.number_input(key="task_positions_slope").set_value(float(alibi_slopes(8)[2])).run()
    app.radio(key="task_positions_same").set_value("decoder_equal").run()
    solved = app.session_state["solved_tasks"]
    assert {("positions", "turn"), ("positions", "slope")} <= solved
    assert ("positions", "same") not in solved
    app.radio(key="task_positions_same").set_value("encoder_equal").run()
    assert ("positions", "same") in app.session_state["solved_tasks"]


def orders(engine: SharedEngine, model: str, *, keep_last: bool, seed: int = 0) -> word_order.Order:
    tokens = engine.get(timeout_s=180).tokenizers.tokenize(model, TEXT, add_special_tokens=True)
    order = word_order.shuffled(word_order.words(tokens), len(tokens), seed, keep_last=keep_last)
    assert order is not None
    return order


def measured(
    engine: SharedEngine, model: str, order: word_order.Order, equal: bool, place: int | None = None
) -> np.ndarray:
    given = ids(engine, model)
    positions = (0,) * len(given) if equal else None
    states = []
    for read in (given, tuple(given[token] for token in order)):
        asked = TraceRequest(
            model, input_ids=read, capture=Capture(hidden_states="all"), position_ids=positions
        )
        trace = engine.get(timeout_s=180).trace(asked)
        assert trace.hidden_states is not None
        states.append(trace.hidden_states)
    return word_order.differences(states[0], states[1], order, position=place)


def test_an_encoder_without_positions_sees_a_set_and_a_masked_decoder_does_not(
    tiny_engine: SharedEngine,
) -> None:
    order = orders(tiny_engine, tiny.BERT, keep_last=False)
    assert measured(tiny_engine, tiny.BERT, order, equal=True).max() < 1e-5
    assert measured(tiny_engine, tiny.BERT, order, equal=False).max() > 1e-2
    order = orders(tiny_engine, tiny.LLAMA, keep_last=True)
    assert measured(tiny_engine, tiny.LLAMA, order, equal=True)[-1] > 1e-2
    last = measured(tiny_engine, tiny.LLAMA, order, equal=True, place=len(order) - 1)
    assert last[:2].max() < 1e-5, "layer 1 sees the same set"
    assert last[2:].min() > 1e-4, "layer 2 reads what has changed"


@pytest.mark.parametrize("seed", ["0", "3"])
def test_both_models_read_the_words_in_the_same_order(seed: str, open_app: OpenApp) -> None:
    words = ["cat", "sat", "on", "the", "mat"]
    app = open_app("positions", text=" ".join(words), pos_seed=seed)
    told = [c.value.split(": ", 1)[1] for c in app.caption if "words shuffled" in c.value]
    read = [re.sub(r"[^a-z]", "", line.lower().replace("cls", "").replace("sep", "")) for line in told]
    assert len(read) == 2
    assert read[0] == read[1]
    assert read[0] != "".join(words)
    assert read[0].endswith("mat"), "the last word stays last"


def test_the_distances_name_both_models(open_app: OpenApp) -> None:
    app = open_app("positions", text=TEXT)
    told = [caption.value.replace("\\", "") for caption in app.caption]
    assert any(tiny.LLAMA in line and "RoPE" in line and "base 10,000" in line for line in told)


# ---------------------------------------------------------------- the code under the pictures


@pytest.mark.parametrize(("n_ctx", "d_model", "base"), [(64, 64, 10_000), (7, 2, 10), (100, 30, 123_456.0)])
def test_sinusoidal_code_gives_the_numbers_shown(
    n_ctx: int, d_model: int, base: float, tmp_path: Path
) -> None:
    found = run_code("sinusoidal", tmp_path, n_ctx=n_ctx, d_model=d_model, base=base, dimension=1)
    table = frames.sinusoid(n_ctx, d_model, base)
    np.testing.assert_allclose(found["encoding"], table.filter(like="dimension_"), atol=1e-12)
    np.testing.assert_allclose(found["dot_products"][0], table["dot_product"], atol=1e-12)


@pytest.mark.parametrize("model", [tiny.BERT, tiny.GPT2])
def test_learned_code_gives_the_numbers_shown(
    model: str, tmp_path: Path, tiny_engine: SharedEngine, tiny_settings: Settings
) -> None:
    found = run_code("learned_positions", tmp_path, folder=folder(tiny_settings, model))
    scheme = tiny_engine.get(timeout_s=180).inside.positions(model)
    np.testing.assert_array_equal(found["table"], frames.table(scheme).filter(like="dimension_"))
    curve = frames.principal_curve(scheme)
    np.testing.assert_allclose(found["points"].abs(), curve[["pc1", "pc2", "pc3"]].abs(), atol=1e-9)
    np.testing.assert_allclose(found["explained"], curve.attrs["explained"], atol=1e-12)


def test_rotary_code_gives_the_score_shown(
    tmp_path: Path, tiny_engine: SharedEngine, tiny_settings: Settings
) -> None:
    given = ids(tiny_engine, tiny.LLAMA)
    values = {"query": 4, "key": 1, "m": 9, "n": 2, "shift": 50}
    found = run_code(
        "rotary", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), input_ids=list(given), **values
    )
    engine = tiny_engine.get(timeout_s=180)
    scheme = engine.inside.positions(tiny.LLAMA)
    states = engine.trace(
        TraceRequest(tiny.LLAMA, input_ids=given, capture=Capture(hidden_states=(0,)))
    ).hidden_states
    assert scheme.head is not None
    assert states is not None
    query, key = scheme.head.query_key(states[0])
    table = frames.rotary(query[4], key[1], scheme.base, m=9, n=2, shift=50)
    assert found["here"] == pytest.approx(table["score"].sum(), abs=1e-4)
    assert found["there"] == pytest.approx(table["shifted"].sum(), abs=1e-4)
    expected = rotate(query[4], 9, scheme.base) @ rotate(key[1], 2, scheme.base) / 4
    assert table["score"].sum() == pytest.approx(expected)


def test_distances_code_gives_the_curves_shown(
    tmp_path: Path, tiny_engine: SharedEngine, tiny_settings: Settings
) -> None:
    values = {"d_model": 12, "base": 500.0, "head": 5, "reach": 300}
    folders = {
        "folder": folder(tiny_settings, tiny.BERT),
        "rotary_folder": folder(tiny_settings, tiny.LLAMA),
    }
    found = run_code("distances", tmp_path, **folders, **values)
    engine = tiny_engine.get(timeout_s=180)
    learned = engine.inside.positions(tiny.BERT).table
    assert learned is not None
    profile = distance_profile(learned, len(learned) - 1)
    table = frames.distances(
        engine.inside.positions(tiny.LLAMA), profile, d_model=12, base=500.0, head=5, reach=300
    )
    for name in ("sinusoidal", "rotary", "alibi"):
        np.testing.assert_allclose(found[name], table[name], atol=1e-12)
    assert table["learned"].isna().sum() == 301 - 127
    np.testing.assert_allclose(found["learned"], table["learned"].dropna(), atol=1e-6)


def test_word_order_code_gives_the_differences_shown(
    tmp_path: Path, tiny_engine: SharedEngine, tiny_settings: Settings
) -> None:
    kinds = {"encoder": (tiny.BERT, False), "decoder": (tiny.LLAMA, True)}
    values: dict[str, object] = {}
    expected = {}
    for end, (model, keep_last) in kinds.items():
        order = orders(tiny_engine, model, keep_last=keep_last)
        values |= {
            f"{end}_folder": folder(tiny_settings, model),
            f"{end}_ids": list(ids(tiny_engine, model)),
            f"{end}_order": list(order),
        }
        for kind in ("counted", "equal"):
            expected[end, kind] = measured(tiny_engine, model, order, kind == "equal")
    last = len(ids(tiny_engine, tiny.LLAMA)) - 1
    expected["decoder", "last"] = measured(tiny_engine, tiny.LLAMA, order, True, place=last)
    found = run_code("word_order", tmp_path, **values)["differences"]
    assert set(found) == set(expected)
    for key, differences in expected.items():
        np.testing.assert_allclose(found[key], differences, atol=1e-4, err_msg=str(key))


def test_far_code_gives_the_probabilities_shown(
    tmp_path: Path, tiny_engine: SharedEngine, tiny_settings: Settings
) -> None:
    given = ids(tiny_engine, tiny.LLAMA)
    last = len(given) - 1
    values = {"input_ids": list(given), "last": last, "offsets": list(OFFSETS[:4])}
    found = run_code("far_positions", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), **values)["found"]
    engine = tiny_engine.get(timeout_s=180)
    watched = None
    for moved, first in (("all", 0), ("last", last)):
        for offset in OFFSETS[:4]:
            places = tuple(place + offset * (place >= first) for place in range(len(given)))
            asked = TraceRequest(
                tiny.LLAMA, input_ids=given, capture=Capture(logits="last"), position_ids=places
            )
            logits = engine.trace(asked).logits
            assert logits is not None
            kept = distribution(rank(logits[-1]))
            watched = kept.token_ids[0] if watched is None else watched
            assert found[moved, offset] == pytest.approx(
                float(kept.probs[kept.token_ids == watched][0]), abs=1e-4
            )


def test_every_picture_has_values_and_code(open_app: OpenApp) -> None:
    app = open_app("positions", text=TEXT, pos_far="true")
    assert not app.exception
    names = {"sinusoidal", "learned_positions", "position_curve", "rotary", "distances"}
    found = {element.proto.id.split("-")[-1] for element in app.get("download_button")}
    for name in names | {"word_order", "far_positions"}:
        assert f"{name}_csv" in found, name
    assert chart(app, 0)


# ---------------------------------------------------------------- forwards


def test_the_clocks_cost_no_forward_of_their_own_and_who_comes_back_costs_none(
    open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    """Counted: each model reads the text in two orders, with and without positions, in one forward.

    The text in its own order, which the clocks show, is a forward of its own: that picture comes first.
    """
    engine = tiny_engine.get(timeout_s=180)
    open_app("positions", text=TEXT)  # both models are loaded
    text = "A sentence that nobody has read before this one"
    before = engine.stats()
    assert drawn(open_app("positions", text=text), "clocks")
    assert engine.stats().n_forwards - before.n_forwards == 1 + 2
    again = engine.stats()
    assert drawn(open_app("positions", text=text), "clocks")
    assert engine.stats().n_forwards == again.n_forwards
