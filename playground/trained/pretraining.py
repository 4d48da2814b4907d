"""A Transformer trained from zero on the shipped text, by the engine that trains a reader's."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from playground.core.pretraining import bits, count_bits, parts
from playground.core.pretraining_run import LANGUAGES, NAME, folder, read, shipped_text
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.pretraining import (
    PretrainingObservation,
    PretrainingRequest,
    PretrainingSettings,
    fixed_tokens,
    pretraining_request,
)
from playground.engine.contract.training import ENDED, TrainingState
from playground.settings import Settings
from playground.trained.note import seal_with_note

SEED = 0
FIXED: Mapping[str, str] = {
    "en": "The lens gathers the light of the lamp.",
    "ko": "모델은 글을 읽습니다.",
}
PROMPTS: Mapping[str, tuple[str, ...]] = {"en": ("The ", "What does "), "ko": ("모델은 ", "이 페이지")}
PATIENCE_S = 3_600.0


def make(assets: Path, say: Callable[[str], None], **changes: Any) -> None:  # noqa: ANN401  (settings)
    """Train both models and write `pretraining/` with texts, curves, samples, attention and embeddings.

    Args:
        assets: `assets/trained/`, or a folder like it.
        say: Is told how far it is.
        changes: Other settings, for a shorter run.
    """
    place = assets / NAME
    place.mkdir(parents=True, exist_ok=True)
    settings = Settings()
    engine = create_engine(settings.model_copy(update={"max_training_s": PATIENCE_S}))
    figures: dict[str, float] = {}
    try:
        for language in LANGUAGES:
            if place != folder():
                (place / f"text-{language}.txt").write_text(shipped_text(language), "utf-8")
            request = request_of(language, **changes)
            began = time.process_time()
            state = trained(engine, request, say)
            write(place, language, request, state, time.process_time() - began)
            figures |= _figures(place, language)
    finally:
        engine.close()
    seal_with_note(place, script=__name__, seed=SEED, figures=figures, file="en.npz")
    say(f"{figures}")


def request_of(language: str, **changes: Any) -> PretrainingRequest:  # noqa: ANN401
    """The request of a language."""
    chosen: dict[str, Any] = {"data": language, "seed": SEED} | changes
    settings = PretrainingSettings(**chosen)
    return pretraining_request(
        settings, "script", shipped_text(language), fixed=FIXED[language], prompts=PROMPTS[language]
    )


def trained(engine: Engine, request: PretrainingRequest, say: Callable[[str], None]) -> TrainingState:
    """The state of the run at its end, with all samples."""
    engine.training.runs.start(request)
    told = -1
    while True:
        state = engine.training.runs.state(request.request_id, request.owner)
        assert state is not None
        if state.held_out and state.held_out[-1][0] > told:
            told, loss = state.held_out[-1]
            say(f"{request.settings.data}: step {told}, {bits(loss):.3f} bits per byte")
        if state.status in ENDED and all(one.status != "open" for one in state.samples):
            break
        time.sleep(0.1)
    if state.status != "done" or state.error is not None:
        raise RuntimeError(f"{state.status}: {state.error}")
    engine.pretraining.remove(state.adapter, request.owner)
    return state


def write(
    place: Path, language: str, request: PretrainingRequest, state: TrainingState, cpu_s: float
) -> None:
    """Write the run's two files."""
    observed = [one for one in state.observed if isinstance(one, PretrainingObservation)]
    cut = parts(shipped_text(language))
    said = {
        "settings": asdict(request.settings),
        "fixed": request.fixed.decode(),
        "tokens": fixed_tokens(request),
        "mapped": request.mapped,
        "train": [(step, round(loss, 5)) for step, loss in state.train],
        "held_out": [(step, round(loss, 5)) for step, loss in state.held_out],
        "count_bits": count_bits(cut.train, cut.held_out),
        "samples": [
            {"step": one.step, "prompt": PROMPTS[language][one.prompt], "text": one.text}
            for one in state.samples
        ],
        "steps": [one.step for one in observed],
        "cpu_s": round(cpu_s, 1),
    }
    (place / f"{language}.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")
    np.savez_compressed(
        place / f"{language}.npz",
        attention=np.stack([one.attention for one in observed]),
        embedding=np.stack([one.embedding for one in observed]),
    )


def _figures(place: Path, language: str) -> dict[str, float]:
    run = read(place, language)
    return {
        f"bits_{language}": bits(run.held_out[-1][1]),
        f"trigram_bits_{language}": run.count_bits[3],
        f"cpu_s_{language}": run.cpu_s,
    }
