"""Trains tiny models of several sizes on several amounts of the same text, and takes down their losses.

Each run's result is kept in `build/scaling/` as soon as it is there, so that an interruption loses nothing;
two runs go side by side, one thread each. `assets/trained/scaling/` gets the table of all runs, and what the
embedded model says of the same held-out text.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from playground.core.metrics.perplexity import Cost, cost, joined, windows
from playground.core.scaling import fit
from playground.core.scaling_runs import AXES, FILE, FOLDER, MODELS_FILE, TinyRun, points, read, written
from playground.core.scaling_text import held_out_text, pieces, whole_text
from playground.core.tokens import join
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.scaling_runs import N_STEPS, SHAPES, scaling_request, tiny_run
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import ENDED
from playground.paths import site_root
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained.note import seal_with_note

SEED = 0
SIDE_BY_SIDE = 2
MIDDLE = "d64"  # the size that is trained on every amount of text
LARGEST = "d128"
EIGHTH = 1 / 8
SHARES = (1 / 32, 1 / 16, EIGHTH, 1 / 4, 1 / 2, 1.0)
_OWNER = "scaling"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One run to train.

    Attributes:
        shape: Name of its shape.
        share: Share of the text.
        seed: Its seed.
    """

    shape: str
    share: float
    seed: int = SEED

    @property
    def name(self) -> str:
        """Name of the run."""
        of = "" if self.share == 1 else f" · 1/{round(1 / self.share)}"
        return f"{self.shape}{of}" + (f" · seed {self.seed}" if self.seed != SEED else "")

    @property
    def file(self) -> str:
        """Name of the file that keeps its result."""
        return f"{self.shape}-{round(1 / self.share)}-{self.seed}.json"


def recipes() -> list[Recipe]:
    """All runs: every size on all of the text, all but the largest on an eighth, one on all amounts."""
    sizes = [Recipe(shape, share) for share in (1.0, EIGHTH) for shape in SHAPES]
    sizes.remove(Recipe(LARGEST, EIGHTH))
    amounts = [Recipe(MIDDLE, share) for share in SHARES]
    again = [Recipe(shape, 1.0, 1) for shape in ("d24", MIDDLE)]
    return list(dict.fromkeys([*sizes, *amounts, *again]))


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Train what is not in `build/scaling/` yet and write the folder `scaling`."""
    kept = site_root() / "build" / FOLDER
    kept.mkdir(parents=True, exist_ok=True)
    open_ = [one for one in recipes() if not (kept / one.file).is_file()]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(SIDE_BY_SIDE, spawn) as pool:
        asked = [pool.submit(_keep, one, kept) for one in sorted(open_, key=lambda one: -_cost(one))]
        for done in as_completed(asked):
            say(_line(done.result()))
    runs = [read((kept / one.file).read_text("utf-8"))[0] for one in recipes()]
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(written(runs), "utf-8")
    (folder / MODELS_FILE).write_text(_embedded(say), "utf-8")
    seal_with_note(folder, script=__name__, seed=SEED, figures=figures(runs), file=FILE)


def figures(runs: Sequence[TinyRun]) -> dict[str, float]:
    """The exponents of the straight lines, and the last loss of every run."""
    found = {one.name: one.last.bits_per_byte for one in runs}
    for axis in AXES:
        counted = [one for one in points(runs, axis) if one.is_fitted]
        found[f"exponent_{axis}"] = fit([one.x for one in counted], [one.loss for one in counted]).b
    return found


def _cost(one: Recipe) -> int:
    return SHAPES[one.shape].n_parameters


def _line(run: TinyRun) -> str:
    last = run.last
    return f"{run.name}: {run.n_parameters} parameters, {last.bits_per_byte:.3f} bits, {last.seconds:.0f} s"


def _keep(one: Recipe, folder: Path) -> TinyRun:
    """Train one run in a process of its own and keep its result."""
    torch.set_num_threads(1)
    run = train(one)
    draft = folder / f"{one.file}.part"
    draft.write_text(written([run]), "utf-8")
    draft.replace(folder / one.file)
    return run


def train(one: Recipe, n_steps: int = N_STEPS) -> TinyRun:
    """Train one run in an engine of its own, which holds no other model."""
    engine = create_engine(Settings(device="cpu", torch_threads=1, max_training_s=86_400))
    try:
        return trained(engine, one, n_steps)
    finally:
        engine.close()


def trained(engine: Engine, one: Recipe, n_steps: int = N_STEPS) -> TinyRun:
    """Train one run in this engine.

    Args:
        engine: The engine.
        one: The run.
        n_steps: Its steps.
    """
    text = whole_text()
    request = scaling_request(
        text, SHAPES[one.shape], _OWNER, share=one.share, n_steps=n_steps, seed=one.seed
    )
    engine.training.runs.start(request)
    seconds: dict[int, float] = {}
    while True:
        state = engine.training.runs.state(request.request_id, _OWNER)
        assert state is not None
        for step, _loss in state.held_out:
            seconds.setdefault(step, state.elapsed_s)
        if state.status in ENDED and state.is_settled:
            break
        time.sleep(0.05)
    assert state.status == "done", state.error
    info = engine.pretraining.info(state.adapter)
    run = tiny_run(one.name, text, one.share, state, info.n_parameters, seconds)
    engine.pretraining.remove(state.adapter, _OWNER)
    return run


def _embedded(say: Callable[[str], None]) -> str:
    """The cost of the held-out text under the embedded decoder, as the text of a JSON file."""
    settings = Settings(device="cpu", torch_threads=1)
    engine = create_engine(settings)
    try:
        revision, found = model_cost(engine, DEFAULT_DECODER, settings.max_tokens)
    finally:
        engine.close()
    say(f"{DEFAULT_DECODER}: {found.bits_per_byte:.3f} bits per byte")
    return json.dumps([{"model": DEFAULT_DECODER, "revision": revision, **asdict(found)}], indent=1) + "\n"


def model_cost(engine: Engine, model_id: str, most: int) -> tuple[str, Cost]:
    """Revision of a decoder with a start token, and its cost of the held-out text, read in windows.

    Args:
        engine: The engine.
        model_id: The decoder.
        most: Most tokens that are read at once.
    """
    tokens = join(
        [
            engine.tokenizers.tokenize(model_id, one, add_special_tokens=False)
            for one in pieces(held_out_text())
        ]
    )
    start_id = engine.tokenizers.info(model_id).start_id
    assert start_id is not None
    ids = (start_id, *tokens.input_ids)
    parts = windows(len(ids), most - 1, max(1, (most - 1) // 2))
    read_there: dict[int, np.ndarray] = {}
    revision = ""
    for one in parts:
        trace = engine.trace(
            TraceRequest(model_id, input_ids=ids[one.begin : one.end], capture=Capture(predictions=1))
        )
        assert trace.predictions is not None
        read_there[one.begin], revision = trace.predictions.logprobs, trace.revision
    return revision, cost(joined(parts, read_there), b"".join(tokens.token_bytes))
