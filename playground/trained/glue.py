"""The answers to the nine sets in the shape of GLUE that the page Evaluation shows before it measures.

Four ways: a linear head on frozen vectors, a prompt without and with examples, an adapter for some tasks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playground.core.few_shot import label_probabilities
from playground.core.glue import LANGUAGES, TASKS, Answers, answer_of, data_of, prompt, words
from playground.core.glue_answers import FILE, FOLDER, Told, Way, held_out, written
from playground.core.labelled_sets import LabelledItem
from playground.core.pair_head import head_answers
from playground.core.sentences import sentence_vector
from playground.core.trace import Trace
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.label_runs import label_run
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import TraceRequest
from playground.engine.contract.training import ENDED
from playground.engine.contract.vectors import TracesRequest
from playground.settings import DEFAULT_DECODER, MULTILINGUAL_ENCODER, Settings
from playground.trained.note import seal_with_note

SEED = 0  # of the adapters
ADAPTED = ("cola", "sst2", "mrpc", "rte")  # the tasks that get one: a minute or two each
_OWNER = "glue"


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Ask the embedded models all nine tasks and write the folder `glue`."""
    settings = Settings(device="cpu", torch_threads=1, max_training_s=86_400)
    engine = create_engine(settings)
    told = []
    try:
        for one in asked(engine, settings, tuple(TASKS)):
            told.append(one)
            say(f"{one.way} {one.task}: {one.seconds:.1f} s")
    finally:
        engine.close()
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(written(told), "utf-8")
    seal_with_note(folder, script=__name__, seed=SEED, figures={"n_answers": len(told)}, file=FILE)


def asked(engine: Engine, settings: Settings, tasks: Sequence[str]) -> Iterator[Told]:
    """The answers to some tasks, one way after the other."""
    encoder = _ready(engine, MULTILINGUAL_ENCODER)
    for task in tasks:
        yield by_head(engine, encoder, task)
    decoder = _ready(engine, DEFAULT_DECODER)
    ways: tuple[Way, ...] = ("zero", "few")
    for way in ways:
        for task in tasks:
            yield by_words(engine, decoder, task, way)
    for task in tasks:
        if task in ADAPTED:
            yield by_adapter(engine, decoder, task, settings)


def by_head(engine: Engine, model: ModelInfo, task: str) -> Told:
    """Frozen sentence vectors and a linear head."""
    begun_at = time.monotonic()
    train, items = data_of(task).part("train", LANGUAGES), held_out(task)
    read, read_items = (_vectors(engine, model, part) for part in (train, items))
    found = head_answers(read, [item.label for item in train], read_items)
    return _told("head", task, model, found.answers, begun_at, found.n_parameters)


def by_words(engine: Engine, model: ModelInfo, task: str, way: Way) -> Told:
    """The label whose word is the most probable continuation of a prompt."""
    begun_at = time.monotonic()
    return _told(way, task, model, _scored(engine, model.model_id, task, way), begun_at)


def by_adapter(engine: Engine, model: ModelInfo, task: str, settings: Settings) -> Told:
    """The same, without examples in the prompt, by an adapter that has learned the task."""
    begun_at = time.monotonic()
    request = label_run(model.model_id, task, engine.tokenizers, _OWNER, settings.max_training_tokens)
    engine.training.runs.start(request)
    while (state := engine.training.runs.state(request.request_id, _OWNER)) is not None:
        if state.status in ENDED and state.is_settled:
            break
        time.sleep(0.2)
    assert state is not None
    assert state.status == "done", state.error
    answers = _scored(engine, state.adapter, task, "adapter")
    n_trained = next(one.n_parameters for one in engine.adapters.of(_OWNER) if one.model_id == state.adapter)
    engine.adapters.remove(state.adapter, _OWNER)
    return _told("adapter", task, model, answers, begun_at, n_trained)


def _told(
    way: Way, task: str, model: ModelInfo, answers: Answers, begun_at: float, n_trained: int = 0
) -> Told:
    seconds = time.monotonic() - begun_at
    return Told(way, task, model.model_id, model.revision, answers, seconds, n_trained)


def _ready(engine: Engine, model_id: str) -> ModelInfo:
    engine.trace(TraceRequest(model_id, "a"))  # loads it
    return next(info for info in engine.models() if info.model_id == model_id)


def _vectors(engine: Engine, model: ModelInfo, items: Sequence[LabelledItem]) -> NDArray[np.float32]:
    """Shape [item, text, d_model]."""
    texts = tuple(model.prefixes.text + text for item in items for text in item.texts)
    found: dict[int, NDArray[np.float32]] = {}
    request = TracesRequest(model.model_id, texts, (model.n_layer,), model.max_seq_length or 0)
    for place, read in engine.vectors.traces(request):
        assert isinstance(read, Trace), read
        found[place] = sentence_vector(read)
    vectors = np.stack([found[place] for place in range(len(texts))])
    return vectors.reshape(len(items), -1, vectors.shape[-1])


def _scored(engine: Engine, model_id: str, task: str, way: Way) -> Answers:
    items = held_out(task)
    texts = tuple(prompt(task, item, few_shot=way == "few") for item in items)
    told: dict[int, str | float] = {}
    for place, scores in engine.score(ScoreRequest(model_id, texts, (words(task),) * len(items))):
        probs = label_probabilities(scores.logprobs, [len(ids) for ids in scores.input_ids])
        told[place] = answer_of(task, probs.tolist())
    return tuple(told[place] for place in range(len(items)))  # type: ignore[return-value]
