"""Answers to the nine sets: measured with progress, remembered for all readers of this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from playground.core.few_shot import label_probabilities
from playground.core.glue import LANGUAGES, TASKS, answer_of, data_of, prompt, words
from playground.core.glue_answers import WAYS, Told, Way, held_out, shipped
from playground.core.labelled_sets import LabelledItem
from playground.core.pair_head import head_answers
from playground.core.sentences import sentence_vector
from playground.core.trace import Trace
from playground.engine.contract.models import ModelInfo
from playground.errors import PlaygroundError
from playground.settings import DEFAULT_DECODER
from playground.ui import compute, state, stepwise
from playground.ui.progress import Progress
from playground.ui.roles import encoder_of, player
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.waiting import stop_with

N_KNOWN = 500  # answers to a task; a few kilobytes each
_known: OrderedDict[tuple[Way, str, str, str], Told] = OrderedDict()


def remember(told: Told) -> None:
    """Keep answers for everybody who asks the same of this process."""
    _known[told.way, told.task, told.model_id, told.revision] = told
    while len(_known) > N_KNOWN:
        _known.popitem(last=False)


def measured(way: Way, model: ModelInfo) -> dict[str, Told]:
    """Task -> a model's answers that this process has measured."""
    found = {task: _known.get((way, task, model.model_id, model.revision)) for task in TASKS}
    return {task: told for task, told in found.items() if told is not None}


def series(context: PageContext) -> dict[Way, dict[str, Told]]:
    """Each way's answers: those of the page's model, or as long as there are none those that are shipped."""
    found: dict[Way, dict[str, Told]] = {}
    for way in WAYS:
        ours = {told.task: told for told in shipped() if told.way == way}
        found[way] = measured(way, model_of(context, way)) or ours
    return {way: told for way, told in found.items() if told}


def model_of(context: PageContext, way: Way) -> ModelInfo:
    """The model that goes this way: the reader's where its kind fits, else the default of that kind."""
    kind = "encoder" if way == "head" else "decoder"
    if context.model.kind == kind:
        return context.model
    infos = {info.model_id: info for info in compute.models()}
    if kind == "encoder":
        return infos[encoder_of(_korean())]
    default = infos[state.settings().default_model]
    return default if default.kind == kind else infos[DEFAULT_DECODER]


def in_memory(context: PageContext, way: Way) -> PageContext | None:
    """The page with that model, None while it is not in memory (its line says why)."""
    return player(replace(context, text=_korean()), "encoder" if way == "head" else "decoder")


def _korean() -> str:
    """A Korean text, so that the encoder is one that reads both languages."""
    return next(item.texts[0] for item in held_out("cola") if item.language == "ko")


def measure(context: PageContext, way: Way, tasks: Sequence[str]) -> bool:
    """Ask tasks one after the other and remember each; False when a click ended it.

    Args:
        context: From `in_memory`.
        way: head, zero or few.
        tasks: Ids of the tasks.
    """
    total = sum(_n_texts(task, way) for task in tasks)
    bar = Progress(f"glue_{way}", context.model.model_id, total, _("Asking the nine tasks"))
    done = 0
    for task in tasks:
        told = _by_head(context, task, bar, done) if way == "head" else scored(context, task, way, bar, done)
        if told is None:
            return False
        remember(told)
        done += _n_texts(task, way)
    return True


def _n_texts(task: str, way: Way) -> int:
    items = data_of(task).items if way == "head" else held_out(task)
    return len(items) * (len(items[0].texts) if way == "head" else 1)


def _by_head(context: PageContext, task: str, bar: Progress, done: int) -> Told:
    begun_at = time.monotonic()
    train, items = data_of(task).part("train", LANGUAGES), held_out(task)
    read = _vectors(context, task, train, bar, done)
    asked = _vectors(context, task, items, bar, done + len(train) * len(train[0].texts))
    found = head_answers(read, [item.label for item in train], asked)
    return Told(
        "head", task, context.model.model_id, context.model.revision, found.answers,
        time.monotonic() - begun_at, found.n_parameters,
    )  # fmt: skip


def _vectors(
    context: PageContext, task: str, items: Sequence[LabelledItem], bar: Progress, done: int
) -> NDArray[np.float32]:
    """Shape [item, text, d_model]."""
    model = context.model
    texts = [model.prefixes.text + text for item in items for text in item.texts]
    found: dict[int, NDArray[np.float32]] = {}
    reads = compute.traces(
        context, model.model_id, texts, hidden_states=(model.n_layer,), max_tokens=model.max_seq_length
    )
    for place, read in reads:
        if isinstance(read, PlaygroundError):
            stop_with(read)
        assert isinstance(read, Trace)
        found[place] = sentence_vector(read)
        bar.draw(done + len(found), TASKS[task].name)
    vectors = np.stack([found[place] for place in range(len(texts))])
    return vectors.reshape(len(items), -1, vectors.shape[-1])


def scored(context: PageContext, task: str, way: Way, bar: Progress, done: int) -> Told | None:
    """The labels compared as continuations of a prompt; None when a click ended it.

    Args:
        context: The page with the decoder that is asked.
        task: Id of the task.
        way: "few" shows examples in the prompt.
        bar: Is told how far it is.
        done: Parts of the bar that are done before.
    """
    begun_at = time.monotonic()
    items = held_out(task)
    texts = [prompt(task, item, few_shot=way == "few") for item in items]
    told: list[str | float] = []
    asked = stepwise.scores(context, texts, [words(task)] * len(items), topic="glue")
    with closing(asked):
        for _place, scores in asked:
            probs = label_probabilities(scores.logprobs, [len(ids) for ids in scores.input_ids])
            told.append(answer_of(task, probs.tolist()))
            bar.draw(done + len(told), TASKS[task].name)
    if len(told) < len(items):
        return None
    seconds = time.monotonic() - begun_at
    return Told(way, task, context.model.model_id, context.model.revision, tuple(told), seconds)  # type: ignore[arg-type]
