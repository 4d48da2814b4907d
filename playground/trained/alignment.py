"""Runs that hack a reward, which the page about preferences shows: without a leash, and held back on one.

Each leash with two seeds. A run that is known already is not trained again: an interrupted script goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from playground.core.reward_hacking import (
    FILE,
    FOLDER,
    HackingRun,
    HackingTable,
    MeasuredRollout,
    read,
    written,
)
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.hacking_runs import (
    KL_BETA,
    N_STEPS,
    PROMPTS,
    hacking_run,
    hacking_settings,
    measured_rollout,
)
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.policies import PolicyObservation
from playground.engine.contract.traces import TraceRequest
from playground.engine.contract.training import ENDED
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained.note import seal_with_note

LEASHES, SEEDS = (0.0, KL_BETA), (0, 1)
DIGITS = 4  # that are kept of a measured number
_OWNER, _PART = "alignment", "runs.part.json"


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Train with every leash and seed and write the folder `alignment`."""
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / _PART
    engine = create_engine(Settings(device="cpu", torch_threads=1, max_training_s=86_400))
    try:
        table = _begun(engine, part)
        for seed in SEEDS:
            for kl_beta in LEASHES:
                if table.run(kl_beta, seed) is not None:
                    continue
                found = measured(engine, table.model, kl_beta, seed)
                table = replace(table, runs=(*table.runs, found))
                part.write_text(written(table), "utf-8")
                last = found.rollouts[-1]
                say(f"leash {kl_beta:g}, seed {seed}: reward {last.reward:.2f}, KL {last.kl:.1f} nats, "
                    f"{found.seconds:.0f} s")  # fmt: skip
    finally:
        engine.close()
    part.rename(folder / FILE)
    figures = {
        f"{name}_{one.kl_beta:g}_{one.seed}": getattr(one.rollouts[-1], name)
        for one in table.runs
        for name in ("reward", "kl")
    }
    seal_with_note(folder, script=__name__, seed=0, figures=figures, file=FILE)


def measured(engine: Engine, model: str, kl_beta: float, seed: int, n_steps: int = N_STEPS) -> HackingRun:
    """Train one policy, and take down each of its rollouts.

    Args:
        engine: An engine that does nothing else, for the time.
        model: Id of the model.
        kl_beta: Reward that a nat costs.
        seed: Its seed.
        n_steps: Rollouts that are learned from.
    """
    prompts = engine.preferences.prompts(model, PROMPTS)
    settings = hacking_settings(model, "hack", kl_beta, seed, n_steps, len(PROMPTS))
    request = hacking_run(settings, prompts, _OWNER)
    began = time.process_time()
    engine.training.runs.start(request)
    while True:
        state = engine.training.runs.state(request.request_id, _OWNER)
        assert state is not None
        if state.status in ENDED and state.is_settled:
            break
        time.sleep(0.05)
    if state.status != "done" or state.error is not None:
        raise RuntimeError(f"the run has ended as {state.status}: {state.error}")
    seconds = time.process_time() - began
    if state.adapter:
        engine.adapters.remove(state.adapter, _OWNER)
    told = [one for one in state.observed if isinstance(one, PolicyObservation)]
    return HackingRun(kl_beta, seed, round(seconds, 1), tuple(map(_rounded, map(measured_rollout, told))))


def _rounded(rollout: MeasuredRollout) -> MeasuredRollout:
    """The same with as many digits as are kept."""
    names = ("reward", "kl", "k1", "entropy", "spread")
    return replace(
        rollout,
        **{name: round(getattr(rollout, name), DIGITS) for name in names},
        clipped=None if rollout.clipped is None else round(rollout.clipped, DIGITS),
        answers=tuple(replace(one, kl=round(one.kl, DIGITS)) for one in rollout.answers),
    )


def _begun(engine: Engine, part: Path) -> HackingTable:
    info = _info(engine, DEFAULT_DECODER)
    asked = hacking_settings(DEFAULT_DECODER, "", 0.0, 0)
    if part.is_file():
        known = read(part.read_text("utf-8"))
        if (known.model, known.revision) == (info.model_id, info.revision):
            return known
    return HackingTable(
        info.model_id, info.revision, asked.reward, PROMPTS, asked.n_answers, asked.max_new_tokens,  # type: ignore[arg-type]
        asked.n_updates, asked.epsilon, asked.learning_rate, (),
    )  # fmt: skip


def _info(engine: Engine, model: str) -> ModelInfo:
    """Facts about a model, once it is in memory."""
    engine.trace(TraceRequest(model, input_ids=(5, 6)))
    return next(one for one in engine.models() if one.model_id == model)
