"""One way measured: trained where it learns, then asked; with progress, until the reader stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import streamlit as st

from playground.core.few_shot import label_probabilities
from playground.core.glue import answer_of, data_of, prompt, words
from playground.core.ways import OF_ENCODER, WayAnswers, held_out, joined
from playground.engine.contract.label_runs import head_run, label_run
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.training import ENDED, TrainingRequest, TrainingState
from playground.errors import NotComputed, PlaygroundError
from playground.ui import compute, frame, stepwise, warming
from playground.ui.progress import Progress
from playground.ui.runs import status
from playground.ui.state import PageContext, click_waits, end_run, outlives_reload, settings
from playground.ui.task_heads import predictions, task_heads
from playground.ui.tasks.ways_known import Question, measured
from playground.ui.text import _, plain, sentence
from playground.ui.waiting import stop_with

RUNS = "tsk_ways_runs"  # question -> id of its run
WAIT_S = 0.3
N_KEPT = 4  # heads of a session beside the one that comes
outlives_reload(RUNS)

Make = Callable[[], TrainingRequest]


def measure(context: PageContext, asked: Question, name: str) -> bool:
    """Have a question answered, or wait for the reader who has it answered already.

    Args:
        context: From `frame.page`.
        asked: The question.
        name: Name of its way in the reader's language.

    Returns:
        False if a click ended it before all was known, or its model is not in memory yet.
    """
    found = measured(asked)
    place = st.empty()
    before = found.answers
    while not found.turn.acquire(timeout=WAIT_S):
        place.caption(plain(found.words or name))
        if click_waits():
            return False
    try:
        if found.answers is not None and found.answers is not before:  # somebody's, while this one waited
            return True
        entry = frame.models()[asked[3]]
        model = warming.model_when_ready(entry)
        answers = None if model is None else _answered(context, asked, model, name)
        found.answers = answers or found.answers
        return answers is not None
    finally:
        found.turn.release()


def stop(owner: str) -> None:
    """End the runs of this session that were started here; a callback."""
    runs = st.session_state.pop(RUNS, {})
    for run_id in runs.values():
        if compute.training().runs.state(run_id, owner) is not None:
            compute.training().runs.cancel(run_id)


def _answered(context: PageContext, asked: Question, model: ModelInfo, name: str) -> WayAnswers | None:
    way = asked[0]
    if way in OF_ENCODER:
        return _by_head(context, asked, model, name)
    if way == "adapter":
        return _by_adapter(context, asked, model, name)
    return _by_words(context, asked, model, name, few_shot=way == "few")


# ---- encoders


def _by_head(context: PageContext, asked: Question, model: ModelInfo, name: str) -> WayAnswers | None:
    """Train a head, alone or with its encoder, then ask it."""
    way, task, languages, _model, _revision = asked
    heads, owner = task_heads(), context.owner

    def make() -> TrainingRequest:
        for old in heads.of(owner)[:-N_KEPT]:
            heads.remove(old.head_id, owner)
        return head_run(model.model_id, task, heads, owner, languages, whole=way == "whole")

    state = _trained(context, asked, make, name)
    if state is None:
        return None
    head, items = heads.info(state.adapter), held_out(task, languages)
    bar = Progress(f"ways_{way}_asked", model.model_id, len(items), name)
    begun_at, told = time.monotonic(), dict[int, str]()
    for place, answer in predictions(context, head, [one.texts for one in items]):
        told[place] = data_of(task).labels[int(answer.values[0].argmax())]
        _tell(asked, bar, len(told), name, len(items))
    seconds = time.monotonic() - begun_at
    if way == "whole":  # its layers take 85 MB, of the room that all readers share
        heads.remove(head.head_id, owner)
    return _of(asked, told, seconds, state.elapsed_s, head.n_parameters)


# ---- decoders


def _by_words(
    context: PageContext,
    asked: Question,
    model: ModelInfo,
    name: str,
    *,
    few_shot: bool,
    shown: Question | None = None,
) -> WayAnswers | None:
    """Compare the labels as continuations of a prompt; a prompt knows one language, so each is a question.

    `shown` is the question whose readers are told how far it is.
    """
    way, task, languages, model_id, revision = asked
    if len(languages) > 1:
        parts = []
        for language in languages:
            part: Question = (way, task, (language,), model_id, revision)
            own = measured(part)
            own.answers = own.answers or _by_words(context, part, model, name, few_shot=few_shot, shown=asked)
            if own.answers is None:
                return None
            parts.append(own.answers)
        return joined(parts, languages)
    begun_at = time.monotonic()
    told = _scored(replace(context, model=model), asked, name, few_shot=few_shot, shown=shown)
    return None if told is None else _of(asked, told, time.monotonic() - begun_at)


def _by_adapter(context: PageContext, asked: Question, model: ModelInfo, name: str) -> WayAnswers | None:
    """Train an adapter on the labels, then compare them as continuations."""
    _way, task, languages, _model, _revision = asked
    limit = min(settings().max_training_tokens, model.n_ctx or settings().max_training_tokens)
    tokenizers, owner = compute.tokenizers(), context.owner
    state = _trained(
        context, asked, lambda: label_run(model.model_id, task, tokenizers, owner, limit, languages), name
    )
    if state is None:
        return None
    adapted = replace(model, model_id=state.adapter)
    begun_at = time.monotonic()
    told = _scored(replace(context, model=adapted), asked, name, few_shot=False)
    if told is None:
        return None
    n_trained = compute.adapters().info(state.adapter).n_parameters
    return _of(asked, told, time.monotonic() - begun_at, state.elapsed_s, n_trained)


def _scored(
    context: PageContext, asked: Question, name: str, *, few_shot: bool, shown: Question | None = None
) -> dict[int, str] | None:
    """The most probable label of each item; None where a click ended it."""
    way, task, languages, model_id, _revision = asked
    items = held_out(task, languages)
    texts = [prompt(task, item, few_shot=few_shot) for item in items]
    bar = Progress(f"ways_{way}", model_id, len(items), name)
    told: dict[int, str] = {}
    with closing(stepwise.scores(context, texts, [words(task)] * len(items), topic="ways")) as scored:
        for place, scores in scored:
            probs = label_probabilities(scores.logprobs, [len(ids) for ids in scores.input_ids])
            told[place] = str(answer_of(task, probs.tolist()))
            _tell(shown or asked, bar, len(told), name, len(items))
    return told if len(told) == len(items) else None


# ---- shared


def _trained(context: PageContext, asked: Question, make: Make, name: str) -> TrainingState | None:
    """The run of a question at its end: begun, or gone on with; None where a click ended the waiting.

    It goes on in the engine while the reader is elsewhere.
    """
    runs = compute.training().runs
    mine: dict[Question, str] = st.session_state.setdefault(RUNS, {})
    state = runs.state(mine[asked], context.owner) if asked in mine else None
    if state is None:
        try:
            request = make()
            runs.start(request)
        except PlaygroundError as error:
            stop_with(error)
        mine[asked] = request.request_id
        state = runs.state(request.request_id, context.owner)
    bar = Progress(f"ways_{asked[0]}_run", asked[3], state.settings.n_steps if state else 1, name)
    while state is not None and not (state.status in ENDED and state.is_settled):
        if state.status == "paused":  # its session had left
            runs.resume(state.run_id)
        _tell(asked, bar, state.step, f"{name} · {status(state)}")
        if click_waits():
            return None
        time.sleep(WAIT_S)
        state = runs.state(state.run_id, context.owner)
    mine.pop(asked, None)
    if state is None or state.status == "cancelled":
        return None
    if not state.adapter:
        st.error(sentence(state.error or NotComputed()))
        end_run()
    return state


def _tell(asked: Question, bar: Progress, done: int, words_: str, total: int = 0) -> None:
    told = f"{words_} · {_('{done} of {total} items answered').format(done=done, total=total)}"
    measured(asked).words = told if total else words_
    bar.draw(done, measured(asked).words)


def _of(
    asked: Question, told: dict[int, str], seconds: float, training_s: float = 0.0, n_trained: int = 0
) -> WayAnswers:
    way, task, languages, model_id, revision = asked
    answers = tuple(told[place] for place in range(len(told)))
    return WayAnswers(way, task, languages, model_id, revision, answers, seconds, training_s, n_trained)
