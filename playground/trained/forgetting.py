"""The table of what is learned and forgotten with and without remedies, which Fine-tuning shows.

A few strengths of each remedy with one seed; then plain training and the best of each kind with another seed,
which chose nothing. A run that is known already is not trained again: an interrupted script goes on.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from playground.core.files.training_rows import pairs, split
from playground.core.forgetting import (
    FILE,
    FOLDER,
    ForgettingMethod,
    ForgettingTable,
    MeasuredForgetting,
    best,
    general,
    read,
    written,
)
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.forgetting_runs import (
    BATCH_SIZE,
    LEARNING_RATE,
    N_STEPS,
    forgetting_run,
    measured_settings,
    ordinary,
)
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.traces import TraceRequest
from playground.engine.contract.training import ENDED
from playground.paths import site_root
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained.note import seal_with_note

SET = "country"
N_HELD_OUT = 8
PLAIN = ForgettingMethod("plain")
GRID = (
    PLAIN,
    *(ForgettingMethod("rehearsal", share) for share in (0.2, 0.5)),
    *(ForgettingMethod("l2sp", strength) for strength in (3e-3, 3e-2)),
    *(ForgettingMethod("ewc", strength) for strength in (300.0, 3_000.0)),
    *(ForgettingMethod("rank", r=r) for r in (1, 2)),
)
KINDS = ("rehearsal", "l2sp", "ewc", "rank")
SECOND_SEED = 1
_OWNER, _PART = "forgetting", "runs.part.json"


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Train with every method and write the folder `forgetting`."""
    settings = Settings(device="cpu", torch_threads=1, max_training_s=86_400)
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / _PART
    engine = create_engine(settings)
    try:
        table = _begun(engine, part)
        for seed in (0, SECOND_SEED):
            methods = GRID if seed == 0 else (PLAIN, *(best(table.runs, kind) for kind in KINDS))
            for method in methods:
                if any((one.method, one.seed) == (method, seed) for one in table.runs):
                    continue
                found = measured(engine, table.model, method, seed)
                table = replace(table, runs=(*table.runs, found))
                part.write_text(written(table), "utf-8")
                say(f"{method} seed {seed}: held-out, general {found.end}, {found.seconds:.0f} s")
    finally:
        engine.close()
    part.rename(folder / FILE)
    figures = {
        f"{one.method.kind}_{one.method.strength:g}_{one.method.r}_{one.seed}": one.forgotten
        for one in table.runs
    }
    seal_with_note(folder, script=__name__, seed=0, figures=figures, file=FILE)


def measured(
    engine: Engine, model: str, method: ForgettingMethod, seed: int, n_steps: int = N_STEPS
) -> MeasuredForgetting:
    """One run by one method."""
    rows = pairs(json.loads((site_root() / f"assets/training/en/{SET}.json").read_text("utf-8"))["rows"])
    data = tuple(engine.training.texts(model, part) for part in split(rows))
    name = f"{method.kind} {method.strength:g} {method.r} {seed}"
    settings = replace(measured_settings(model, name, seed), n_steps=n_steps)
    texts = ordinary(engine.training, model, "en")
    request = forgetting_run(method, settings, (data[0], data[1][:N_HELD_OUT]), texts, _OWNER)
    began = time.process_time()
    engine.training.runs.start(request)
    while True:
        state = engine.training.runs.state(request.request_id, _OWNER)
        assert state is not None
        if state.status in ENDED and state.is_settled:
            assert state.status == "done", state.error
            break
        time.sleep(0.1)
    changes = engine.adapters.changes(state.adapter)
    engine.adapters.remove(state.adapter, _OWNER)
    return MeasuredForgetting(
        method, seed, _rounded(state.held_out), _rounded(state.general),
        round(math.sqrt(sum(one.norm**2 for one in changes)), 2), round(time.process_time() - began, 1),
    )  # fmt: skip


def _begun(engine: Engine, part: Path) -> ForgettingTable:
    """The table so far; an empty one where nothing was begun, or with other settings."""
    engine.trace(TraceRequest(DEFAULT_DECODER, "a"))  # loads it
    info = next(one for one in engine.models() if one.model_id == DEFAULT_DECODER)
    empty = _empty(engine, info)
    if part.is_file():
        known = read(part.read_text("utf-8"))
        if replace(known, runs=()) == empty:
            return known
    return empty


def _empty(engine: Engine, info: ModelInfo) -> ForgettingTable:
    cut = [
        engine.tokenizers.tokenize(info.model_id, text, add_special_tokens=False).token_bytes[1:]
        for text in general("en")
    ]
    n_bytes = sum(len(one) for text in cut for one in text)
    n_tokens = sum(map(len, cut))
    return ForgettingTable(
        info.model_id, info.revision, N_STEPS, LEARNING_RATE, BATCH_SIZE, n_tokens, n_bytes, ()
    )


def _rounded(losses: Sequence[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    return tuple((step, round(loss, 4)) for step, loss in losses)
