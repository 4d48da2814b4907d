"""The page on the layers with tiny models: its numbers, its link, its tasks, and the code it shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core import inside as core
from playground.core.pieces import begun_bytes, piece
from playground.core.residual import Lens
from playground.engine.contract.inside import LensRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.forward.lens import LensWork
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui.inside import patching
from playground.ui.inside.rest import ASKED
from playground.ui.inside.way import N_COLUMNS, millions
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.looked_inside import DECODERS, OTHER, TEXT, ids, told
from tests.pages.shown import charts


def picture(app: AppTest) -> dict[str, Any]:
    """What the main picture got."""
    assert not app.exception
    found = (element.proto for element in app.get("bidi_component"))
    return dict(json.loads(next(p.json for p in found if p.component_name == "playground.inside")))


def with_rest(app: AppTest) -> AppTest:
    """What the browser does once the picture is drawn: it asks for the columns that are missing."""
    name = picture(app)["wants"]
    app.session_state[ASKED] = name
    return app.run()


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("model", DECODERS)
def test_the_top_row_is_the_models_own_answer(model: str, open_app: OpenApp, engine: LocalEngine) -> None:
    fresh = "The mat sat on the dog"  # that no other test has read: its columns are still to come
    data = picture(with_rest(open_app("inside", model=model, text=fresh)))
    assert "wants" not in data
    logits = engine.trace(
        TraceRequest(model, input_ids=ids(engine, model, fresh), capture=Capture(logits="all"))
    ).logits
    assert logits is not None
    shown = [position for position, _label in data["tokens"]]
    probs = np.exp(core.log_probabilities(logits[shown]))
    np.testing.assert_allclose(np.array(data["probs"][-1])[:, 0], probs.max(-1), atol=1e-4)
    assert not np.any(data["ranks"][-1])
    labels = [data["labels"][place[0]] for place in data["top"][-1]]
    texts = engine.tokenizers.token_texts(model, logits[shown].argmax(-1))
    read = engine.tokenizers.tokenize(model, fresh, add_special_tokens=True).token_bytes
    begun = begun_bytes([*read, b""])[1:]
    expected = [piece(text, begun[place]).label for text, place in zip(texts, shown, strict=True)]
    assert labels == expected


@pytest.mark.parametrize("model", DECODERS)
@pytest.mark.parametrize("minus", ["", "other"])
def test_attributions_sum_to_the_logit(
    model: str, minus: str, open_app: OpenApp, engine: LocalEngine
) -> None:
    logits = engine.trace(
        TraceRequest(model, input_ids=ids(engine, model), capture=Capture(logits="last"))
    ).logits
    assert logits is not None
    first, second = np.argsort(-logits[0])[[1, 4]].tolist()
    link = {"ins_token": str(first)} | ({"ins_minus": str(second)} if minus else {})
    app = open_app("inside", model=model, text=TEXT, **link)
    table = charts(app)[3]
    wanted = logits[0, first] - (logits[0, second] if minus else 0)
    assert table["logit"].sum() == pytest.approx(wanted, abs=1e-3)
    assert f"The model's own logit: {wanted:.3f}"[:-1] in told(app)


@pytest.mark.parametrize("model", DECODERS)
def test_what_a_part_reads_and_writes_adds_up(model: str, open_app: OpenApp) -> None:
    for part in ("attention.1", "mlp.1"):
        table = charts(open_app("inside", model=model, text=TEXT, ins_part=part, token="2"))[0]
        before, wrote, after = (
            rows["value"].to_numpy() for _name, rows in table.groupby("tensor", sort=False)
        )
        np.testing.assert_allclose(before + wrote, after, atol=1e-4)
        assert np.abs(wrote).max() > 0.01


def test_ranks_are_those_of_the_lens(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("inside", text=TEXT, token="3")
    table = charts(app)[2]
    lens = engine.inside.lens(LensRequest(tiny.LLAMA, input_ids=ids(engine, tiny.LLAMA), position=3))
    answer = table[table["token_id"] == lens.answer_ids[0]]
    assert answer["rank"].tolist() == (lens.answer_ranks[:, 0] + 1).tolist()
    np.testing.assert_allclose(answer["prob"], lens.answer_probs[:, 0], atol=1e-5)


# ---------------------------------------------------------------- copying states


@pytest.mark.parametrize("model", DECODERS)
@pytest.mark.parametrize("block", [1, 2])
def test_copying_every_state_gives_the_answer_of_sentence_a(
    model: str, block: int, open_app: OpenApp, engine: LocalEngine
) -> None:
    assert len(ids(engine, model)) == len(ids(engine, model, "The mat sat on the cat"))
    name = f"ins_block_{next(i.n_layer for i in engine.models() if i.model_id == model)}"
    link = {"ins_b": "The mat sat on the cat", "ins_from": "all", name: str(block)}
    table = charts(open_app("inside", model=model, text=TEXT, **link))[4]
    logits = engine.trace(
        TraceRequest(model, input_ids=ids(engine, model), capture=Capture(logits="last"))
    ).logits
    assert logits is not None
    probs = np.exp(core.log_probabilities(logits[0]))
    after = table[table["when"] == "after"]
    np.testing.assert_allclose(after["prob"], probs[after["token_id"]], atol=1e-4)


def test_copying_the_same_state_changes_nothing(open_app: OpenApp, engine: LocalEngine) -> None:
    given = ids(engine, tiny.LLAMA)
    b = "The mat sat on the mat"
    ends = {"ins_from": len(given) - 1, "ins_to": len(ids(engine, tiny.LLAMA, b)) - 1, "ins_block_3": 1}
    link = {name: str(value) for name, value in ends.items()}
    app = open_app("inside", text=TEXT, ins_b=b, **link)
    assert "moved by 0.000 bits" in told(app)
    moved = open_app("inside", text=TEXT, ins_b=b, ins_block_3="1")
    assert "moved by 0.000 bits" not in told(moved)


def test_the_first_different_token_is_found(engine: LocalEngine) -> None:
    a, b = (engine.tokenizers.tokenize(tiny.LLAMA, text, add_special_tokens=True) for text in (TEXT, OTHER))
    place = patching.changed(a, b)
    assert a.input_ids[:place] == b.input_ids[:place]
    assert a.input_ids[place] != b.input_ids[place]
    assert patching.changed(a, a) == len(a) - 1


@pytest.mark.parametrize(
    "text", ["", " \t", "<img src=x onerror=alert(1)>", "👨‍👩‍👧‍👦" * 30, "![](http://x)"]
)
def test_any_sentence_b_is_read_or_asked_for_again(text: str, open_app: OpenApp) -> None:
    app = open_app("inside", text=TEXT, ins_b=text)
    assert not app.exception
    assert not app.error


# ---------------------------------------------------------------- link, limits, forwards


def test_only_a_new_sentence_or_a_copy_costs_a_forward(open_app: OpenApp, engine: LocalEngine) -> None:
    text = "The dog sat on the cat and the mat"
    app = open_app("inside", text=text)
    assert not app.exception
    before = engine.stats().n_forwards
    for part in ("embedding", "attention.0", "mlp.2", "norm", "logits"):
        assert not open_app("inside", text=text, ins_part=part).exception
    assert engine.stats().n_forwards == before
    lens = engine.inside.lens(LensRequest(tiny.LLAMA, input_ids=ids(engine, tiny.LLAMA, text), position=1))
    assert engine.stats().n_forwards == before, "another position is read from the same states"
    best = str(int(lens.top_ids[-1, 0, 1]))
    assert not open_app("inside", text=text, token="1", ins_token=best).exception
    assert engine.stats().n_forwards == before


def test_only_the_selected_column_is_computed_before_the_picture(
    open_app: OpenApp, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted: one forward for the states, the head over one column, and no column twice."""
    rows: list[int] = []
    read = LensWork._read

    def counted(work: LensWork, positions: Sequence[int]) -> list[Lens]:
        rows.extend(positions)
        return read(work, positions)

    monkeypatch.setattr(LensWork, "_read", counted)
    text = "A new text that nobody has read"
    before = engine.stats().n_forwards
    app = open_app("inside", text=text, token="2")
    n_forwards = engine.stats().n_forwards - before
    data = picture(app)
    shown = [position for position, *_label in data["tokens"]]
    assert rows == [2]
    assert n_forwards <= 3, "the text, sentence B, and the copy"
    assert [cell is not None for cell in data["top"][0]] == [place == 2 for place in shown]
    whole = picture(with_rest(app))
    assert rows == [2, *(place for place in shown if place != 2)], "each column once, the selected one first"
    assert None not in whole["top"][0]
    assert engine.stats().n_forwards == before + n_forwards
    again = picture(open_app("inside", text=text, token="2"))
    assert "wants" not in again, "who comes back finds all"
    assert again["probs"] == whole["probs"]
    assert len(rows) == len(shown)


def test_a_name_that_no_picture_gave_asks_for_nothing(open_app: OpenApp) -> None:
    app = open_app("inside", text="Another text that nobody has read", token="1")
    app.session_state[ASKED] = "some other name"
    assert "wants" in picture(app.run())


def test_a_long_text_is_cut_and_shown_by_the_page(open_app: OpenApp, tiny_settings: Settings) -> None:
    app = open_app("inside", text="the cat sat on the mat " * 20, token="25")
    limit = tiny_settings.max_tokens_all_heads
    assert any(f"first {limit} of" in caption.value for caption in app.caption)
    data = picture(app)
    assert len(data["tokens"]) == N_COLUMNS
    assert [position for position, _label in data["tokens"]] == list(range(20, 30))
    assert data["position"] == 25
    far = picture(open_app("inside", text="the cat sat on the mat " * 20, token="100"))
    assert far["position"] == limit - 1


@pytest.mark.parametrize("name", ["ins_part", "ins_token", "ins_minus", "ins_from", "ins_to"])
def test_a_choice_that_cannot_be_gives_one_sentence_and_the_default(name: str, open_app: OpenApp) -> None:
    app = open_app("inside", text=TEXT, **{name: "<b>"})
    assert not app.exception
    assert len(app.warning) == 1


def test_heads_of_columns_hold_the_character_of_each_byte(open_app: OpenApp) -> None:
    columns = picture(open_app("inside", model=tiny.LLAMA, text="괜찮아"))["tokens"]
    cut = [rest for _position, _label, *rest in columns if rest]
    assert cut, "괜 is no token of the tiny model"
    for position, label, *rest in columns:
        for byte, character in rest:
            assert label == f"{byte} {character}"
            assert character in {"(괜)", "(찮)", "(아)"}, position


def test_hostile_tokens_stay_data(open_app: OpenApp) -> None:
    data = picture(open_app("inside", text="<img src=x onerror=alert(1)> :red[x] `$x$`", token="0"))
    assert "<" in "".join(label for _position, label in data["tokens"])


# ---------------------------------------------------------------- models without a next token


@pytest.mark.parametrize("model", [tiny.BERT, tiny.T5])
def test_other_families_show_parts_and_stream_and_say_what_is_missing(model: str, open_app: OpenApp) -> None:
    app = open_app("inside", model=model, text=TEXT)
    data = picture(app)
    assert "no next token" in told(app)
    np.testing.assert_allclose(data["cosines"][-1], 1, atol=1e-4)
    assert len(charts(app)) == 2
    assert {station["id"] for station in data["stations"]} >= {"embedding", "attention.0", "mlp.1"}
    assert not app.error


@pytest.mark.parametrize("model", tiny.FAMILIES)
def test_stations_count_the_parameters_of_the_way(model: str, open_app: OpenApp, engine: LocalEngine) -> None:
    data = picture(open_app("inside", model=model, text=TEXT))
    parts = engine.inside.parts(model)
    counted = sum(p.n_parameters for p in parts if p.kind not in ("other", "norm"))
    assert sum(station["n_parameters"] for station in data["stations"]) == counted
    assert {p.kind for p in parts if "pooler.dense.weight" in dict(p.tensors)} <= {"other"}


# ---------------------------------------------------------------- tasks


def test_the_tasks_know_the_answers(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("inside", text=TEXT, ins_b=OTHER)
    lens = engine.inside.lens(LensRequest(tiny.LLAMA, input_ids=ids(engine, tiny.LLAMA)))
    right = core.settled_layer(lens.answer_ranks[:, -1])
    share = 100 * sum(p.n_parameters for p in engine.inside.parts(tiny.LLAMA) if p.kind == "mlp") / next(
        i.n_parameters for i in engine.models() if i.model_id == tiny.LLAMA
    )  # fmt: skip
    app.number_input(key="task_inside_settled").set_value(right).run()
    app.number_input(key="task_inside_share").set_value(round(share)).run()
    app.radio(key="task_inside_copy").set_value("changed_first").run()
    assert not app.exception
    assert len(app.success) == 3


def test_counts_of_parameters_are_short() -> None:
    assert [millions(n) for n in (0, 99_999, 100_000, 9_990_000)] == ["0", "99,999", "0.10 M", "9.99 M"]
