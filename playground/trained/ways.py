"""The answers to the reviews that the page Tasks shows before anybody measures: five ways, both languages.

The encoder and the decoder are the embedded ones, each way is the very run that the page's own button starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from playground.core.few_shot import label_probabilities
from playground.core.glue import LANGUAGES, SENTIMENT, answer_of, data_of, prompt, words
from playground.core.ways import (
    FILE,
    FOLDER,
    OF_ENCODER,
    WAYS,
    Way,
    WayAnswers,
    held_out,
    joined,
    scored,
    written,
)
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.label_runs import head_run, label_run
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.task_heads import Prediction, PredictRequest
from playground.engine.contract.traces import TraceRequest
from playground.engine.contract.training import ENDED, TrainingRequest, TrainingState
from playground.settings import DEFAULT_DECODER, MULTILINGUAL_ENCODER, Settings
from playground.trained.note import seal_with_note

SEED = 0  # of every run
_OWNER = "ways"
GROUPS: tuple[tuple[str, ...], ...] = (*((language,) for language in LANGUAGES), LANGUAGES)


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Have the reviews answered in all five ways and write the folder `ways`."""
    settings = Settings(device="cpu", torch_threads=1, max_training_s=86_400)
    engine = create_engine(settings)
    told = []
    try:
        for one in asked(engine, settings, WAYS, GROUPS):
            told.append(one)
            found = scored(one.task, one.languages, one.answers)
            say(
                f"{one.way} {one.languages}: {found.accuracy:.3f} {found.accuracy_interval}, "
                f"{one.training_s:.1f} + {one.seconds:.1f} s, {one.n_trained} trained"
            )
    finally:
        engine.close()
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(written(told), "utf-8")
    figures = {
        f"{one.way}_{'_'.join(one.languages)}": scored(one.task, one.languages, one.answers).accuracy
        for one in told
    }
    seal_with_note(folder, script=__name__, seed=SEED, figures=figures, file=FILE)


def asked(
    engine: Engine, settings: Settings, ways: Sequence[Way], groups: Sequence[tuple[str, ...]]
) -> Iterator[WayAnswers]:
    """The answers in some ways, for some groups of languages."""
    for way in ways:
        model = _ready(engine, MULTILINGUAL_ENCODER if way in OF_ENCODER else DEFAULT_DECODER)
        parts: dict[tuple[str, ...], WayAnswers] = {}
        for languages in groups:
            if way in OF_ENCODER:
                yield by_head(engine, model, languages, way)
            elif way == "adapter":
                yield by_adapter(engine, model, languages, settings)
            elif len(languages) > 1:  # a prompt knows one language
                yield joined([parts[language,] for language in languages], languages)
            else:
                parts[languages] = by_words(engine, model, languages, way)
                yield parts[languages]


def by_head(engine: Engine, model: ModelInfo, languages: tuple[str, ...], way: Way) -> WayAnswers:
    """A task head, alone or with its encoder."""
    heads = engine.task_heads
    request = head_run(model.model_id, SENTIMENT, heads, _OWNER, languages, whole=way == "whole")
    state = _ended(engine, request)
    begun_at = time.monotonic()
    texts = tuple(one.texts for one in held_out(SENTIMENT, languages))
    told: dict[int, str] = {}
    for place, found in heads.predict(PredictRequest(state.adapter, texts)):
        assert isinstance(found, Prediction), found
        told[place] = data_of(SENTIMENT).labels[int(found.values[0].argmax())]
    seconds, n_trained = time.monotonic() - begun_at, heads.info(state.adapter).n_parameters
    heads.remove(state.adapter, _OWNER)
    answers = tuple(told[place] for place in range(len(texts)))
    return WayAnswers(
        way,
        SENTIMENT,
        languages,
        model.model_id,
        model.revision,
        answers,
        seconds,
        state.elapsed_s,
        n_trained,
    )


def by_words(engine: Engine, model: ModelInfo, languages: tuple[str, ...], way: Way) -> WayAnswers:
    """The label whose word is the most probable continuation of a prompt."""
    begun_at = time.monotonic()
    answers = _scored(engine, model.model_id, languages, few_shot=way == "few")
    seconds = time.monotonic() - begun_at
    return WayAnswers(way, SENTIMENT, languages, model.model_id, model.revision, answers, seconds)


def by_adapter(
    engine: Engine, model: ModelInfo, languages: tuple[str, ...], settings: Settings
) -> WayAnswers:
    """The same, without examples in the prompt, by an adapter that has learned the set."""
    limit = settings.max_training_tokens
    state = _ended(engine, label_run(model.model_id, SENTIMENT, engine.tokenizers, _OWNER, limit, languages))
    begun_at = time.monotonic()
    answers = _scored(engine, state.adapter, languages, few_shot=False)
    seconds = time.monotonic() - begun_at
    n_trained = next(one.n_parameters for one in engine.adapters.of(_OWNER) if one.model_id == state.adapter)
    engine.adapters.remove(state.adapter, _OWNER)
    return WayAnswers(
        "adapter", SENTIMENT, languages, model.model_id, model.revision, answers, seconds, state.elapsed_s,
        n_trained,
    )  # fmt: skip


def _ended(engine: Engine, request: TrainingRequest) -> TrainingState:
    engine.training.runs.start(request)
    while True:
        state = engine.training.runs.state(request.request_id, _OWNER)
        assert state is not None
        if state.status in ENDED and state.is_settled:
            assert state.status == "done", state.error
            return state
        time.sleep(0.1)


def _ready(engine: Engine, model_id: str) -> ModelInfo:
    engine.trace(TraceRequest(model_id, "a"))  # loads it
    return next(info for info in engine.models() if info.model_id == model_id)


def _scored(engine: Engine, model_id: str, languages: tuple[str, ...], *, few_shot: bool) -> tuple[str, ...]:
    items = held_out(SENTIMENT, languages)
    texts = tuple(prompt(SENTIMENT, item, few_shot=few_shot) for item in items)
    told: dict[int, str] = {}
    for place, scores in engine.score(ScoreRequest(model_id, texts, (words(SENTIMENT),) * len(items))):
        probs = label_probabilities(scores.logprobs, [len(ids) for ids in scores.input_ids])
        told[place] = str(answer_of(SENTIMENT, probs.tolist()))
    return tuple(told[place] for place in range(len(items)))
