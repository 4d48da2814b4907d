"""The engine thread's side of training: slots, one step of all that share a learner, evaluations, ends."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager

from playground.engine.contract.training import Example
from playground.engine.training.learner import GiveWay, Learner
from playground.engine.training.run import TrainingRun, has_diverged
from playground.engine.training.runs import RunTable
from playground.errors import Diverged, Message, PlaygroundError
from playground.settings import Settings

log = logging.getLogger(__name__)


class Trainer:
    """Trains runs, those of one group together, by whatever learner their objective makes.

    Only the engine's thread calls it. An error ends the run it belongs to. That of a step of several runs
    belongs to nobody yet: the runs part, each goes on from where it was in a learner of its own, and the one
    whose error it is fails there alone.

    Args:
        settings: The limits.
        runs: The runs.
    """

    def __init__(self, settings: Settings, runs: RunTable) -> None:
        self._settings, self._runs = settings, runs
        self._groups: dict[Hashable, tuple[Learner, list[TrainingRun]]] = {}
        self._spent_s: dict[Hashable, float] = {}  # of each group: the next turn is that of the least
        self._give_way: GiveWay = lambda: None
        self._given_s = 0.0

    @property
    def has_work(self) -> bool:
        """True if a run trains or waits, or one that was stopped still holds its slot."""
        return bool(self._groups) or self._runs.is_waiting

    def work(self, give_way: GiveWay) -> None:
        """One step of the group that had the least time so far: short steps come more often."""
        self._give_way = give_way
        self._leave_and_join()
        if not self._groups:
            return
        known = [spent for group, spent in self._spent_s.items() if group in self._groups]
        self._spent_s = {  # a group that comes begins as the one that had least
            group: self._spent_s.get(group, min(known, default=0.0)) for group in self._groups
        }
        group = min(self._spent_s, key=self._spent_s.__getitem__)
        started, given_s = time.monotonic(), self._given_s
        self._turn(group)
        self._spent_s[group] += time.monotonic() - started - (self._given_s - given_s)

    def give_up(self, error: BaseException) -> None:
        """End every run that trains or waits: an error outside their steps, which may come again."""
        self._groups.clear()
        self._runs.fail_all(error)

    def _turn(self, group: Hashable) -> None:
        """One step of a group, its evaluations before it."""
        learner, runs = self._groups[group]
        for index, run in enumerate(runs):
            with self._ends_alone(run):
                if run.leaving:
                    learner.unpack(index)
                    self._runs.serve_leaving(run)
                self._evaluate(run, learner, index)
        self._step(group, learner, [run for run in runs if run.state.status == "running"])

    def _step(self, group: Hashable, learner: Learner, runs: list[TrainingRun]) -> None:
        batches = []
        for run in runs:
            with self._ends_alone(run):
                batches.append(run.batch())
        if len(batches) < len(learner.slots):
            return  # somebody left meanwhile: the next round begins without
        started, given_s = time.monotonic(), self._given_s
        losses: list[float] | None = None
        try:
            losses = learner.step(batches)
        except BaseException as error:
            if len(runs) == 1:
                self._runs.fail(runs[0], error)
                return
            log.warning("%d runs cannot be trained together, each goes on alone", len(runs), exc_info=error)
        if losses is None:  # out here, where what the failed step held is free again
            self._part(group)
            return
        step_s = time.monotonic() - started - (self._given_s - given_s)
        for index, (run, loss) in enumerate(zip(runs, losses, strict=True)):
            with self._ends_alone(run):
                self._after_step(run, learner, index, loss=loss, step_s=step_s)

    def _after_step(
        self, run: TrainingRun, learner: Learner, index: int, *, loss: float, step_s: float
    ) -> None:
        if has_diverged(loss, run.slot.guess_loss):
            self._fail(run, learner, index, Diverged(step=run.state.step + 1, loss=f"{loss:.3g}"))
            return
        self._runs.stepped(run, loss, step_s, len(learner.slots))
        if run.is_over:
            self._evaluate(run, learner, index)
            learner.unpack(index)
            self._runs.ended(run)
        elif run.worked_s > self._settings.max_training_s:
            learner.unpack(index)
            too_long = Message(
                "Stopped at step {step}: each run may use at most {limit:.0f} s.",
                (("step", run.state.step), ("limit", self._settings.max_training_s)),
            )
            self._runs.ended(run, too_long)

    # ---- evaluations

    def _evaluate(self, run: TrainingRun, learner: Learner, index: int) -> None:
        """If due, measure held-out and general texts, continue the prompts."""
        if not run.is_eval_due or run.state.status != "running":
            return
        same = self._runs.runs_with_same_eval_set(run) if run.state.step == 0 else []
        started, given_s = time.monotonic(), self._given_s
        losses = same[0].first_losses if same else self._losses(run, learner, index)
        if losses is None:
            return
        observation = learner.observe(index, run.request, run.state.step)
        worked_s = time.monotonic() - started - (self._given_s - given_s)
        lost = next((loss for loss in losses.values() if not math.isfinite(loss)), None)
        if lost is not None:
            self._fail(run, learner, index, Diverged(step=run.state.step, loss=f"{lost:.3g}"))
            return
        self._runs.evaluated(run, losses, observation, worked_s)
        held_out = losses.get("held_out")
        if held_out is not None and run.improves_with(held_out):
            learner.unpack(index)
            self._runs.improved(run, held_out, run.snapshot())
        if run.is_sampling_due:
            known = next((samples for one in same if (samples := one.first_samples)), ())
            if known:
                self._runs.add_samples(run, known)
                return
            learner.unpack(index)
            self._sample(run)

    def _losses(self, run: TrainingRun, learner: Learner, index: int) -> dict[str, float] | None:
        """Loss on held-out and on general texts, where there are some; None if the run was stopped."""
        examples = [*run.request.held_out, *run.request.general]
        sums: list[float] = []
        for chunk in _chunks(examples, run.objective.limits.batch_tokens):
            if run.state.status != "running":
                return None
            sums += learner.measure(index, chunk)
        n_held_out, losses = len(run.request.held_out), {}
        for name, part in (("held_out", slice(n_held_out)), ("general", slice(n_held_out, None))):
            n_trained = sum(one.n_trained for one in examples[part])
            if n_trained:
                losses[name] = sum(sums[part]) / n_trained
        return losses

    def _sample(self, run: TrainingRun) -> None:
        sampled = self._runs.open_samples(run)
        try:
            run.objective.sample(run.request, run.slot, run.state.step, sampled)
        except BaseException:
            for prompt in range(len(run.request.prompts)):
                sampled(prompt, "", "cut")
            raise

    # ---- who trains

    def _leave_and_join(self) -> None:
        """Free the slots of runs that ended or rest, and give free slots to those who wait."""
        members = {key: runs for key, (_learner, runs) in self._groups.items()}
        for key, runs in self._runs.claim(members).items():
            self._regroup(key, runs)

    def _regroup(self, key: Hashable, runs: list[TrainingRun]) -> None:
        if key in self._groups:
            learner, before = self._groups.pop(key)
            for index, run in enumerate(before):
                with self._ends_alone(run):
                    learner.unpack(index)
                    if run not in runs:
                        self._runs.leave(run)
        self._build([run for run in runs if run.has_slot])

    def _build(self, runs: list[TrainingRun]) -> None:
        """Make a learner for runs of one group; those that find no room together get one each."""
        if not runs:
            return
        try:
            learner = runs[0].objective.learner([run.slot for run in runs], self._between)
        except BaseException as error:
            if len(runs) == 1:
                self._runs.fail(runs[0], error)
                return
            log.warning("no room for %d runs together, each trains alone", len(runs), exc_info=error)
        else:
            self._groups[runs[0].group] = (learner, runs)
            return
        for run in runs:
            self._runs.part(run)
            self._build([run])

    def _part(self, group: Hashable) -> None:
        """Give each run of a group its own learner, with what it had learned before the step that failed."""
        learner, runs = self._groups.pop(group)
        for index, run in enumerate(runs):
            with self._ends_alone(run):
                learner.unpack(index)
                self._runs.part(run)
                self._build([run])

    def _between(self) -> None:
        started = time.monotonic()
        self._give_way()
        self._given_s += time.monotonic() - started

    # ---- ends

    def _fail(self, run: TrainingRun, learner: Learner, index: int, error: PlaygroundError) -> None:
        learner.unpack(index)
        self._runs.fail(run, error)

    @contextmanager
    def _ends_alone(self, run: TrainingRun) -> Iterator[None]:
        """Whatever goes wrong here ends this run and no other."""
        try:
            yield
        except BaseException as error:  # noqa: BLE001  (an error ends its run, not the engine)
            self._runs.fail(run, error)


def _chunks(examples: Sequence[Example], max_tokens: int) -> Iterator[list[Example]]:
    """Examples in their order, at most `max_tokens` tokens together."""
    chunk: list[Example] = []
    for example in examples:
        if chunk and sum(one.n_tokens for one in (*chunk, example)) > max_tokens:
            yield chunk
            chunk = []
        chunk.append(example)
    if chunk:
        yield chunk
