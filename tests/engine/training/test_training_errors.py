"""An error in training ends the run it belongs to: its reader gets a sentence, everybody else goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.training import FinetuneRequest
from playground.engine.decoding.batch import DecodeBatch
from playground.engine.decoding.row import DecodeRow, DecodeWork
from playground.engine.local.engine import LocalEngine
from playground.engine.training import adapter_objective, samples
from playground.engine.training import bank as fused
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.bank import AdapterBank
from playground.engine.training.run import FAILED, TrainingRun
from playground.engine.training.samples import MAX_SAMPLE_TOKENS
from playground.engine.training.trainer import Trainer
from playground.errors import Diverged, OutOfMemory
from playground.settings import Settings
from tests import tiny
from tests.engine.training.failing import PROMPTS, known, until
from tests.engine.training.learning import run_of, texts, wait, wait_written

ERRORS = (MemoryError(), RuntimeError("a test's"))


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    made = create_engine(tiny_settings)
    assert isinstance(made, LocalEngine)
    yield made
    made.close()


def greedy(engine: LocalEngine, prompt: tuple[int, ...]) -> str:
    asked = GenerateRequest(
        tiny.LLAMA, sampling=GREEDY, input_ids=prompt, n_top=1, max_new_tokens=MAX_SAMPLE_TOKENS
    )
    return "".join(step.text for step in engine.generate(asked))


# ---- samples


def leaves(engine: LocalEngine, owner: str, patch: pytest.MonkeyPatch) -> None:
    """Let a session leave after three tokens of its samples."""
    step = DecodeBatch.step

    def left_meanwhile(batch: DecodeBatch) -> None:
        step(batch)
        if any(row.n_steps == 3 and row.request.max_new_tokens == MAX_SAMPLE_TOKENS for row in batch.rows):
            patch.setattr(DecodeBatch, "step", step)
            engine.cancel_owner(owner)

    patch.setattr(DecodeBatch, "step", left_meanwhile)


def breaks(_engine: LocalEngine, _owner: str, patch: pytest.MonkeyPatch) -> None:
    """Let the samples' fourth token fail."""
    take, n_failed = DecodeRow.take, 0

    def failing(row: DecodeRow, *arguments: Any) -> Any:
        nonlocal n_failed
        if row.n_steps == 3 and n_failed < len(PROMPTS):
            n_failed += 1
            raise ValueError("a test's")
        return take(row, *arguments)

    patch.setattr(DecodeRow, "take", failing)


@pytest.mark.parametrize("stop", [leaves, breaks])
def test_samples_cut_short_are_nobody_elses(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, stop: Callable[..., None]
) -> None:
    same = {"held_out": texts(3, 1), "prompts": PROMPTS, "train": texts(7, 2)}
    first, second = run_of(1, owner="first", n_steps=200, **same), run_of(2, owner="second", **same)
    with monkeypatch.context() as patch:
        stop(engine, "first", patch)
        engine.training.runs.start(first)
        until(lambda: len(known(engine, first).samples) >= 2 and known(engine, first).samples[1].text != "")
        until(lambda: all(one.status != "open" for one in known(engine, first).samples[:2]))
    cut = known(engine, first).samples[:2]
    engine.training.runs.cancel(first.request_id)
    engine.training.runs.start(second)
    written = wait_written(engine, second).samples[:2]
    whole = [greedy(engine, prompt) for prompt in PROMPTS]
    assert [one.text for one in written] == whole
    assert [one.status for one in written] == ["whole"] * 2
    assert [one.status for one in cut] == ["cut"] * 2
    assert all(text.startswith(one.text) and text != one.text for one, text in zip(cut, whole, strict=True))


def test_whole_samples_are_found_beside_cut_ones(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = {"held_out": texts(3, 1), "prompts": PROMPTS, "n_steps": 2}
    runs = [run_of(number, owner=f"reader {number}", **same) for number in range(3)]
    with monkeypatch.context() as patch:
        breaks(engine, "", patch)
        engine.training.runs.start(runs[0])
        wait(engine, runs[0])
        until(lambda: all(one.status != "open" for one in known(engine, runs[0]).samples))
    assert known(engine, runs[0]).samples[0].status == "cut"
    engine.training.runs.start(runs[1])
    wait_written(engine, runs[1])
    before = engine.stats().n_decoded_tokens
    engine.training.runs.start(runs[2])
    assert wait_written(engine, runs[2]).samples[:2] == known(engine, runs[1]).samples[:2]
    n_last = len(PROMPTS) * MAX_SAMPLE_TOKENS
    assert engine.stats().n_decoded_tokens - before <= n_last, "those after the last step alone"


def test_samples_that_cannot_be_begun_keep_no_place(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count()

    def second_fails(*arguments: Any) -> DecodeWork:
        if next(calls):
            raise RuntimeError("a test's")
        return DecodeWork(*arguments)

    monkeypatch.setattr(samples, "DecodeWork", second_fails)
    request = run_of(1, owner="me", prompts=PROMPTS)
    engine.training.runs.start(request)
    assert wait(engine, request).status == "failed"
    until(lambda: not engine._scheduler._open)


# ---- errors

Patch = Callable[[pytest.MonkeyPatch, "Victim"], None]


class Victim:
    """Raises wherever a run is touched, once it has taken three steps (or at once)."""

    def __init__(self, engine: LocalEngine, request: FinetuneRequest, error: Exception) -> None:
        self.engine, self.request, self.error, self.n_raised = engine, request, error, 0

    def hit(self, concerned: bool, after: int = 3) -> None:
        part = self.engine.training.runs._parts.get(self.request.request_id)
        if concerned and part is not None and part[1].state.step >= after:
            self.n_raised += 1
            raise self.error

    def wrap(
        self, patch: pytest.MonkeyPatch, where: Any, name: str, concerned: Callable[..., bool], after: int = 3
    ) -> None:
        original = getattr(where, name)

        def failing(*arguments: Any, **more: Any) -> Any:
            self.hit(concerned(*arguments), after)
            return original(*arguments, **more)

        patch.setattr(where, name, failing)


def trains(slots: Sequence[AdapterSlot], victim: Victim) -> bool:
    return any(slot.request is victim.request for slot in slots)


def in_bank(patch: pytest.MonkeyPatch, victim: Victim, name: str, every: int = 1) -> None:
    calls = count(1)
    victim.wrap(
        patch, AdapterBank, name, lambda bank, *_: trains(bank.slots, victim) and not next(calls) % every
    )


def of_slot(patch: pytest.MonkeyPatch, victim: Victim, name: str) -> None:
    victim.wrap(patch, AdapterBank, name, lambda bank, slot, *_: bank.slots[slot].request is victim.request)


def begin_together(engine: LocalEngine, patch: pytest.MonkeyPatch, *runs: FinetuneRequest) -> None:
    begin, all_wait = Trainer._leave_and_join, threading.Event()
    patch.setattr(Trainer, "_leave_and_join", lambda self: begin(self) if all_wait.is_set() else None)
    for run in runs:
        engine.training.runs.start(run)
    all_wait.set()


PLACES: dict[str, Patch] = {
    "choose the texts": lambda patch, victim: victim.wrap(
        patch, TrainingRun, "batch", lambda run: run.request.request_id == victim.request.request_id
    ),
    "encode the texts": lambda patch, victim: victim.wrap(
        patch, fused, "packed", lambda each: any(set(victim.request.train) & set(own) for own in each)
    ),
    "build the bank": lambda patch, victim: victim.wrap(
        patch, AdapterBank, "__init__", lambda _bank, _base, slots, _give_way: trains(slots, victim), after=0
    ),
    "forward": lambda patch, victim: in_bank(patch, victim, "dropped", every=4),  # some dropout is drawn
    "update": lambda patch, victim: in_bank(patch, victim, "_update"),
    "evaluate": lambda patch, victim: of_slot(patch, victim, "measure"),
    "unpack": lambda patch, victim: of_slot(patch, victim, "unpack"),
    "keep the best": lambda patch, victim: victim.wrap(
        patch, TrainingRun, "snapshot", lambda run: run.request.request_id == victim.request.request_id
    ),
    "sample": lambda patch, victim: victim.wrap(
        patch, adapter_objective, "adapted_model",
        lambda _base, _adapter, name: name.adapter_id.startswith(victim.request.request_id),
    ),
    "lend": lambda patch, victim: victim.wrap(
        patch, AdapterTable, "add", lambda _lent, _adapter, owner: owner == victim.request.owner
    ),
}  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", PLACES)
def test_an_error_ends_its_run_alone(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, place: str, error: Exception
) -> None:
    good = run_of(1, owner="good", n_steps=12, lora_dropout=0.2, prompts=PROMPTS)
    bad = run_of(2, owner="bad", n_steps=12, prompts=PROMPTS)
    with monkeypatch.context() as patch:
        victim = Victim(engine, bad, error)
        PLACES[place](patch, victim)
        begin_together(engine, patch, good, bad)
        state, other = wait(engine, bad), wait_written(engine, good)
    assert victim.n_raised
    assert state.status == "failed"
    assert state.error == (OutOfMemory().message if isinstance(error, MemoryError) else FAILED)
    assert not state.adapter or place != "lend"
    until(lambda: all(one.status != "open" for one in known(engine, bad).samples))
    alone = replace(good, owner="alone", request_id="alone")
    engine.training.runs.start(alone)
    expected = wait_written(engine, alone)
    assert other.status == "done"
    for mine, own in ((other.train, expected.train), (other.held_out, expected.held_out)):
        assert [step for step, _ in mine] == [step for step, _ in own]
        assert [loss for _, loss in mine] == pytest.approx([loss for _, loss in own], abs=1e-5)
    assert [one.text for one in other.samples] == [one.text for one in expected.samples]
    until(lambda: not engine.stats().n_training)
    assert greedy(engine, PROMPTS[0]) == other.samples[0].text


def test_who_generates_meanwhile_notices_nothing(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, found = greedy(engine, PROMPTS[0]), list[str]()
    bad = run_of(2, owner="bad", n_steps=12)
    victim = Victim(engine, bad, RuntimeError("a test's"))
    in_bank(monkeypatch, victim, "dropped")
    stopped = threading.Event()

    def generate() -> None:
        while not stopped.is_set():
            found.append(greedy(engine, PROMPTS[0]))

    reader = threading.Thread(target=generate)
    reader.start()
    engine.training.runs.start(bad)
    assert wait(engine, bad).status == "failed"
    n_before = len(found)
    until(lambda: len(found) > n_before + 1)
    stopped.set()
    reader.join(timeout=60)
    assert set(found) == {expected}


def test_a_held_out_loss_that_is_no_number_ends_its_run(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = AdapterBank.measure

    def broken(bank: AdapterBank, slot: int, of: Any) -> list[float]:
        found = measure(bank, slot, of)
        return [float("nan")] * len(found) if bank.slots[slot].n_updates else found

    monkeypatch.setattr(AdapterBank, "measure", broken)
    request = run_of(1, owner="me", n_steps=12)
    engine.training.runs.start(request)
    state = wait(engine, request)
    assert state.status == "failed"
    assert state.error == Diverged(step=3, loss="nan").message
    assert all(loss == loss for _step, loss in state.held_out)
    assert not state.adapter
