"""Five ways to adapt the embedded decoder, measured: held-out loss, and what each adds to a token's time.

    python -m playground.trained adapters         trains what is missing, then writes down the losses
    python -m playground.trained adapter-times    times all of them again: on a quiet machine

What is there already is kept, so both can be stopped and go on. The times need no trained numbers: only
how many there are and where decides them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import cast

from playground.core.adapting import (
    BATCH_SIZE,
    CONTEXT,
    DATA,
    FILE,
    FOLDER,
    LANGUAGE,
    N_STEPS,
    N_TESTED,
    N_TIMED,
    SEED,
    SIZE,
    WAYS,
    Measured,
    WayPoint,
    read,
    relative_times,
    written,
)
from playground.core.files.training_rows import pairs, split
from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.adapters import Method
from playground.engine.contract.adapting import way_run, way_settings
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import TraceRequest
from playground.engine.contract.training import ENDED, FinetuneRequest, TrainingState, TrainingText
from playground.paths import site_root
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained.note import seal_with_note

MODULES = ("q_proj", "v_proj")
N_ROUNDS = 5  # of times
_OWNER = "adapters"


def make(
    assets: Path, say: Callable[[str], None], *, n_steps: int = N_STEPS, model: str = DEFAULT_DECODER
) -> None:
    """Train every way that is not there yet and write its loss down."""
    engine = _engine()
    try:
        info = _ready(engine, model)
        told = _known(assets, model, info)
        train, held_out = texts(engine, model)
        for method in WAYS:
            if any(point.method == method for point in told.points):
                continue
            base, point = trained(engine, method, train, held_out, model=model, n_steps=n_steps)
            told = replace(told, points=(*told.points, point), base=told.base if base is None else base)
            _write(assets, told)
            say(f"{method}: {point.n_trained} numbers, {point.first:.3f} -> {point.held_out:.3f}")
    finally:
        engine.close()


def make_times(assets: Path, say: Callable[[str], None]) -> None:
    """Time every way and the base anew."""
    engine = _engine()
    try:
        info = _ready(engine, DEFAULT_DECODER)
        told = _known(assets, DEFAULT_DECODER, info)
        found = timed(
            engine, {point.method: _untrained(engine, point) for point in told.points}, N_ROUNDS, say
        )
        _write(assets, replace(told, times=found))
        for name, (middle, low, high) in relative_times(found).items():
            say(f"{name}: {middle:.3f} of the base's time ({low:.3f} to {high:.3f})")
    finally:
        engine.close()


def texts(engine: Engine, model: str) -> tuple[tuple[TrainingText, ...], tuple[TrainingText, ...]]:
    """Rows to learn from and held-out rows, as the page splits them."""
    file = site_root() / "assets" / "training" / LANGUAGE / f"{DATA}.json"
    train, held_out = split(pairs(json.loads(file.read_text("utf-8"))["rows"]))
    return engine.training.texts(model, train), engine.training.texts(model, held_out[:N_TESTED])


def trained(
    engine: Engine,
    method: str,
    train: Sequence[TrainingText],
    held_out: Sequence[TrainingText],
    *,
    model: str = DEFAULT_DECODER,
    n_steps: int = N_STEPS,
    size: int = SIZE,
    modules: Sequence[str] = MODULES,
) -> tuple[float | None, WayPoint]:
    """One way trained: the loss without it where it begins as the base, and its point."""
    settings = way_settings(model, cast(Method, method), size, modules, n_steps=n_steps)
    state = _ended(engine, way_run(settings, train, held_out, _OWNER))
    step, loss = min(state.held_out[1:], key=lambda one: one[1])
    n = engine.adapters.info(state.adapter).n_parameters
    engine.adapters.remove(state.adapter, _OWNER)
    shown = 0 if method == "last_block" else size
    first = state.held_out[0][1]
    base = None if method in ("prompt", "prefix") else first
    return base, WayPoint(method, shown, settings.learning_rate, n, first, loss, step)


def timed(
    engine: Engine,
    models: dict[str, str],
    n_rounds: int,
    say: Callable[[str], None],
    model: str = DEFAULT_DECODER,
) -> dict[str, tuple[float, ...]]:
    """Seconds per token of the base and of every way, the same text continued, in rounds.

    Args:
        engine: Nobody else asks it.
        models: Way -> id of a model adapted so.
        n_rounds: In each the base and every way have a turn.
        say: Is told of each round.
        model: The base.
    """
    every = {"base": model, **models}
    found: dict[str, list[float]] = {name: [] for name in every}
    for one in every.values():  # what is made at first use is made here
        _token_s(engine, one, 8)
    for number in range(n_rounds):
        for name, one in every.items():
            found[name].append(_token_s(engine, one, N_TIMED))
        say(
            f"round {number + 1}: "
            + ", ".join(f"{name} {each[-1] * 1e3:.2f} ms" for name, each in found.items())
        )
    return {name: tuple(round(one, 7) for one in each) for name, each in found.items()}


def _token_s(engine: Engine, model: str, n_tokens: int) -> float:
    """Median seconds of the processor between two tokens of a continuation; one thread computes."""
    ids = tuple(range(1_000, 1_000 + CONTEXT))
    asked = GenerateRequest(
        model, input_ids=ids, sampling=GREEDY, n_top=1, max_new_tokens=n_tokens, owner=_OWNER
    )
    at = [time.process_time() for _step in engine.generate(asked)]
    return median(later - earlier for earlier, later in pairwise(at))


def _untrained(engine: Engine, point: WayPoint) -> str:
    """A model adapted in this way by a run of one step: its numbers count for nothing here."""
    train, held_out = texts(engine, DEFAULT_DECODER)
    settings = way_settings(DEFAULT_DECODER, cast(Method, point.method), point.size, MODULES, n_steps=1)
    return _ended(engine, way_run(settings, train[:4], held_out[:1], _OWNER)).adapter


def _known(assets: Path, model: str, info: str) -> Measured:
    """The measurement as far as it is there already, of this model."""
    file = assets / FOLDER / FILE
    if file.is_file():
        told = read(file.read_text("utf-8"))
        if (told.model_id, told.revision) == (model, info):
            return told
    return Measured(model, info, 0.0, (), {})


def _write(assets: Path, told: Measured) -> None:
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(
        written(replace(told, points=tuple(replace(one, token_s=None) for one in told.points))), "utf-8"
    )
    figures = {f"{one.method}_held_out": one.held_out for one in told.points}
    figures |= {f"{name}_token": middle for name, (middle, _low, _high) in relative_times(told.times).items()}
    seal_with_note(
        folder, script=__name__, seed=SEED, figures=figures | {"batch_size": BATCH_SIZE}, file=FILE
    )


def _engine() -> Engine:
    return create_engine(Settings(device="cpu", torch_threads=1, max_training_s=86_400))


def _ready(engine: Engine, model: str) -> str:
    """Load it; gives its revision."""
    engine.trace(TraceRequest(model, "a"))
    return next(info.revision for info in engine.models() if info.model_id == model)


def _ended(engine: Engine, request: FinetuneRequest) -> TrainingState:
    engine.training.runs.start(request)
    while True:
        state = engine.training.runs.state(request.request_id, _OWNER)
        assert state is not None
        if state.status in ENDED and state.is_settled:
            assert state.status == "done", state.error
            return state
        time.sleep(0.1)
