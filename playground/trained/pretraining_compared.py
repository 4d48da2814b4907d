"""Runs from zero on the shipped texts that the page compares, trained by the engine that trains a reader's.

In each language the next byte, masked bytes, hidden spans, and the next byte on the first half alone, with
the same steps, size and seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from playground.core.labelled_sets import read_labelled_set
from playground.core.pretraining import halves
from playground.core.pretraining_compared import NAME, ComparedRun
from playground.core.pretraining_run import LANGUAGES, shipped_text
from playground.core.transfer_set import BODIES, JOBS, Curve, labelled_texts, points
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.pretraining import (
    BodyRequest,
    PretrainingRequest,
    PretrainingSettings,
    pretraining_request,
)
from playground.engine.contract.training import ENDED, TrainingState
from playground.paths import site_root
from playground.settings import Settings
from playground.trained.note import seal_with_note

N_STEPS, SEED = 300, 0
TOGETHER = (("next", "half"), ("masked",), ("span",))  # kinds of one shape
_WAIT_S = 0.2


def make(assets: Path, say: Callable[[str], None], n_steps: int = N_STEPS) -> None:
    """Train all of them and write the folder `pretraining-compared`."""
    folder, figures = assets / NAME, dict[str, float]()
    folder.mkdir(parents=True, exist_ok=True)
    for name, found in runs(n_steps):
        (folder / f"{name}.json").write_text(found.file(), "utf-8")
        figures[f"held_out_nats_{name}"] = found.held_out[-1][1]
        say(f"{name}: {found.held_out[-1]}, {dict(found.transfer)}")
    seal_with_note(folder, script=__name__, seed=SEED, figures=figures, file=f"{LANGUAGES[0]}-next.json")


def runs(n_steps: int, kinds: Sequence[Sequence[str]] = TOGETHER) -> Iterator[tuple[str, ComparedRun]]:
    """Name and result of each run; the kinds that stand together are trained in one step.

    Args:
        n_steps: Steps of each.
        kinds: Kinds of runs, those of one shape together.
    """
    engine = create_engine(Settings(device="cpu", torch_threads=1, max_training_s=86_400))
    try:
        for group in kinds:
            asked = {(one, kind): request_of(one, kind, n_steps) for kind in group for one in LANGUAGES}
            for request in asked.values():
                engine.training.runs.start(request)
            for (language, kind), request in asked.items():
                yield f"{language}-{kind}", _taken_down(engine, language, kind, request)
    finally:
        engine.close()


def request_of(language: str, kind: str, n_steps: int) -> PretrainingRequest:
    """The request of a run, each of a session of its own."""
    text = shipped_text(language)
    read, other = halves(text) if kind == "half" else (text, "")
    settings = PretrainingSettings(
        objective="next" if kind == "half" else kind, data=language, n_steps=n_steps, seed=SEED
    )
    return pretraining_request(settings, f"{language} {kind}", read, other=other)


def _taken_down(engine: Engine, language: str, kind: str, request: PretrainingRequest) -> ComparedRun:
    state = _ended(engine, request)
    found = ComparedRun(
        asdict(request.settings),
        train=_rounded(state.train),
        held_out=_rounded(state.held_out),
        general=_rounded(state.general),
        n_parameters=engine.pretraining.info(state.adapter).n_parameters,
        transfer={} if kind == "half" else _transfer(engine, language, request.owner, state.adapter),
    )
    engine.pretraining.remove(state.adapter, request.owner)
    return found


def _rounded(points: Sequence[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    return tuple((step, round(loss, 5)) for step, loss in points)


def _ended(engine: Engine, request: PretrainingRequest) -> TrainingState:
    while True:
        state = engine.training.runs.state(request.request_id, request.owner)
        assert state is not None
        if state.status in ENDED and state.is_settled:
            break
        time.sleep(_WAIT_S)
    if state.status != "done":
        raise RuntimeError(f"{state.status}: {state.error}")
    return state


def _transfer(engine: Engine, language: str, owner: str, model_id: str) -> dict[str, Curve]:
    """Accuracy of a head on the trained and on the random body for each job: `job body` -> its points."""
    file = site_root() / "assets" / "samples" / "jobs" / "classification.json"
    reviews, curves = read_labelled_set(file.read_text("utf-8")), dict[str, Curve]()
    for job in JOBS:
        drawn, asked = labelled_texts(reviews, language, job)
        texts = tuple(one.text for one in (*drawn, *asked))
        for body in BODIES:
            request = BodyRequest(model_id, texts, body == "random", owner=owner)
            curves[f"{job} {body}"] = points(engine.pretraining.body(request), drawn, asked)
    return curves
