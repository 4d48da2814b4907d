"""Runs from zero on the texts of this project, as the page shows them: trained by the engine, taken down whole.

In each language the next byte, masked bytes, hidden spans, and the next byte on the first half alone; all with
the same steps, size and seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from playground.core.forming import prompts_of
from playground.core.pretraining import halves
from playground.core.run_history import RunHistory
from playground.core import transfer_set as transfer
from playground.core.labelled_sets import read_labelled_set
from playground.core.transfer_set import BODIES, JOBS, Curve, labelled_texts
from playground.paths import site_root
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.pretraining import (
    BodyRequest,
    PretrainingObservation,
    PretrainingRequest,
    PretrainingSettings,
    fixed_tokens,
    pretraining_request,
)
from playground.engine.contract.training import ENDED, TrainingState
from playground.engine.models.shipped import trained_assets
from playground.engine.models.whole_folder import METADATA, write_json
from playground.settings import Settings
from playground.trained.pretraining_texts import LANGUAGES

NAME = "from-zero-runs"
N_STEPS, SEED = 300, 0
TOGETHER = (("next", "half"), ("masked",), ("span",))
_WAIT_S = 0.2


def file_of(language: str, kind: str) -> str:
    """Name of the file of a run."""
    return f"{language}.npz" if kind == "next" else f"{language}-{kind}.npz"


def make(assets: Path, say: Callable[[str], None], n_steps: int = N_STEPS) -> None:
    """Train all of them and write their histories into the folder `from-zero-runs`."""
    folder = assets / NAME
    folder.mkdir(parents=True, exist_ok=True)
    figures = {}
    for name, found in histories(n_steps):
        (folder / name).write_bytes(found.file())
        figures[f"{name.removesuffix('.npz')}_held_out_nats"] = found.held_out[-1][1]
        say(f"{name}: {found.held_out[-1]}, {dict(found.transfer)}")
    note = {"source": f"python -m playground.trained {NAME}", "script": __name__, "seed": SEED}
    write_json(folder / METADATA, note | {"n_steps": n_steps, "figures": figures})


def histories(n_steps: int, kinds: Sequence[Sequence[str]] = TOGETHER) -> Iterator[tuple[str, RunHistory]]:
    """File name and history of each run; the kinds that stand together are trained in one step.

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
                yield file_of(language, kind), history(engine, language, kind, request)
    finally:
        engine.close()


def request_of(language: str, kind: str, n_steps: int) -> PretrainingRequest:
    """The request of a run."""
    text = (trained_assets() / "pretraining" / f"text-{language}.txt").read_text("utf-8")
    read, other = halves(text) if kind == "half" else (text, "")
    settings = PretrainingSettings(
        objective="next" if kind == "half" else kind, data=language, n_steps=n_steps, seed=SEED
    )
    prompts = prompts_of(read) if kind == "next" else ()
    return pretraining_request(settings, f"{language} {kind}", read, prompts=prompts, other=other)


def history(engine: Engine, language: str, kind: str, request: PretrainingRequest) -> RunHistory:
    """A run that was started, taken down once it has ended."""
    state = _ended(engine, request)
    observed = [one for one in state.observed if isinstance(one, PretrainingObservation)]
    if kind in ("half", "masked", "span"):
        observed = []  # no picture of the page shows theirs
    info = engine.pretraining.info(state.adapter)
    shape = (0, 1, 1, 1, 1), (0, 1, 1)
    prompts = tuple(bytes(ids[1:]).decode() for ids in request.prompts)
    found = RunHistory(
        asdict(request.settings), language, "half" if kind == "half" else "", prompts,
        fixed_tokens(request), request.mapped, state.train, state.held_out, state.general,
        tuple((one.step, one.prompt, one.text) for one in state.samples), tuple(one.step for one in observed),
        np.stack([one.attention for one in observed]) if observed else np.zeros(shape[0], np.float16),
        np.stack([one.embedding for one in observed]) if observed else np.zeros(shape[1], np.float16),
        info.n_parameters, 
        {} if kind == "half" else _transfer(engine, language, request.owner, state.adapter),
    )  # fmt: skip
    engine.pretraining.remove(state.adapter, request.owner)
    return found


def _ended(engine: Engine, request: PretrainingRequest) -> TrainingState:
    while True:
        state = engine.training.runs.state(request.request_id, request.owner)
        assert state is not None
        if state.status in ENDED and state.is_settled and all(one.status != "open" for one in state.samples):
            break
        time.sleep(_WAIT_S)
    if state.status != "done":
        raise RuntimeError(f"{state.status}: {state.error}")
    return state


def _transfer(engine: Engine, language: str, owner: str, model_id: str) -> dict[str, Curve]:
    """Accuracy of a head on the trained body and on the random one, for each job: `job body` -> its points."""
    file = site_root() / "assets" / "samples" / "jobs" / "classification.json"
    reviews, curves = read_labelled_set(file.read_text("utf-8")), dict[str, Curve]()
    for job in JOBS:
        drawn, asked = labelled_texts(reviews, language, job)
        texts = tuple(one.text for one in (*drawn, *asked))
        for body in BODIES:
            request = BodyRequest(model_id, texts, body == "random", owner=owner)
            points = transfer.points(engine.pretraining.body(request), drawn, asked)
            curves[f"{job} {body}"] = points
    return curves
