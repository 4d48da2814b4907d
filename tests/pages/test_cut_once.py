"""A sentence's way through a page: it is cut once and spelled once, whatever the page asks of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.models.tokenizing import TextTokenizer
from playground.engine.process import SharedEngine
from tests import tiny
from tests.pages.conftest import OpenApp

TEXT = "the dog sat on a mat that no other test reads"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, object]]:
    """(cut, text) and (spelled, ids) of everything that a tokenizer of a model is asked."""
    found: Counter[tuple[str, object]] = Counter()

    def count(name: str, kind: str, key: Callable[[Any], object]) -> None:
        real = getattr(TextTokenizer, name)

        def method(self: TextTokenizer, given: Any, *args: Any, **more: Any) -> Any:
            given = tuple(given) if kind == "spelled" else given
            found[kind, key(given)] += 1
            return real(self, given, *args, **more)

        monkeypatch.setattr(TextTokenizer, name, method)

    def as_ids(ids: Iterable[int]) -> tuple[int, ...]:
        return tuple(map(int, ids))

    count("tokenize", "cut", str)
    count("encode", "cut", str)
    count("beginning", "cut", str)
    count("token_texts", "spelled", as_ids)
    return found


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.BERT])
def test_home_cuts_the_sentence_once_and_spells_it_once(
    open_app: OpenApp, tiny_engine: SharedEngine, counted: Counter[tuple[str, object]], model: str
) -> None:
    ids = tiny_engine.get(timeout_s=180).tokenizers.tokenize(model, TEXT, add_special_tokens=True).input_ids
    counted.clear()
    app = open_app("home", model=model, text=TEXT)
    assert not app.exception
    assert counted["cut", TEXT] == 1
    assert counted["spelled", ids] == 1


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2, tiny.BERT])
@pytest.mark.parametrize(
    "text", ["a\ud83d b", "[CLS] the cat </s> <|im_start|>", "\u200b\x07 the  CAT\n", "가나다 🙂"]
)
def test_ids_of_the_cut_give_the_trace_of_the_text(tiny_engine: SharedEngine, model: str, text: str) -> None:
    """Also where a tokenizer cannot give the text back."""
    engine = tiny_engine.get(timeout_s=180)
    cut = engine.tokenizers.tokenize(model, text, add_special_tokens=True)
    capture = Capture(hidden_states="all")
    of_text = engine.trace(TraceRequest(model, text, capture))
    of_ids = engine.trace(TraceRequest(model, input_ids=cut.input_ids, capture=capture))
    assert tuple(of_text.input_ids.tolist()) == cut.input_ids
    assert of_ids.cached
    np.testing.assert_array_equal(of_ids.hidden_states, of_text.hidden_states)
