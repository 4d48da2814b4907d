"""The page Masked on tiny models: masks, orders, answers, both sides, the sentence, links, code shown."""

from __future__ import annotations

import json
import re
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest
from transformers import AutoModelForMaskedLM

from playground.core.tokens import Tokenization
from playground.engine.contract.engine import Engine
from playground.engine.contract.filling import FillRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.settings import Settings
from playground.ui.masked import tasks
from playground.ui.masked.view import AT
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, folder, run_code

TEXT = "The cat sat on the mat and the dog"
LN_2 = float(np.log(2))


def told(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(str(element.value) for element in (*app.markdown, *app.info, *app.caption, *app.warning))


def component(app: AppTest, name: str) -> dict[str, Any]:
    """What one component of the page got, as JSON."""
    assert not app.exception
    protos = [element.proto for element in app.get("bidi_component")]
    found = next(proto for proto in protos if proto.component_name == f"playground.{name}")
    return dict(json.loads(found.json))


def cut(engine: Engine, text: str = TEXT) -> Tokenization:
    return engine.tokenizers.tokenize_masked(tiny.MASKED, text)


def mask_id(engine: Engine) -> int:
    found = engine.tokenizers.info(tiny.MASKED).mask_id
    assert found is not None
    return found


@pytest.fixture(scope="module")
def library(tiny_settings: Settings) -> Any:
    return AutoModelForMaskedLM.from_pretrained(folder(tiny_settings, tiny.MASKED)).eval()


def logprobs(library: Any, ids: list[int]) -> np.ndarray[Any, Any]:
    with torch.no_grad():
        found: np.ndarray[Any, Any] = library(torch.tensor([ids])).logits[0].double().log_softmax(-1).numpy()
    return found


# ---------------------------------------------------------------- the masks and what stands behind them


def test_the_page_shows_the_librarys_answers_at_every_mask(
    open_app: OpenApp, engine: Engine, library: Any
) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_at="2.5")
    tokens = cut(engine)
    assert component(app, "mask_chips")["masked"] == [2, 5]
    ids = list(tokens.input_ids)
    ids[2] = ids[5] = mask_id(engine)
    expected = logprobs(library, ids)
    (table, *_rest) = charts(app)
    for mask, at in ((1, 2), (2, 5)):
        rows = table[table["mask"] == mask]
        np.testing.assert_array_equal(rows["token_id"][:10], np.argsort(-expected[at])[:10])
        np.testing.assert_allclose(
            rows["probability"][:10], np.sort(np.exp(expected[at]))[:-11:-1], atol=1e-6
        )
        (own,) = rows[rows["stood_there"]].itertuples()
        assert own.token_id == tokens.input_ids[at]
        assert own.probability == pytest.approx(np.exp(expected[at, own.token_id]), abs=1e-7)
        assert own.rank == (expected[at] > expected[at, own.token_id]).sum() + 1
    assert f"is number {own.rank:,} with" in told(app)


def test_at_first_the_longest_token_is_masked(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("masked", lang="en", text="a the ending of")
    labels = component(app, "mask_chips")["labels"]
    (at,) = component(app, "mask_chips")["masked"]
    assert len(labels[at]) == max(map(len, labels[1:-1]))


def test_a_mask_that_the_sentence_spells_is_one(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("masked", lang="en", text="the [MASK] sat on the mat")
    chips = component(app, "mask_chips")
    assert chips["typed"] == [2]
    assert chips["masked"] == []
    assert 2 in chips["fixed"]
    filled = engine.fill(FillRequest(tiny.MASKED, "the [MASK] sat on the mat"))
    np.testing.assert_array_equal(charts(app)[0]["token_id"], filled.top_ids[0])


def test_nothing_masked_is_told_and_the_rest_stays(open_app: OpenApp) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_at="-")
    assert "Nothing is masked" in told(app)
    assert component(app, "mask_chips")["masked"] == []
    assert component(app, "example_rows")["rows"]


@pytest.mark.parametrize("link", ["0", "99", "x.y", "-1", "2.2.2", "2.99", "1" * 50])
def test_a_link_masks_what_the_text_has(link: str, open_app: OpenApp) -> None:
    masked = component(open_app("masked", lang="en", text=TEXT, mas_at=link), "mask_chips")["masked"]
    assert masked == ([2] if "2" in link.split(".") else masked)
    assert len(masked) == 1


def test_a_model_that_fills_is_preferred_when_it_is_chosen(open_app: OpenApp) -> None:
    for model in (tiny.MASKED, tiny.LLAMA, tiny.BERT):
        app = open_app("masked", lang="en", text=TEXT, model=model)
        assert tiny.MASKED in told(app), "the one model here that fills"


# ---------------------------------------------------------------- several masks, answers, both sides


def test_masks_are_filled_at_once_and_in_turn_as_told(
    open_app: OpenApp, engine: Engine, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_panel="order", mas_at="2.5")
    (shown,) = [element.value for element in app.dataframe]
    ids = list(cut(engine).input_ids)
    ids[2] = ids[5] = mask_id(engine)
    code = run_code("filling_order", tmp_path, folder=folder(tiny_settings, tiny.MASKED), input_ids=ids)
    for row, (tokens, bits) in enumerate(code["ways"].values()):
        names = " … ".join(engine.tokenizers.token_texts(tiny.MASKED, tokens))
        assert shown["Tokens"][row] == names
        assert shown["bits when chosen"][row] == pytest.approx(bits, abs=0.006)
        chain = code["chain_bits"](tokens)
        assert shown["bits from left to right"][row] == pytest.approx(chain, abs=0.006)
    differ = len({tuple(tokens) for tokens, _bits in code["ways"].values()}) > 1
    assert ("At once the model writes" in told(app)) is differ


def test_with_one_mask_a_neighbour_is_masked_as_an_example(open_app: OpenApp) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_panel="order", mas_at="2")
    assert "Fewer than two tokens are masked" in told(app)
    assert len(app.dataframe[0].value) == 4
    one = open_app("masked", lang="en", text="a", mas_panel="order")
    assert "two are needed" in told(one)
    many = open_app("masked", lang="en", text=TEXT, mas_panel="order", mas_at="1.2.3.4.5.6.7")
    assert "at most 6" in told(many)


def test_answers_of_the_reader_are_compared_one_token_or_many(
    open_app: OpenApp, engine: Engine, library: Any
) -> None:
    app = open_app(
        "masked", lang="en", text=TEXT, mas_panel="candidates", mas_at="2", mas_words="dog, London,dog, ॐ"
    )
    (shown,) = [element.value for element in app.dataframe]
    assert set(shown["Answer"]) == {"dog", "London"}
    assert "ॐ" in told(app), "the vocabulary has no token for it"
    for words in ("dog", "London"):
        ids = list(cut(engine, TEXT.replace("cat", words)).input_ids)
        n = len(ids) - len(cut(engine).input_ids) + 1
        bits, read = 0.0, [*ids[:2], *[mask_id(engine)] * n, *ids[2 + n :]]
        for at in range(2, 2 + n):
            bits -= float(logprobs(library, read)[at, ids[at]]) / LN_2
            read[at] = ids[at]
        row = shown[shown["Answer"] == words].iloc[0]
        assert row["Number of tokens"] == n
        assert row["Surprisal (bits)"] == pytest.approx(bits, abs=0.006)


def test_both_sides_and_the_left_side_are_two_models_own(
    open_app: OpenApp, engine: Engine, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_panel="sides")
    table = charts(app)[1]
    both, left = (table[table["side"] == side]["surprisal_bits"].to_numpy() for side in ("both", "left"))
    start = engine.tokenizers.info(tiny.LLAMA).start_id
    assert start is not None
    whole = engine.tokenizers.tokenize(tiny.LLAMA, TEXT, add_special_tokens=False)
    trace = engine.trace(
        TraceRequest(tiny.LLAMA, input_ids=(start, *whole.input_ids), capture=Capture(predictions=1))
    )
    assert trace.predictions is not None
    assert left.sum() == pytest.approx(trace.predictions.total_bits, abs=1e-3)
    code = run_code(
        "both_sides", tmp_path, folder=folder(tiny_settings, tiny.MASKED),
        input_ids=list(cut(engine).input_ids),
        words=[[at] for at in range(1, 10)], decoder_folder=folder(tiny_settings, tiny.LLAMA), text=TEXT,
        start_ids=[start],
    )  # fmt: skip
    assert sum(code["left_bits"]) == pytest.approx(left.sum(), abs=1e-3)
    np.testing.assert_allclose(both, code["both_bits"], atol=1e-4)
    assert f"With both sides {int((both < left).sum())} of {len(both)} words cost less" in told(app)


def test_the_pseudo_log_likelihood_is_the_sum_of_single_masks(
    open_app: OpenApp, engine: Engine, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_panel="text")
    table = charts(app)[1]
    ids = list(cut(engine).input_ids)
    code = run_code(
        "pseudo_likelihood", tmp_path, folder=folder(tiny_settings, tiny.MASKED), input_ids=ids,
        positions=list(range(1, len(ids) - 1)),
    )  # fmt: skip
    np.testing.assert_allclose(table["surprisal_bits"], code["surprisals"], atol=1e-4)
    assert f"the pseudo-log-likelihood is {-code['total']:.1f} bits" in told(app)
    [shown] = re.findall(r"pseudo-perplexity (\d+\.\d)", told(app))
    assert float(shown) == pytest.approx(code["pseudo_perplexity"], rel=1e-5, abs=0.051)
    assert component(app, "scored_text")["ranks"] == table["rank"].tolist()


def test_a_sentence_that_is_too_long_for_every_mask_is_told(open_app: OpenApp) -> None:
    for panel in ("text", "sides"):
        app = open_app("masked", lang="en", text="the cat " * 40, mas_panel=panel)
        assert "the limit here is 64" in told(app)
        assert not app.error


def test_the_code_shown_gives_the_numbers_of_the_page(
    open_app: OpenApp, engine: Engine, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_at="3")
    ids = list(cut(engine).input_ids)
    own, ids[3] = ids[3], mask_id(engine)
    code = run_code(
        "masked", tmp_path, folder=folder(tiny_settings, tiny.MASKED), input_ids=ids, hidden={3: own}
    )
    table = charts(app)[0]
    answers = code["answers"][3]
    np.testing.assert_array_equal(table["token_id"][:10], [token for token, _p in answers])
    np.testing.assert_allclose(table["probability"][:10], [p for _token, p in answers], atol=1e-6)


# ---------------------------------------------------------------- tasks


def known_word(engine: Engine) -> tuple[str, int]:
    """A text and a position in it where the model's first choice is what stands there."""
    for words in permutations(TEXT.split(), 5):
        tried = " ".join(words)
        tokens = cut(engine, tried)
        for at in range(1, len(tokens) - 1):
            ids = list(tokens.input_ids)
            ids[at] = mask_id(engine)
            best = int(engine.fill(FillRequest(tiny.MASKED, input_ids=tuple(ids), n_top=1)).top_ids[0, 0])
            ids[at] = best
            (start, stop), (word,) = tokens.offsets[at], engine.tokenizers.token_texts(tiny.MASKED, [best])
            space = " " if tried[start:stop].startswith(" ") else ""
            text = tried[:start] + space + word.strip() + tried[stop:]
            if list(cut(engine, text).input_ids) == ids:
                return text, at
    raise AssertionError("no such text")


def test_the_mask_that_stands_there_first_solves_no_task(
    open_app: OpenApp, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, at = known_word(engine)
    monkeypatch.setattr("playground.core.masked.longest", lambda _labels, _free: at)
    arrived = told(open_app("masked", lang="en", text=text))
    assert "is what stood there" in arrived
    assert "0 of 3 solved" in arrived
    assert "1 of 3 solved" in told(open_app("masked", lang="en", text=text, mas_at=str(at)))


def test_tasks_follow_the_model(open_app: OpenApp, engine: Engine) -> None:
    ids = list(cut(engine).input_ids)
    for at in range(1, len(ids) - 1):
        masked = (*ids[:at], mask_id(engine), *ids[at + 1 :])
        filled = engine.fill(FillRequest(tiny.MASKED, input_ids=masked, n_top=1, token_ids=(ids[at],)))
        is_known = bool(filled.token_ranks[0, 0] == 0)
        if at in (2, 3) or is_known:
            app = open_app("masked", lang="en", text=TEXT, mas_at=str(at))
            assert any("Mostly these are words" in one.value for one in app.success) is is_known
    bits = -float(filled.token_logprobs[0, 0]) / LN_2
    app = open_app("masked", lang="en", text=TEXT, mas_at=str(at))
    (field,) = [one for one in app.number_input if "How many bits" in one.label]
    field.set_value(round(bits, 2)).run()
    assert any("This is the loss" in one.value for one in app.success)
    differ = [
        "is the best for itself"
        in told(open_app("masked", lang="en", text=TEXT, mas_at=pair, mas_panel="order"))
        for pair in ("2.3", "5.6")
    ]
    for pair, may_differ in zip(("2.3", "5.6"), differ, strict=True):
        app = open_app("masked", lang="en", text=TEXT, mas_at=pair)
        assert may_differ or not any("the pair fits together" in one.value for one in app.success)


def test_the_mask_of_the_page_itself_solves_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    view: Any = SimpleNamespace(masked=(1,), tokens=SimpleNamespace(input_ids=(0, 5, 2)))
    filled: Any = SimpleNamespace(positions=np.array([1]), top_ids=np.array([[5]]))
    for chosen, is_known in (("", False), ("1", True)):
        monkeypatch.setattr(st, "session_state", {AT: chosen})
        assert tasks.tasks(view, filled)[0].answer() == is_known
