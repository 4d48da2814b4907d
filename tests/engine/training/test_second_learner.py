"""Another kind of training than adapters: a small network from nothing, by the same runs and trainer."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import uuid4

import pytest
import torch

from playground.engine.contract.training import (
    ENDED,
    TrainingRequest,
    TrainingState,
)
from playground.engine.local.engine import LocalEngine
from playground.engine.pretraining.trained import PretrainedTable
from playground.engine.recurrent.trained import NetworkTable
from playground.engine.task_heads.trained import HeadTable
from playground.engine.training.learner import GiveWay
from playground.engine.training.objectives import objectives
from playground.engine.training.run import FAILED, text_order
from playground.engine.training.runs import RunTable
from playground.engine.training.trainer import Trainer
from playground.errors import BadValue, EmptyText, TooManyRuns
from playground.settings import Settings
from tests.engine.training.characters import (
    ALPHABET,
    HELD_OUT,
    LINES,
    UNIFORM,
    CharacterLearner,
    Characters,
    CharacterSettings,
    CharacterSlot,
    Line,
    Network,
    lines_of,
    losses,
    run_on_lines,
)
from tests.engine.training.learning import run_of, trained


def by_hand(request: TrainingRequest) -> tuple[list[float], Network]:
    """The same training as ten lines of plain torch: the losses, and the network at the end."""
    settings = request.settings
    assert isinstance(settings, CharacterSettings)
    network = Network(settings.d_hidden, settings.seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=0.0)
    order = text_order(len(request.train), settings.n_steps * settings.batch_size, settings.seed)
    losses = []
    for batch in order.reshape(-1, settings.batch_size)[: settings.n_steps]:
        texts = [line for line in (request.train[i] for i in batch) if isinstance(line, Line)]
        loss = torch.stack([network.surprisal(line) for line in texts]).sum()
        loss = loss / sum(line.n_trained for line in texts)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses, network


class Bench:
    """Runs of both kinds, and a trainer that works when a test says so."""

    def __init__(self, engine: LocalEngine, **limits: object) -> None:
        settings: Settings = engine._settings.model_copy(update=limits)
        self.characters = Characters()
        networks = NetworkTable(settings, engine.adapters.departures, lambda: None)
        heads = HeadTable(settings, engine.adapters.departures, lambda: None)
        pretrained = PretrainedTable(settings, engine.adapters.departures, lambda: None)
        known = {
            **objectives(settings, engine.adapters, networks, heads, pretrained, self._write),
            "characters": self.characters,
        }
        self.runs = RunTable(settings, known, lambda _owner: False, lambda: None)
        self.trainer = Trainer(settings, self.runs)

    def _write(self, *_arguments: object) -> None:
        raise AssertionError("no LoRA run here has prompts")

    def work(self, until: Callable[[], bool], n_rounds: int = 500) -> None:
        for _ in range(n_rounds):
            if until():
                return
            self.trainer.work(lambda: None)
        raise AssertionError("it did not come")

    def state(self, request: TrainingRequest) -> TrainingState:
        state = self.runs.state(request.request_id, request.owner)
        assert state is not None
        return state

    def ended(self, *requests: TrainingRequest) -> list[TrainingState]:
        self.work(lambda: all(self.state(one).status in ENDED for one in requests))
        self.trainer.work(lambda: None)  # their slots are free again
        return [self.state(one) for one in requests]


@pytest.fixture
def bench(tiny_engine: LocalEngine) -> Bench:
    return Bench(tiny_engine)


def test_a_network_from_nothing_learns_as_a_loop_written_by_hand(bench: Bench) -> None:
    request = run_on_lines(1)
    bench.runs.start(request)
    [state] = bench.ended(request)
    expected, network = by_hand(request)
    assert state.status == "done", state.error
    assert losses(state) == pytest.approx(expected, abs=1e-6)
    assert state.train[0][1] == pytest.approx(UNIFORM, abs=0.3), "it begins with guessing"
    assert state.train[-1][1] < UNIFORM / 2
    with torch.no_grad():
        sums = [float(network.surprisal(line)) for line in request.held_out if isinstance(line, Line)]
    held_out = sum(sums) / sum(line.n_trained for line in request.held_out)
    assert state.held_out[-1] == (60, pytest.approx(held_out, abs=1e-6))
    assert held_out < UNIFORM / 2
    assert state.n_tokens == sum(request.train[i].n_tokens for i in text_order(8, 240, seed=1))
    assert (state.n_train, state.n_held_out, state.is_settled) == (8, 2, True)


def test_what_is_kept_is_the_network_of_the_best_step(bench: Bench) -> None:
    request = run_on_lines(2)
    bench.runs.start(request)
    [state] = bench.ended(request)
    kept = bench.characters.kept[state.adapter]
    assert kept.step == state.adapter_step == state.best_step
    network = Network(24, seed=99)
    network.load_state_dict(kept.values)
    with torch.no_grad():
        total = sum(float(network.surprisal(line)) for line in lines_of(HELD_OUT))
    best = min(loss for _step, loss in state.held_out)
    assert total / sum(line.n_trained for line in lines_of(HELD_OUT)) == pytest.approx(best, abs=1e-6)


def test_prompts_are_continued_by_the_network_as_it_is_then(bench: Bench) -> None:
    request = run_on_lines(3, n_steps=25)
    bench.runs.start(request)
    [state] = bench.ended(request)
    assert [(one.step, one.status) for one in state.samples] == [(0, "whole"), (10, "whole"), (25, "whole")]
    network, ids = by_hand(request)[1], list(request.prompts[0])
    for _ in range(6):
        ids.append(int(network(torch.tensor(ids))[-1].argmax()))
    assert state.samples[-1].text == "".join(ALPHABET[one] for one in ids[3:])


def test_a_network_that_starts_elsewhere_is_tested_before_its_first_step_too(bench: Bench) -> None:
    """Adapters all start as the base, so runs share that test; networks of two seeds do not."""
    first, again, other = run_on_lines(1, "a"), run_on_lines(1, "b"), run_on_lines(2, "c")
    for one in (first, again, other):
        bench.runs.start(one)
    start = [state.held_out[0][1] for state in bench.ended(first, again, other)]
    assert start[0] == start[1] != start[2]


def test_a_pause_in_the_middle_changes_no_number(bench: Bench) -> None:
    request = run_on_lines(4)
    bench.runs.start(request)
    bench.work(lambda: bench.state(request).step >= 20)
    bench.runs.pause(request.request_id)
    for _ in range(3):
        bench.trainer.work(lambda: None)
    paused = bench.state(request)
    assert (paused.status, paused.step, paused.is_settled, bench.runs.n_running) == ("paused", 20, True, 0)
    assert not bench.trainer.has_work
    bench.runs.resume(request.request_id)
    [state] = bench.ended(request)
    assert losses(state) == pytest.approx(by_hand(request)[0], abs=1e-6)


def test_cancelling_keeps_what_was_learned_up_to_there(bench: Bench) -> None:
    request = run_on_lines(5)
    request = replace(request, settings=replace(request.settings, keep_best=False))
    bench.runs.start(request)
    bench.work(lambda: bench.state(request).step >= 7)
    bench.runs.cancel(request.request_id)
    [state] = bench.ended(request)
    assert (state.status, state.step, state.adapter_step) == ("cancelled", 7, 7)
    seven = replace(request, settings=replace(request.settings, n_steps=7))
    for name, value in by_hand(seven)[1].state_dict().items():
        torch.testing.assert_close(bench.characters.kept[state.adapter].values[name], value)
    assert bench.runs.n_running == 0


def test_runs_queue_for_the_slots_and_train_side_by_side(tiny_engine: LocalEngine) -> None:
    bench = Bench(tiny_engine, max_training_slots=2, max_trainings_per_session=3)
    requests = [run_on_lines(seed, owner=f"reader {seed}", n_steps=10) for seed in range(3)]
    for one in requests:
        bench.runs.start(one)
    assert [bench.state(one).position for one in requests] == [1, 2, 3]
    bench.trainer.work(lambda: None)
    assert [bench.state(one).status for one in requests] == ["running", "running", "waiting"]
    assert [bench.state(one).position for one in requests] == [0, 0, 1]
    states = bench.ended(*requests)
    assert bench.characters.together == [2, 1]
    assert [state.n_together for state in states] == [2, 2, 1]
    for request, state in zip(requests, states, strict=True):
        assert losses(state) == pytest.approx(by_hand(request)[0], abs=1e-6)


def test_one_that_fails_fails_alone(bench: Bench) -> None:
    broken = Line((0, len(ALPHABET)))  # the embedding has no such row
    good, bad = run_on_lines(6, "good"), run_on_lines(7, "bad", train=(*lines_of(LINES), broken))
    for one in (good, bad):
        bench.runs.start(one)
    state, failed = bench.ended(good, bad)
    assert (failed.status, failed.error) == ("failed", FAILED)
    assert failed.step < 3, "with the batch of the broken line"
    assert bench.characters.together == [2, 1, 1]
    assert state.status == "done"
    assert losses(state) == pytest.approx(by_hand(good)[0], abs=1e-6)


def test_beside_an_adapter_both_train_at_once_and_each_as_if_alone(
    bench: Bench, tiny_engine: LocalEngine
) -> None:
    adapter, network = run_of(8, owner="adapter", n_steps=12), run_on_lines(8, owner="network", n_steps=200)
    alone = trained(tiny_engine, replace(adapter, owner="alone", request_id=uuid4().hex))
    for one in (adapter, network):
        bench.runs.start(one)
    bench.work(lambda: bench.state(adapter).step == 2)
    assert 1 <= bench.state(network).step < 200, "they take turns"
    assert bench.runs.n_running == 2
    first, second = bench.ended(adapter, network)
    assert losses(first) == pytest.approx(losses(alone), abs=1e-5)
    assert losses(second) == pytest.approx(by_hand(network)[0], abs=1e-6)
    assert first.n_together == second.n_together == 1
    assert tiny_engine.adapters.info(first.adapter).name == "run 8"
    assert second.adapter in bench.characters.kept
    for owner, state in (("adapter", first), ("alone", alone)):
        tiny_engine.adapters.remove(state.adapter, owner)


class HandClock:
    """A clock for the trainer that only the steps move, so that a busy machine changes no turn."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class TimedCharacters(Characters):
    """Each step takes so many seconds of a clock that is set by hand."""

    def __init__(self, clock: HandClock, step_s: float) -> None:
        super().__init__()
        self.clock, self.step_s = clock, step_s

    def learner(self, slots: Sequence[CharacterSlot], give_way: GiveWay) -> CharacterLearner:
        learner = super().learner(slots, give_way)

        def step(batches: Sequence[Sequence[Line]]) -> list[float]:
            self.clock.now += self.step_s
            return CharacterLearner.step(learner, batches)

        learner.step = step  # type: ignore[method-assign]
        return learner


def test_turns_are_shared_by_time_so_short_steps_do_not_wait_for_long_ones(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = HandClock()
    monkeypatch.setattr("playground.engine.training.trainer.time", clock)
    kinds = {"slow": TimedCharacters(clock, 0.1), "fast": TimedCharacters(clock, 0.01)}
    bench.runs._objectives = {**bench.runs._objectives, **kinds}
    runs = {name: run_on_lines(seed, name, n_steps=200) for seed, name in enumerate(kinds, start=1)}
    for name, run in runs.items():
        bench.runs.start(replace(run, settings=replace(run.settings, objective=name)))
    bench.work(lambda: bench.state(runs["slow"]).step == 5)
    assert 35 <= bench.state(runs["fast"]).step <= 65, "about ten steps in the time of one"


def test_what_a_page_polls_is_as_large_for_a_thousand_texts_as_for_ten(tiny_engine: LocalEngine) -> None:
    bench = Bench(tiny_engine, max_upload_rows=1000)
    sizes = []
    for n_texts in (10, 1000):
        owner = f"{n_texts:4} texts"
        request = run_on_lines(1, owner, train=lines_of(LINES * 125)[:n_texts], held_out=())
        bench.runs.start(request)
        [state] = bench.runs.of(owner)
        assert state.n_train == n_texts
        sizes.append(len(pickle.dumps(state)))
    assert sizes[1] - sizes[0] <= 2, "the digits of their number"
    assert sizes[0] < 1000


def test_runs_of_every_kind_are_refused_alike(bench: Bench) -> None:
    good = run_on_lines(9)

    def asked(**changes: object) -> TrainingRequest:
        return replace(good, settings=replace(good.settings, **changes))

    for request, error in (
        (asked(objective="magic"), BadValue),
        (asked(n_steps=0), BadValue),
        (asked(learning_rate=math.nan), BadValue),
        (replace(good, train=()), BadValue),
        (replace(good, train=(Line((1,)),)), EmptyText),
    ):
        with pytest.raises(error):
            bench.runs.start(request)
    assert not bench.runs.of("me")
    for seed in range(3):
        bench.runs.start(run_on_lines(seed))
    with pytest.raises(TooManyRuns):
        bench.runs.start(good)
