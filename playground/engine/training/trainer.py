"""The engine thread's side of training: whose slot, one step of all that share it, tests and ends."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from playground.engine.adapters.adapter import adapted_model
from playground.engine.contract.models import AdapterName
from playground.engine.contract.training import ENDED, FinetuneRequest, Sample, SampleStatus, TrainingText
from playground.engine.training.bank import AdapterBank, GiveWay
from playground.engine.training.run import TrainingRun, has_diverged
from playground.engine.training.runs import RunTable
from playground.errors import Diverged, Message, PlaygroundError
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.models.loaded import LoadedModel

log = logging.getLogger(__name__)
Told = Callable[[int, str, SampleStatus], None]
Write = Callable[["LoadedModel", FinetuneRequest, Told], None]


class Trainer:
    """Trains runs, those of one base and method together. Only the engine's thread calls it.

    An error ends the run it belongs to. That of a step of several runs belongs to nobody yet: the runs part,
    each goes on from where it was in a bank of its own, and the one whose error it is fails there alone.

    Args:
        settings: The limits.
        runs: The runs.
        write: Continues a run's prompts with a model; tells (prompt, more text, whether more comes).
    """

    def __init__(self, settings: Settings, runs: RunTable, write: Write) -> None:
        self._settings, self._runs, self._write = settings, runs, write
        self._groups: dict[Hashable, tuple[AdapterBank, list[TrainingRun]]] = {}
        self._give_way: GiveWay = lambda: None
        self._given_s = 0.0

    @property
    def has_work(self) -> bool:
        """Whether a run trains or waits, or one that was stopped still holds its slot."""
        return bool(self._groups) or self._runs.is_waiting

    def work(self, give_way: GiveWay) -> None:
        """One step of the group whose turn it is."""
        self._give_way = give_way
        self._leave_and_join()
        if not self._groups:
            return
        group = next(iter(self._groups))
        bank, runs = self._groups[group] = self._groups.pop(group)  # the others first, next time
        for index, run in enumerate(runs):
            with self._ends_alone(run):
                self._evaluate(run, bank, index)
        self._step(group, bank, [run for run in runs if run.state.status == "running"])

    def _step(self, group: Hashable, bank: AdapterBank, runs: list[TrainingRun]) -> None:
        batches = []
        for run in runs:
            with self._ends_alone(run):
                batches.append(run.batch())
        if len(batches) < len(bank.slots):
            return  # somebody left meanwhile: the next round begins without
        started, given_s = time.monotonic(), self._given_s
        losses: list[float] | None = None
        try:
            losses = bank.step(batches)
        except Exception as error:
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
                self._after_step(run, bank, index, loss=loss, step_s=step_s)

    def _after_step(
        self, run: TrainingRun, bank: AdapterBank, index: int, *, loss: float, step_s: float
    ) -> None:
        if has_diverged(loss, run.loaded.info.d_vocab):
            self._end(run, bank, index, Diverged(step=run.state.step + 1, loss=f"{loss:.3g}"))
            return
        self._stepped(run, loss, step_s, len(bank.slots))
        if run.is_over:
            self._evaluate(run, bank, index)
            self._end(run, bank, index)
        elif run.worked_s > self._settings.max_training_s:
            too_long = Message(
                "Stopped at step {step}: each run may use at most {limit:.0f} s.",
                (("step", run.state.step), ("limit", self._settings.max_training_s)),
            )
            self._runs.note(run, error=too_long)
            self._end(run, bank, index)

    def _stepped(self, run: TrainingRun, loss: float, step_s: float, n_together: int) -> None:
        n_read = sum(len(text.input_ids) for text in run.batch())
        run.worked_s += step_s / n_together
        self._runs.note(
            run,
            train=(*run.state.train, (run.state.step + 1, loss)),
            n_tokens=run.state.n_tokens + n_read,
            step=run.state.step + 1,
            step_s=step_s,
            n_together=n_together,
        )

    def _evaluate(self, run: TrainingRun, bank: AdapterBank, slot: int) -> None:
        """Test a run where that is due: losses on held-out and general texts, the prompts continued."""
        if not run.is_eval_due or run.state.status != "running":
            return
        same = self._runs.runs_with_same_eval_set(run) if run.state.step == 0 else []
        found = same[0].first_losses if same else self._losses(run, bank, slot)
        if found is None:
            return
        run.evaluated_steps.add(run.state.step)
        lost = next((loss for _step, loss in found.values() if not math.isfinite(loss)), None)
        if lost is not None:
            self._end(run, bank, slot, Diverged(step=run.state.step, loss=f"{lost:.3g}"))
            return
        self._runs.note(run, **{name: (*getattr(run.state, name), one) for name, one in found.items()})
        if "held_out" in found:
            self._remember_best(run, bank, slot, found["held_out"][1])
        if run.is_sampling_due and run.request.prompts:
            known = next((samples for one in same if (samples := one.first_samples)), ())
            if known:
                self._runs.note(run, samples=known)
                return
            bank.unpack(slot)
            self._sample(run)

    def _losses(self, run: TrainingRun, bank: AdapterBank, slot: int) -> dict[str, tuple[int, float]] | None:
        """(step, loss) on held-out and on general texts, where there are some; None if it was stopped."""
        started, given_s, step = time.monotonic(), self._given_s, run.state.step
        texts = [*run.request.held_out, *run.request.general]
        surprisals: list[float] = []
        for chunk in _chunks(texts, self._settings.max_batch_tokens):
            if run.state.status != "running":
                return None
            surprisals += bank.surprisals(slot, chunk)
        n_held_out, found = len(run.request.held_out), {}
        for name, part in (("held_out", slice(n_held_out)), ("general", slice(n_held_out, None))):
            n_tokens = sum(sum(text.is_trained[1:]) for text in texts[part])
            if n_tokens:
                found[name] = (step, sum(surprisals[part]) / n_tokens)
        run.worked_s += time.monotonic() - started - (self._given_s - given_s)
        return found

    def _remember_best(self, run: TrainingRun, bank: AdapterBank, slot: int, loss: float) -> None:
        step = run.state.step
        if loss <= min(one for _step, one in run.state.held_out):
            self._runs.note(run, best_step=step)
        if step and (run.best is None or loss < run.best[0]):  # at step 0 nothing has been learned
            bank.unpack(slot)
            run.best = (loss, run.adapter())

    def _sample(self, run: TrainingRun) -> None:
        step, adapter = run.state.step, run.adapter()
        name = AdapterName(run.request.model, f"{run.request.request_id}-{step}")
        model = adapted_model(run.loaded, adapter, name) if step else run.loaded
        empty = [Sample(step, place, "", "open") for place in range(len(run.request.prompts))]
        self._runs.note(run, samples=(*run.state.samples, *empty))

        def told(prompt: int, text: str, status: SampleStatus) -> None:
            with self._runs.lock:
                written = [
                    replace(one, text=one.text + text, status=status)
                    if (one.step, one.prompt, one.status) == (step, prompt, "open")
                    else one
                    for one in run.state.samples
                ]
                run.state = replace(run.state, samples=tuple(written))

        try:
            self._write(model, run.request, told)
        except Exception:
            for place in range(len(empty)):
                told(place, "", "cut")
            raise

    # ---- who trains

    def _leave_and_join(self) -> None:
        """Free the slots of runs that ended or rest, and give free slots to those who wait."""
        with self._runs.lock:
            members = {key: runs for key, (_bank, runs) in self._groups.items()}
            staying = {
                key: [run for run in runs if run.state.status == "running"] for key, runs in members.items()
            }
            too_long: set[Hashable] = set()  # groups whose next in line must wait: nobody overtakes it
            for run in self._runs.line():
                room = self._settings.max_training_slots - sum(map(len, staying.values()))
                beside = staying.get(run.group, [])
                n_tokens = max(one.most_tokens for one in (run, *beside)) * (len(beside) + 1)
                if beside and n_tokens > self._settings.max_fused_tokens:
                    too_long.add(run.group)
                if room > 0 and run.group not in too_long:
                    staying.setdefault(run.group, []).append(run)
                    run.state = replace(run.state, status="running")
                    run.began = run.began or time.monotonic()
            changed = [key for key in staying if staying[key] != members.get(key)]
            for key in changed:
                self._regroup(key, staying[key])

    def _regroup(self, key: Hashable, runs: list[TrainingRun]) -> None:
        if key in self._groups:
            bank, before = self._groups.pop(key)
            for index, run in enumerate(before):
                run.has_slot = False
                with self._ends_alone(run):
                    bank.unpack(index)
                    if run.state.status == "cancelled":
                        self._runs.publish(run)
        self._build([run for run in runs if run.state.status == "running"])

    def _build(self, runs: list[TrainingRun]) -> None:
        """Make a bank for runs of one group; those that find no room together get one each."""
        if not runs:
            return
        try:
            bank = AdapterBank(runs[0].loaded, [run.slot for run in runs], self._between)
        except Exception as error:
            if len(runs) == 1:
                self._runs.fail(runs[0], error)
                return
            log.warning("no bank for %d runs together, each gets its own", len(runs), exc_info=error)
        else:
            self._groups[runs[0].group] = (bank, runs)
            for run in runs:
                run.has_slot = True
            return
        for run in runs:
            run.alone = True
            self._build([run])

    def _part(self, group: Hashable) -> None:
        """Give each run of a group its own bank, with what it had learned before the step that failed."""
        with self._runs.lock:
            bank, runs = self._groups.pop(group)
            for index, run in enumerate(runs):
                run.has_slot = False
                run.alone = True
                with self._ends_alone(run):
                    bank.unpack(index)
                    self._build([run])

    def _between(self) -> None:
        started = time.monotonic()
        self._give_way()
        self._given_s += time.monotonic() - started

    # ---- ends

    def _end(
        self, run: TrainingRun, bank: AdapterBank, slot: int, error: PlaygroundError | None = None
    ) -> None:
        with self._runs.lock:
            bank.unpack(slot)
            if error is not None:
                self._runs.fail(run, error)
                return
            if run.state.status not in ENDED:  # also one that was to rest after this very step
                self._runs.note(run, status="done")
            self._runs.publish(run)

    @contextmanager
    def _ends_alone(self, run: TrainingRun) -> Iterator[None]:
        """Whatever goes wrong here ends this run and no other."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  (an error ends its run, not the engine)
            self._runs.fail(run, error)


def _chunks(texts: Sequence[TrainingText], max_tokens: int) -> Iterator[list[TrainingText]]:
    """Texts in their order, at most so many tokens together."""
    chunk: list[TrainingText] = []
    for text in texts:
        if chunk and sum(len(one.input_ids) for one in (*chunk, text)) > max_tokens:
            yield chunk
            chunk = []
        chunk.append(text)
    if chunk:
        yield chunk
