"""The embedded decoder and an adapter on it write to the same prompts, and score what both wrote.

    python -m playground.trained drift

The adapter is trained as on *Fine-tuning*, on rows of our own, and let go: the record is a few kilobytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from playground.core.adapting import N_STEPS, SEED, SIZE
from playground.core.drift import FILE, FOLDER, PROMPTS, DriftRecord, mean_shifts, shifts, written
from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.adapting import way_run, way_settings
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import TraceRequest
from playground.engine.contract.training import ENDED
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained.adapters import MODULES, texts
from playground.trained.note import seal_with_note

N_TOKENS = 16
_OWNER = "drift"


def make(
    assets: Path, say: Callable[[str], None], *, n_steps: int = N_STEPS, model: str = DEFAULT_DECODER
) -> None:
    """Train the adapter, let both write and read, and write it down."""
    engine = create_engine(Settings(device="cpu", torch_threads=1, max_training_s=86_400))
    try:
        record = measured(engine, model, n_steps)
    finally:
        engine.close()
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(written(record), "utf-8")
    figures = {f"shift_{who}": shift for who, shift in mean_shifts(record.rows).items()}
    seal_with_note(folder, script=__name__, seed=SEED, figures=figures, file=FILE)
    say(", ".join(f"{name} {value:.3f} bits per byte" for name, value in figures.items()))


def measured(engine: Engine, model: str, n_steps: int, prompts: Sequence[str] = PROMPTS) -> DriftRecord:
    """The record of a base and an adapter of so many steps."""
    engine.trace(TraceRequest(model, "a"))  # loads it
    revision = next(info.revision for info in engine.models() if info.model_id == model)
    adapter = _trained(engine, model, n_steps)
    told = {
        who: [_written(engine, one, prompt) for prompt in prompts]
        for who, one in (("a", model), ("b", adapter))
    }
    scores = [_scored(engine, one, prompts, told) for one in (model, adapter)]
    engine.adapters.remove(adapter, _OWNER)
    return DriftRecord(model, revision, "lora", n_steps, told, tuple(shifts(prompts, told, *scores)))


def _trained(engine: Engine, model: str, n_steps: int) -> str:
    train, held_out = texts(engine, model)
    settings = way_settings(model, "lora", SIZE, MODULES, n_steps=n_steps)
    request = way_run(settings, train, held_out, _OWNER)
    engine.training.runs.start(request)
    while True:
        state = engine.training.runs.state(request.request_id, _OWNER)
        assert state is not None
        if state.status in ENDED and state.is_settled:
            assert state.status == "done", state.error
            return state.adapter
        time.sleep(0.1)


def _written(engine: Engine, model: str, prompt: str) -> str:
    asked = GenerateRequest(model, prompt, sampling=GREEDY, max_new_tokens=N_TOKENS, n_top=1, owner=_OWNER)
    return "".join(step.text for step in engine.generate(asked))


def _scored(
    engine: Engine, model: str, prompts: Sequence[str], told: dict[str, list[str]]
) -> dict[tuple[int, str], float]:
    """(Number of a prompt, who wrote) -> log-probability of that text; empty texts are left out."""
    found: dict[tuple[int, str], float] = {}
    for at, prompt in enumerate(prompts):
        candidates = tuple(dict.fromkeys(filter(None, (told["a"][at], told["b"][at]))))
        if not candidates:
            continue
        ((_place, scores),) = engine.score(ScoreRequest(model, (prompt,), (candidates,), owner=_OWNER))
        known = dict(zip(candidates, scores.logprobs, strict=True))
        found |= {(at, who): known[told[who][at]] for who in ("a", "b") if told[who][at] in known}
    return found
