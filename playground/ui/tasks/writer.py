"""The model that writes: a decoder behind a prompt with examples, or an encoder-decoder; greedy, one line."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import lru_cache, partial

import streamlit as st

from playground.core.jobs.prompts import END, Writes, WritingJob, prompt, source
from playground.core.sampling import GREEDY
from playground.engine.contract.models import AdapterName, ModelInfo
from playground.errors import InputError, TextTooLong, TooManyTokens
from playground.settings import DATES_MODEL
from playground.ui import compute, stepwise
from playground.ui.roles import player
from playground.ui.state import PageContext, settings
from playground.ui.tasks.sets import writing
from playground.ui.throttle import Throttle

N_SHOTS = {"translation": 4, "summarization": 2, "qa": 2}
N_TOKENS = {"translation": 40, "summarization": 60, "qa": 20}
N_TOGETHER = 8  # answers that are written at the same time
N_KEPT = 16  # own answers of a session
WRITTEN = "tsk_written"


def writer(context: PageContext, job: WritingJob) -> PageContext | None:
    """The context with the model that writes: the chosen one where it can do jobs, otherwise a decoder.

    None while it is not in memory, with a line.
    """
    model = context.model
    writes = "generate_target" in model.capabilities and model.model_id != DATES_MODEL and job != "qa"
    return context if writes else player(context, "decoder")


def shots(model: ModelInfo, job: WritingJob, language: str) -> tuple[Writes, ...]:
    """The examples of a prompt: as many as leave room for every item of the set."""
    if model.kind != "decoder":
        return ()
    return _shots(AdapterName.of(model.model_id).base_id, model.n_ctx or 0, job, language)


@lru_cache(maxsize=128)
def _shots(model_id: str, window: int, job: WritingJob, language: str) -> tuple[Writes, ...]:
    train, items = writing(job, "train", language), writing(job, "held_out", language)
    for n in range(N_SHOTS[job], 0, -1):
        if not any(refusal(model_id, window, job, prompt(item, train[:n])) for item in items):
            return train[:n]
    return ()


def refusal(model_id: str, window: int, job: WritingJob, text: str) -> InputError | None:
    """The reason why a model cannot write an answer to a text, None if it can.

    Args:
        model_id: The model.
        window: Tokens that it reads at most, 0 where that is not known.
        job: Its kind.
        text: As the model reads it.
    """
    limits = settings()
    if len(text) > limits.max_text_chars:
        return TextTooLong(limit=limits.max_text_chars, got=len(text))
    n = len(compute.cut(model_id, text))
    most = min(limits.max_tokens, window - N_TOKENS[job]) if window else limits.max_tokens
    return TooManyTokens(limit=most, got=n) if n > most else None


def asked(model: ModelInfo, job: WritingJob, item: Writes, language: str) -> str:
    """The text that the model reads for an item."""
    if model.kind == "encoder-decoder":
        return source(item, model.family)
    return prompt(item, shots(model, job, language))


def fitting(model: ModelInfo, job: WritingJob, language: str) -> tuple[int, ...]:
    """Numbers of the items of the set that the model can answer; the others are too long for it."""
    return _fitting(
        AdapterName.of(model.model_id).base_id, model.n_ctx or 0, model.family, model.kind, job, language
    )


@lru_cache(maxsize=128)
def _fitting(
    model_id: str, window: int, family: str, kind: str, job: WritingJob, language: str
) -> tuple[int, ...]:
    before = () if kind == "encoder-decoder" else _shots(model_id, window, job, language)
    texts = [
        source(one, family) if kind == "encoder-decoder" else prompt(one, before)
        for one in writing(job, "held_out", language)
    ]
    return tuple(at for at, text in enumerate(texts) if not refusal(model_id, window, job, text))


def write(context: PageContext, job: WritingJob, texts: Sequence[str]) -> Generator[tuple[int, str]]:
    """(place in `texts`, the answer) as they are whole, until the reader clicks.

    Args:
        context: With the model that writes.
        job: Its kind.
        texts: Prompts or sources, from `asked`.
    """
    for start in range(0, len(texts), N_TOGETHER):
        part = texts[start : start + N_TOGETHER]
        answers = [""] * len(part)
        n_whole = 0
        fields = [{"text": text, "sampling": GREEDY, "stop": (END,)} for text in part]
        steps = stepwise.generate_many(context, fields, max_new_tokens=N_TOKENS[job])
        with closing(steps):
            for row, step in steps:
                answers[row] += step.text
                if step.finish_reason is not None:
                    n_whole += 1
                    yield start + row, answers[row].strip()
        if n_whole < len(part):
            return


# ---------------------------------------------------------------- the reader's own text


def known(context: PageContext, text: str) -> str | None:
    """The answer to a text of this session, None while nobody has asked."""
    written: OrderedDict[tuple[str, ...], str] = st.session_state.get(WRITTEN, OrderedDict())
    return written.get(_key(context, text))


def answer_own(context: PageContext, job: WritingJob, text: str, draw: Callable[[str], object]) -> bool:
    """Write the answer to one text before the reader's eyes; True once it is whole and kept.

    Args:
        context: With the model that writes.
        job: Its kind.
        text: From `asked`.
        draw: Draws what is written so far.
    """
    steps = stepwise.generate_many(
        context, [{"text": text, "sampling": GREEDY, "stop": (END,)}], max_new_tokens=N_TOKENS[job]
    )
    answer, pace, step = "", Throttle(), None
    with closing(steps):
        for _row, step in steps:
            answer += step.text
            pace(partial(draw, answer))
    if step is None or step.finish_reason is None:
        return False
    written: OrderedDict[tuple[str, ...], str] = st.session_state.setdefault(WRITTEN, OrderedDict())
    written[_key(context, text)] = answer.strip()
    while len(written) > N_KEPT:
        written.popitem(last=False)
    return True


def _key(context: PageContext, text: str) -> tuple[str, ...]:
    return context.model.model_id, context.model.revision, text
