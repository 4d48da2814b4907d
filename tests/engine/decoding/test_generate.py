"""Generated tokens are the library's, whoever shares the batch."""

from __future__ import annotations

import threading
import time
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch

from playground.core import ranking, sampling
from playground.core.penalties import Penalties
from playground.core.pieces import open_bytes
from playground.core.sampling import Sampling
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.decoding.row import DecodeRow
from playground.engine.forward.predictions import summarise
from playground.engine.local.engine import LocalEngine
from playground.errors import BadValue, Cancelled, NotComputed, Superseded
from playground.settings import DEFAULT_DECODER, Settings
from tests import tiny
from tests.engine.conftest import oracle

TEXTS = ("The capital of England is", "the cat", "서울은", "def add(a, b):", "0 1 2 3 4 5 6 7", "a")


def ids_of(steps: list[GenerateStep]) -> list[int]:
    return [step.token_id for step in steps]


def request(model: str, text: str, **settings: Any) -> GenerateRequest:
    """Also with fields of its sampling and of its penalties."""
    parts = {"sampling": Sampling, "penalties": Penalties}
    made = {
        part: kind(**{one.name: settings.pop(one.name) for one in fields(kind) if one.name in settings})
        for part, kind in parts.items()
    }
    return GenerateRequest(model, text, **{"max_new_tokens": 12, **made, **settings})


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_greedy_equals_the_librarys_generate(
    tiny_engine: LocalEngine, tiny_settings: Settings, model: str
) -> None:
    for text in TEXTS:
        steps = list(tiny_engine.generate(request(model, text, temperature=0)))
        ids = tiny_engine.tokenizers.tokenize(model, text, add_special_tokens=True).input_ids
        expected = oracle(tiny_settings, model).generate(
            torch.tensor([ids]), do_sample=False, max_new_tokens=12, pad_token_id=0
        )
        assert ids_of(steps) == expected[0, len(ids) :].tolist()


def test_a_repetition_penalty_counts_text_and_written_as_the_librarys_generate(
    tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    for text in TEXTS:
        wanted = request(tiny.LLAMA, text, temperature=0, repetition_penalty=1.8)
        ids = tiny_engine.tokenizers.tokenize(tiny.LLAMA, text, add_special_tokens=True).input_ids
        expected = oracle(tiny_settings, tiny.LLAMA).generate(
            torch.tensor([ids]), do_sample=False, max_new_tokens=12, pad_token_id=0, repetition_penalty=1.8
        )
        assert ids_of(list(tiny_engine.generate(wanted))) == expected[0, len(ids) :].tolist()


def test_a_presence_penalty_makes_greedy_text_say_nothing_twice(tiny_engine: LocalEngine) -> None:
    usual = ids_of(list(tiny_engine.generate(request(tiny.LLAMA, TEXTS[0], temperature=0))))
    wanted = request(tiny.LLAMA, TEXTS[0], temperature=0, presence_penalty=2.0, frequency_penalty=2.0)
    varied = ids_of(list(tiny_engine.generate(wanted)))
    assert len(set(varied)) > len(set(usual))
    assert varied[0] == usual[0], "nothing was written yet"


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_rows_that_join_and_leave_do_not_disturb_each_other(tiny_engine: LocalEngine, model: str) -> None:
    """Thirty rows of different lengths start at different moments and stop at different steps."""
    wanted = [
        request(model, TEXTS[i % len(TEXTS)], temperature=0.9, top_p=0.95, seed=i, max_new_tokens=3 + i)
        for i in range(30)
    ]
    alone = [list(tiny_engine.generate(each)) for each in wanted]
    together: dict[int, list[GenerateStep]] = {}

    def student(i: int) -> None:
        time.sleep(0.002 * (i % 7))
        again = replace(wanted[i], request_id=f"again-{i}")
        together[i] = list(tiny_engine.generate(again))

    before = tiny_engine.stats()
    threads = [threading.Thread(target=student, args=(i,)) for i in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(30):
        tie = next((step.index for step in alone[i] if step.near_tie), None)
        assert ids_of(together[i][:tie]) == ids_of(alone[i][:tie])
    assert sum(any(step.near_tie for step in steps) for steps in alone) < 10, "ties are the exception"
    after = tiny_engine.stats()
    steps = after.n_decode_steps - before.n_decode_steps
    tokens = after.n_decoded_tokens - before.n_decoded_tokens
    assert tokens == sum(map(len, together.values()))
    assert steps < tokens / 3, "the rows did not share their steps"


def test_same_seed_same_tokens_other_seed_other_tokens(tiny_engine: LocalEngine) -> None:
    first, same, other = (
        ids_of(list(tiny_engine.generate(request(tiny.LLAMA, TEXTS[0], seed=seed)))) for seed in (1, 1, 2)
    )
    assert first == same != other


def test_each_step_reports_the_models_own_distribution(tiny_engine: LocalEngine) -> None:
    settings = {"temperature": 0.7, "top_k": 20, "top_p": 0.9, "seed": 5}
    steps = list(tiny_engine.generate(request(tiny.LLAMA, TEXTS[0], **settings)))
    ids = list(tiny_engine.tokenizers.tokenize(tiny.LLAMA, TEXTS[0], add_special_tokens=True).input_ids)
    for step in steps:
        trace = tiny_engine.trace(
            TraceRequest(tiny.LLAMA, input_ids=tuple(ids), capture=Capture(logits="last"))
        )
        assert trace.logits is not None
        logits = trace.logits[0].astype(np.float64)
        logprobs = logits - np.logaddexp.reduce(logits)
        assert step.logprob == pytest.approx(logprobs[step.token_id], abs=1e-4)
        assert step.log_sum_exp == pytest.approx(np.logaddexp.reduce(logits), abs=1e-4)
        assert step.entropy_bits == pytest.approx(-(np.exp(logprobs) * logprobs).sum() / np.log(2), abs=1e-3)
        assert step.rank == (logits > logits[step.token_id]).sum()
        assert step.top_ids[0] == logits.argmax()
        np.testing.assert_allclose(step.top_logits, np.sort(logits)[::-1][:64], atol=1e-4)
        kept = sampling.distribution(ranking.rank(logits), Sampling(temperature=0.7, top_k=20, top_p=0.9))
        assert step.prob == pytest.approx(kept.probs[kept.token_ids.tolist().index(step.token_id)], abs=1e-4)
        ids.append(step.token_id)


def test_text_is_whole_characters_and_ends_are_named(tiny_engine: LocalEngine) -> None:
    steps = list(tiny_engine.generate(request(tiny.LLAMA, "서울은", seed=3, max_new_tokens=40)))
    assert [step.finish_reason for step in steps[:-1]] == [None] * (len(steps) - 1)
    assert steps[-1].finish_reason in ("length", "end_of_text")
    loaded = tiny_engine._table.load(tiny.LLAMA).result()
    raw = b"".join(loaded.tokenizer.token_bytes(step.token_id) for step in steps)
    assert "".join(step.text for step in steps) == raw.decode("utf-8", "replace")


def test_a_text_that_ends_inside_a_character_ends_before_it(tiny_engine: LocalEngine) -> None:
    n_open = 0
    for seed in range(40):
        steps = list(tiny_engine.generate(request(tiny.LLAMA, "서울은", seed=seed, max_new_tokens=1)))
        token = tiny_engine.adapters.tokenizer(tiny.LLAMA).token_bytes(steps[0].token_id)
        begun = open_bytes(token)
        assert "".join(step.text for step in steps) == token[: len(token) - len(begun)].decode(
            "utf-8", "replace"
        )
        n_open += bool(begun)
    assert n_open


def test_context_window_ends_the_text(tiny_engine: LocalEngine) -> None:
    ids = tuple([5] * (tiny.N_CTX - 3))
    steps = list(tiny_engine.generate(GenerateRequest(tiny.LLAMA, input_ids=ids, max_new_tokens=10)))
    assert len(steps) <= 3
    assert steps[-1].finish_reason in ("context_full", "end_of_text")


def test_closing_the_iterator_frees_the_row_within_one_step(tiny_engine: LocalEngine) -> None:
    steps = tiny_engine.generate(request(tiny.LLAMA, TEXTS[0], max_new_tokens=100, seed=9))
    next(steps)
    steps.close()
    settled = _settled(tiny_engine)
    assert settled.n_decoding == 0
    time.sleep(0.05)
    assert tiny_engine.stats().n_decode_steps == settled.n_decode_steps


def test_newer_request_of_a_session_supersedes_its_older_one(tiny_engine: LocalEngine) -> None:
    older = tiny_engine.generate(GenerateRequest(tiny.LLAMA, TEXTS[0], max_new_tokens=100, owner="ann"))
    next(older)
    newer = tiny_engine.generate(GenerateRequest(tiny.LLAMA, TEXTS[1], max_new_tokens=2, owner="ann"))
    assert len(list(newer)) == 2
    with pytest.raises(Superseded):
        list(older)


def test_cancelled_owner_gets_cancelled_everywhere(tiny_engine: LocalEngine) -> None:
    steps = tiny_engine.generate(GenerateRequest(tiny.LLAMA, TEXTS[0], max_new_tokens=100, owner="bob"))
    next(steps)
    tiny_engine.cancel_owner("bob")
    with pytest.raises(Cancelled):
        list(steps)


def test_one_rows_failure_is_its_own(tiny_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ranking.rank

    def rank(logits: np.ndarray) -> ranking.RankedLogits:
        calls.append(1)
        return real(np.full_like(logits, np.nan) if len(calls) == 1 else logits)

    calls: list[int] = []
    expected = ids_of(list(tiny_engine.generate(request(tiny.LLAMA, TEXTS[1], seed=4))))
    monkeypatch.setattr(ranking, "rank", rank)
    with pytest.raises(NotComputed):
        list(tiny_engine.generate(request(tiny.LLAMA, TEXTS[0], seed=4)))
    assert ids_of(list(tiny_engine.generate(request(tiny.LLAMA, TEXTS[1], seed=4)))) == expected


@pytest.mark.real
def test_real_greedy_equals_the_librarys_generate(real_engine: LocalEngine, real_settings: Settings) -> None:
    text = "Once upon a time"
    steps = list(real_engine.generate(request(DEFAULT_DECODER, text, temperature=0)))
    ids = real_engine.tokenizers.tokenize(DEFAULT_DECODER, text, add_special_tokens=True).input_ids
    expected = oracle(real_settings, DEFAULT_DECODER).generate(
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), do_sample=False, max_new_tokens=12
    )
    assert ids_of(steps) == expected[0, len(ids) :].tolist()


def _settled(engine: LocalEngine) -> object:
    for _ in range(100):
        if engine.stats().n_decoding == 0:
            break
        time.sleep(0.01)
    return engine.stats()


def many(model: str, requests: list[GenerateRequest], owner: str = "") -> GenerateManyRequest:
    return GenerateManyRequest(model, tuple(requests), owner=owner)


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_many_at_once_are_each_the_same_as_alone(tiny_engine: LocalEngine, model: str) -> None:
    wanted = [
        request(model, TEXTS[0], temperature=0.5 + i / 4, seed=i, max_new_tokens=4 + i % 3) for i in range(16)
    ]
    alone = [ids_of(list(tiny_engine.generate(one))) for one in wanted]
    before = tiny_engine.stats()
    found: list[list[int]] = [[] for _ in wanted]
    for row, step in tiny_engine.generate_many(many(model, wanted, owner="ann")):
        found[row].append(step.token_id)
    assert found == alone
    after = tiny_engine.stats()
    assert after.n_decode_steps - before.n_decode_steps <= 12, "they share their steps"


def test_many_count_as_one_request_and_closing_stops_all(tiny_engine: LocalEngine) -> None:
    wanted = [request(tiny.LLAMA, TEXTS[0], seed=i, max_new_tokens=100) for i in range(16)]
    running = tiny_engine.generate_many(many(tiny.LLAMA, wanted, owner="ann"))
    next(running)
    other = tiny_engine.generate(replace(request(tiny.LLAMA, TEXTS[1], max_new_tokens=3), owner="ann"))
    assert len(list(other)) == 3, "16 rows leave room in the session's inbox"
    running.close()
    deadline = time.monotonic() + 30
    while tiny_engine.stats().n_decoding and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tiny_engine.stats().n_decoding == 0


@pytest.mark.parametrize(
    "requests", [[], [request(tiny.LLAMA, "x")] * 65, [request(tiny.LLAMA, "x", temperature=-1)]]
)
def test_many_refuses_none_too_many_and_bad_settings(
    tiny_engine: LocalEngine, requests: list[GenerateRequest]
) -> None:
    with pytest.raises(BadValue):
        list(tiny_engine.generate_many(many(tiny.LLAMA, requests)))


@pytest.mark.parametrize("text", [TEXTS[0], TEXTS[2]])
def test_going_on_from_what_was_written_is_the_same_text(tiny_engine: LocalEngine, text: str) -> None:
    """Greedy with penalties: what was written before counts as written, whoever wrote it."""
    settings = {"temperature": 0, "presence_penalty": 1.5, "max_new_tokens": 12}
    whole = list(tiny_engine.generate(request(tiny.LLAMA, text, **settings)))
    ids = ids_of(whole)
    for n in (1, 5, 11):
        rest = replace(request(tiny.LLAMA, text, **settings), written=tuple(ids[:n]), max_new_tokens=12 - n)
        steps = list(tiny_engine.generate(rest))
        assert ids_of(steps) == ids[n:]
        assert steps[0].index == 0
        spelled = tiny_engine.tokenizers.text_of(tiny.LLAMA, ids[:n]) + "".join(step.text for step in steps)
        assert spelled == "".join(step.text for step in whole)


def test_unknown_written_tokens_are_refused(tiny_engine: LocalEngine) -> None:
    with pytest.raises(BadValue):
        list(tiny_engine.generate(replace(request(tiny.LLAMA, "x"), written=(10**6,))))


@pytest.mark.parametrize("n_before", [1, 4, 11])
def test_a_run_taken_up_again_draws_what_it_would_have_drawn(tiny_engine: LocalEngine, n_before: int) -> None:
    whole = request(tiny.LLAMA, TEXTS[2], temperature=1.2, seed=11, frequency_penalty=0.5)
    steps = list(tiny_engine.generate(whole))
    before = tuple(ids_of(steps)[:n_before])
    again = replace(
        whole, written=before, n_drawn=n_before, max_new_tokens=12 - n_before, request_id=f"again-{n_before}"
    )
    assert ids_of(list(tiny_engine.generate(again))) == ids_of(steps)[n_before:]


def test_alone_is_bit_for_bit_the_same_beside_others(tiny_engine: LocalEngine) -> None:
    exact = request(tiny.LLAMA, TEXTS[0], temperature=1.0, seed=3, alone=True)
    expected = [(step.token_id, step.log_sum_exp) for step in tiny_engine.generate(exact)]
    others = tuple(request(tiny.LLAMA, TEXTS[i % 6], seed=i, max_new_tokens=40) for i in range(8))
    beside = tiny_engine.generate_many(GenerateManyRequest(tiny.LLAMA, others))
    next(beside)  # they are in the batch
    before = tiny_engine.stats()
    found = [
        (step.token_id, step.log_sum_exp) for step in tiny_engine.generate(replace(exact, request_id="x"))
    ]
    after = tiny_engine.stats()
    beside.close()
    assert found == expected
    # a step of its own each time, beside those of the others
    assert after.n_decode_steps - before.n_decode_steps >= 2 * (len(found) - 1)


def test_a_near_tie_is_named(tiny_engine: LocalEngine) -> None:
    loaded = tiny_engine._table.load(tiny.LLAMA).result()
    logits = np.full(loaded.info.d_vocab, -30.0, np.float32)

    def step(gap: float, *, temperature: float, seed: int = 0) -> GenerateStep:
        logits[7:9] = gap, 0.0
        wanted = GenerateRequest(tiny.LLAMA, "a", sampling=Sampling(temperature=temperature), seed=seed)
        row = DecodeRow(wanted, (5,), lambda step: None, loaded)
        return row.take(logits, summarise(torch.from_numpy(logits)[None], 64), 0)

    assert step(1e-5, temperature=0).near_tie
    assert step(0.0, temperature=0).near_tie
    assert not step(0.1, temperature=0).near_tie
    seed, u = next(
        (seed, u)
        for seed in range(50)
        if (u := np.random.Generator(np.random.Philox(key=seed)).random()) > 0.6
    )
    share = float(np.log(u / (1 - u)))  # with this lead the first token ends where the draw falls
    assert step(share, temperature=1, seed=seed).near_tie
    assert not step(share + 0.1, temperature=1, seed=seed).near_tie
