"""Targets that an encoder-decoder writes are the library's, whoever shares the batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from playground.core import ranking, sampling
from playground.core.penalties import Penalties
from playground.core.sampling import GREEDY, Sampling
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.decoding.slots import SlotCache
from playground.engine.decoding.target_slots import AlignedSlots
from playground.engine.local.engine import LocalEngine
from playground.errors import BadValue, OutOfMemory, TooManyTokens
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle, same_to_rounding

TEXTS = ("The capital of England is London.", "the cat", "서울은 한국의 수도입니다.", "0 1 2 3 4 5 6 7", "a")


def ask(text: str, **settings: Any) -> GenerateRequest:
    return GenerateRequest(tiny.T5, text, **{"max_new_tokens": 12, "sampling": GREEDY, **settings})


def source_of(engine: LocalEngine, text: str) -> tuple[int, ...]:
    return engine.tokenizers.tokenize(tiny.T5, text, add_special_tokens=True).input_ids


def ids_of(steps: Sequence[GenerateStep]) -> list[int]:
    return [step.token_id for step in steps]


def plain_logits(settings: Settings, source: Sequence[int], target: Sequence[int]) -> np.ndarray:
    """The library's logits after a start token and these tokens, without any cache."""
    with torch.no_grad():
        output = oracle(settings, tiny.T5)(
            input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([[0, *target]]), use_cache=False
        )
    logits: np.ndarray = output.logits[0, -1].numpy()
    return logits


def check_steps(settings: Settings, source: Sequence[int], request: GenerateRequest, steps: Any) -> None:
    """Every draw is the one that this stream makes from the library's logits, up to near ties."""
    stream = np.random.Generator(np.random.Philox(key=request.seed))
    target = list(request.written)
    for step in steps:
        logits = plain_logits(settings, source, target)
        total = float(np.logaddexp.reduce(logits.astype(np.float64)))
        assert step.logprob == pytest.approx(logits[step.token_id] - total, abs=1e-4)
        assert step.log_sum_exp == pytest.approx(total, abs=1e-4)
        best = np.argsort(-logits, kind="stable")[: request.n_top]
        np.testing.assert_allclose(step.top_logits, logits[best], atol=1e-4)
        kept = sampling.distribution(ranking.rank(logits), request.sampling)
        place, _margin = sampling.draw_index(kept, stream.random())
        assert step.near_tie or step.token_id == kept.token_ids[place]
        target.append(step.token_id)


@pytest.mark.parametrize("penalty", [1.0, 1.8])
def test_greedy_equals_the_librarys_generate(
    tiny_engine: LocalEngine, tiny_settings: Settings, penalty: float
) -> None:
    """A repetition penalty looks at the target and its start token, not at the source."""
    for text in TEXTS:
        wanted = ask(text, max_new_tokens=20, penalties=Penalties(repetition_penalty=penalty))
        expected = oracle(tiny_settings, tiny.T5).generate(
            torch.tensor([source_of(tiny_engine, text)]), do_sample=False, num_beams=1, max_new_tokens=20,
            repetition_penalty=penalty,
        )  # fmt: skip
        assert ids_of(list(tiny_engine.generate(wanted))) == expected[0, 1:].tolist()


def test_sampled_tokens_are_drawn_from_the_librarys_distribution(
    tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    for seed, text in enumerate(TEXTS):
        wanted = ask(text, sampling=Sampling(0.9, top_k=30, top_p=0.95), seed=seed, n_top=7)
        steps = list(tiny_engine.generate(wanted))
        check_steps(tiny_settings, source_of(tiny_engine, text), wanted, steps)


def test_rows_of_many_sources_join_and_leave_without_disturbing_each_other(
    tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    """Different sources, different targets so far, other moments of beginning, other lengths."""
    written = [tuple(5 + (i * k) % 70 for k in range(i % 9)) for i in range(20)]
    wanted = [
        ask(TEXTS[i % 5], sampling=Sampling(0.9), seed=i, max_new_tokens=3 + 2 * i, written=written[i])
        for i in range(20)
    ]
    found: dict[int, list[GenerateStep]] = {}

    def student(i: int) -> None:
        time.sleep(0.004 * (i % 7))
        found[i] = list(tiny_engine.generate(wanted[i]))

    before = tiny_engine.stats()
    threads = [threading.Thread(target=student, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = tiny_engine.stats()
    for i, request in enumerate(wanted):
        check_steps(tiny_settings, source_of(tiny_engine, request.text), request, found[i])
        assert len(found[i]) == request.max_new_tokens or found[i][-1].finish_reason == "end_of_text"
    n_tokens = sum(map(len, found.values()))
    assert after.n_decoded_tokens - before.n_decoded_tokens == n_tokens
    assert after.n_decode_steps - before.n_decode_steps < n_tokens / 2, "the rows did not share their steps"


@pytest.mark.parametrize("slots", [AlignedSlots, SlotCache])
def test_rows_go_on_when_there_is_no_room_for_another(
    tiny_engine: LocalEngine,
    tiny_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    slots: type[SlotCache],
) -> None:
    """The targets of new rows, or their sources, do not fit: they alone are told."""
    drawn = (ask(TEXTS[0], max_new_tokens=60, sampling=Sampling(), seed=seed) for seed in range(99))
    first = next(one for one in drawn if len(list(tiny_engine.generate(one))) > 10)
    running = tiny_engine.generate(first)
    steps = [next(running), next(running)]  # it has joined
    real = slots.join

    def full(self: SlotCache, *args: Any) -> None:
        if type(self) is slots:
            raise torch.OutOfMemoryError
        real(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(slots, "join", full)
        with pytest.raises(OutOfMemory):
            list(tiny_engine.generate(ask(TEXTS[1], written=(5,) * 9)))
    later = ask(TEXTS[2], max_new_tokens=20)
    for text, request, found in (
        (TEXTS[2], later, list(tiny_engine.generate(later))),
        (TEXTS[0], first, [*steps, *running]),
    ):
        assert len(found) > 10
        check_steps(tiny_settings, source_of(tiny_engine, text), request, found)


def test_many_at_once_are_each_the_same_as_alone(tiny_engine: LocalEngine) -> None:
    wanted = [
        ask(TEXTS[i % 5], sampling=Sampling(0.5 + i / 4), seed=i, max_new_tokens=4 + i) for i in range(8)
    ]
    alone = [ids_of(list(tiny_engine.generate(replace(one, alone=True)))) for one in wanted]
    found: list[list[int]] = [[] for _ in wanted]
    for row, step in tiny_engine.generate_many(GenerateManyRequest(tiny.T5, tuple(wanted))):
        found[row].append(step.token_id)
    assert found == alone


def test_going_on_from_what_was_written_is_the_same_target(tiny_engine: LocalEngine) -> None:
    settings = {"penalties": Penalties(1.3, presence_penalty=1.5), "seed": 4, "sampling": Sampling(1.1)}
    whole = list(tiny_engine.generate(ask(TEXTS[0], **settings)))
    ids = ids_of(whole)
    for n in (1, 5, len(ids) - 1):
        rest = ask(TEXTS[0], written=tuple(ids[:n]), n_drawn=n, **settings | {"max_new_tokens": 12 - n})
        steps = list(tiny_engine.generate(rest))
        assert ids_of(steps) == ids[n:]


def test_the_text_is_what_the_library_spells(tiny_engine: LocalEngine) -> None:
    tokenizer = tiny_engine._table.load(tiny.T5).result().tokenizer.tokenizer
    for seed, text in enumerate(TEXTS):
        steps = list(tiny_engine.generate(ask(text, seed=seed, sampling=Sampling(), max_new_tokens=9)))
        spelled = tokenizer.decode(ids_of(steps), skip_special_tokens=True)
        assert "".join(step.text for step in steps) == spelled


def test_a_target_ends_for_one_of_three_reasons(tiny_engine: LocalEngine) -> None:
    end = next(iter(tiny_engine._table.tokenizer(tiny.T5).eos_ids))
    runs = [list(tiny_engine.generate(ask("a", seed=seed, sampling=Sampling()))) for seed in range(40)]
    ended = next(steps for steps in runs if steps[-1].finish_reason == "end_of_text")
    assert ids_of(ended)[-1] == end
    assert end not in ids_of(ended)[:-1]
    cut = next(steps for steps in runs if len(steps) == 12 and ids_of(steps)[-1] != end)
    assert cut[-1].finish_reason == "length"
    text = "".join(step.text for step in cut)
    again = replace(ask("a", sampling=Sampling()), seed=runs.index(cut), stop=(text[3:5],))
    stopped = list(tiny_engine.generate(again))
    assert stopped[-1].finish_reason == "stop"
    assert "".join(step.text for step in stopped) == text[: text.index(text[3:5])]


def test_a_trace_of_source_and_target_shows_where_each_step_looked(
    tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    """So writing itself captures nothing. Oracle: the library's own cross-attention while it generates."""
    source = source_of(tiny_engine, TEXTS[0])
    with torch.no_grad():
        out = oracle(tiny_settings, tiny.T5).generate(
            torch.tensor([source]), do_sample=False, num_beams=1, max_new_tokens=12, output_attentions=True,
            return_dict_in_generate=True,
        )  # fmt: skip
    written = ids_of(list(tiny_engine.generate(ask(TEXTS[0]))))
    wanted = TraceRequest(tiny.T5, TEXTS[0], Capture(attentions="float32"), decoder_ids=tuple(written[:-1]))
    trace = tiny_engine.trace(wanted)
    assert trace.cross_attentions is not None
    assert len(out.cross_attentions) == len(written)
    for place, layers in enumerate(out.cross_attentions):
        same_to_rounding(trace.cross_attentions[:, :, place], torch.stack(layers)[:, 0, :, 0])  # type: ignore[arg-type]
    with pytest.raises(BadValue):
        tiny_engine.trace(replace(wanted, decoder_ids=(10**6,)))


def test_what_cannot_be_written_is_refused(tiny_engine: LocalEngine) -> None:
    with pytest.raises(BadValue):
        list(tiny_engine.generate(ask("a", written=(10**6,))))
    with pytest.raises(TooManyTokens):
        list(tiny_engine.generate(ask("a", written=(5,) * 600)))
