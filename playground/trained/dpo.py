"""The run of DPO that Alignment shows first: the English pairs that are polite or rude."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from playground.core.preferences.dpo_run import FILE, FOLDER, DpoRun, Milestone, moved, written
from playground.core.preferences.pair import split
from playground.core.preferences.shipped import pairs_on
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.preference_runs import seen
from playground.engine.contract.preferences import DpoRequest, DpoSettings
from playground.engine.contract.traces import TraceRequest
from playground.engine.contract.training import ENDED
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained.note import seal_with_note

N_PROMPTS, DIGITS = 3, 4  # decimals of a log-probability
TOPIC = "polite"
SETTINGS = DpoSettings(DEFAULT_DECODER, "dpo", n_steps=24, learning_rate=1e-3, batch_size=2)
_OWNER = "dpo"


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Train, and write the folder `dpo`."""
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    engine = create_engine(Settings(device="cpu", torch_threads=1, max_training_s=86_400))
    try:
        run = measured(engine, SETTINGS)
    finally:
        engine.close()
    (folder / FILE).write_text(written(run), "utf-8")
    last = run.milestones[-1]
    right, end = last.accuracy(run.beta), moved(last, run.beta)
    assert right is not None
    figures = {
        "held_out_loss": run.held_out[-1][1], "accuracy": right.share, "kl": last.kl, "chosen": end.chosen,
        "rejected": end.rejected,
    }  # fmt: skip
    say(f"{figures}, {run.seconds:.0f} s")
    seal_with_note(folder, script=__name__, seed=0, figures=figures, file=FILE)


def measured(engine: Engine, settings: DpoSettings) -> DpoRun:
    """Train one adapter, and take down what its run tells.

    Args:
        engine: An engine that does nothing else, for the time.
        settings: Settings of the run.
    """
    model = settings.model
    engine.trace(TraceRequest(model, input_ids=(5, 6)))  # loads it
    info = next(one for one in engine.models() if one.model_id == model)
    train, held_out = split(pairs_on(TOPIC, "en"))
    prompts = tuple(dict.fromkeys(one.prompt for one in held_out))[:N_PROMPTS]
    part = engine.preferences
    request = DpoRequest(
        settings, part.examples(model, train), part.examples(model, held_out),
        prompts=tuple(one.prompt_ids for one in part.prompts(model, prompts)), owner=_OWNER,
    )  # fmt: skip
    engine.training.runs.start(request)
    while True:
        state = engine.training.runs.state(request.request_id, _OWNER)
        assert state is not None
        is_written = all(one.status != "open" for one in state.samples)
        if state.status in ENDED and state.is_settled and is_written:
            break
        time.sleep(0.1)
    if state.status != "done":
        raise RuntimeError(f"the run has ended as {state.status}: {state.error}")
    engine.adapters.remove(state.adapter, _OWNER)
    return _rounded(seen(state, train, held_out, prompts, info.revision))


def _rounded(run: DpoRun) -> DpoRun:
    return replace(
        run, milestones=tuple(map(_rounded_milestone, run.milestones)), seconds=round(run.seconds, 1),
        train=tuple((step, round(loss, DIGITS)) for step, loss in run.train),
        held_out=tuple((step, round(loss, DIGITS)) for step, loss in run.held_out),
    )  # fmt: skip


def _rounded_milestone(one: Milestone) -> Milestone:
    names = ("chosen", "rejected", "ref_chosen", "ref_rejected")
    values = {name: tuple(round(value, DIGITS) for value in getattr(one, name)) for name in names}
    return replace(one, kl=round(one.kl, DIGITS + 2), **values)  # type: ignore[arg-type]
