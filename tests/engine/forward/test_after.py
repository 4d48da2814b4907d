"""A text that goes on from a trace: the same logits as reading all of it, and only the rest is read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from playground.core.interventions import Intervention
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.forward.after import NEXT_TOKEN, goes_on, run_after
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.local.engine import LocalEngine
from playground.settings import DEFAULT_DECODER
from tests import tiny
from tests.engine.conftest import same_to_rounding

TEXTS = ("The cat sat on the mat", "a", "대한민국의 수도는", "The dog and the cat and the dog sat on the mat")
RESTS = ((3,), (5, 9, 2), (1, 8), (4,))
KEPT = Capture(logits="last", query_key=True)


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
@torch.no_grad()
def test_a_batch_of_any_lengths_gives_the_logits_of_the_whole_texts(
    tiny_engine: LocalEngine, model: str
) -> None:
    loaded = tiny_engine._table.load(model).result()
    ids = [tuple(loaded.tokenizer.encode(text)) for text in TEXTS]
    begun = run_traces(loaded, [InputRow(one) for one in ids], KEPT)
    rows = [InputRow((*one, *rest)) for one, rest in zip(ids, RESTS, strict=True)]
    found = run_after(loaded, list(zip(rows, begun, strict=True)))
    for row, trace in zip(rows, found, strict=True):
        (whole,) = run_traces(loaded, [row], NEXT_TOKEN)
        same_to_rounding(np.asarray(trace.logits), np.asarray(whole.logits), "logits")
        for name in ("model_id", "revision", "adapter", "dtype", "device"):
            assert getattr(trace, name) == getattr(whole, name), name
        np.testing.assert_array_equal(trace.input_ids, whole.input_ids)
        np.testing.assert_array_equal(trace.logit_positions, whole.logit_positions)


@pytest.mark.real
def test_the_default_model_reads_only_what_is_new(real_engine: LocalEngine) -> None:
    text = "영희는 어제 학교에서 친구를 만나"
    begun = real_engine.trace(TraceRequest(DEFAULT_DECODER, text, Capture(logits="last", query_key=True)))
    rests = [(token,) for token in range(1000, 1006)]
    before = real_engine.stats()

    def ask(rest: tuple[int, ...]) -> Trace:
        ids = (*begun.input_ids.tolist(), *rest)
        return real_engine.trace(
            TraceRequest(DEFAULT_DECODER, input_ids=ids, capture=Capture(logits="last"), after=begun)
        )

    with ThreadPoolExecutor(len(rests)) as pool:
        found = list(pool.map(ask, rests))
    after = real_engine.stats()
    assert after.n_prefill_tokens - before.n_prefill_tokens == len(rests)
    for trace in found[:2]:
        whole = TraceRequest(
            DEFAULT_DECODER, input_ids=(*trace.input_ids.tolist(),), capture=Capture(logits="last")
        )
        assert real_engine.trace(whole).cached, "the same answer under the same key"
        plain = replace(whole, capture=Capture(logits="all"))  # read whole
        np.testing.assert_allclose(
            np.asarray(trace.logits)[0], np.asarray(real_engine.trace(plain).logits)[-1], rtol=1e-4, atol=2e-3
        )


def test_what_does_not_begin_with_the_trace_is_read_whole(tiny_engine: LocalEngine) -> None:
    loaded = tiny_engine._table.load(tiny.LLAMA).result()
    begun = tiny_engine.trace(TraceRequest(tiny.LLAMA, "The cat sat", Capture(logits="last", query_key=True)))
    bare = tiny_engine.trace(TraceRequest(tiny.LLAMA, "The cat sat", Capture(logits="last")))
    other = tiny_engine.trace(TraceRequest(tiny.GPT2, "The cat sat", Capture(logits="last", query_key=True)))
    ids = tuple(begun.input_ids.tolist())
    row = InputRow((*ids, 5))
    assert goes_on(loaded, row, NEXT_TOKEN, begun)
    assert not goes_on(loaded, row, NEXT_TOKEN, None)
    assert not goes_on(loaded, row, NEXT_TOKEN, bare), "without keys"
    assert not goes_on(loaded, row, NEXT_TOKEN, other), "of another model"
    assert not goes_on(loaded, InputRow(ids), NEXT_TOKEN, begun), "nothing is new"
    assert not goes_on(loaded, InputRow((ids[0] + 1, *ids[1:], 5)), NEXT_TOKEN, begun)
    assert not goes_on(loaded, row, KEPT, begun), "more is wanted"
    assert not goes_on(loaded, replace(row, position_ids=(0,) * len(row.input_ids)), NEXT_TOKEN, begun)
    assert not goes_on(loaded, replace(row, intervention=Intervention(((0, 1),))), NEXT_TOKEN, begun)
    wrong = TraceRequest(tiny.LLAMA, "the dog and the mat", Capture(logits="last"), after=begun)
    plain = replace(wrong, after=None, capture=Capture(logits="all"))
    whole = np.asarray(tiny_engine.trace(plain).logits)[-1:]
    same_to_rounding(np.asarray(tiny_engine.trace(wrong).logits), whole, "logits")
