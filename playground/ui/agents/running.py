"""Runs of the class's model: turns are written one at a time, several runs in one batch, and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from contextlib import closing
from typing import Any

import streamlit as st

from playground.core.agents.loop import Loop, Reply
from playground.core.agents.strategies import Ask
from playground.core.sampling import GREEDY
from playground.engine.contract.constraints import Constraint
from playground.ui import compute, state, stepwise
from playground.ui.agents.world import Wish, world
from playground.ui.state import PageContext, outlives_reload

RUNS, RUNNING = "ag_runs", "ag_running"
MOST_KEPT = 40  # runs of a session
outlives_reload(RUNS)


def known(context: PageContext, wish: Wish) -> Loop | None:
    """The run that this session has begun with these settings and this model."""
    return _runs().get(_key(context, wish))


def begin(context: PageContext, wishes: Sequence[Wish]) -> None:
    """Begin runs anew, and say that they are to go on; a callback."""
    for wish in wishes:
        runs = _runs()
        runs.pop(_key(context, wish), None)
        runs[_key(context, wish)] = Loop(wish.setup, world(context, wish))
        while len(runs) > MOST_KEPT:
            runs.pop(next(iter(runs)))
    st.session_state[RUNNING] = _keys(context, wishes)


def go_on(context: PageContext, wishes: Sequence[Wish]) -> None:
    """Let runs go on; a callback."""
    st.session_state[RUNNING] = _keys(context, wishes)


def stop() -> None:
    """Stop after the token that is being written; a callback."""
    st.session_state[RUNNING] = None


def is_running(context: PageContext, wishes: Sequence[Wish]) -> bool:
    """True if these runs are under way."""
    if st.session_state.get(RUNNING) != _keys(context, wishes):
        return False
    return any(isinstance(loop.move, Ask) for wish in wishes if (loop := known(context, wish)) is not None)


def turn(context: PageContext, wishes: Sequence[Wish], draw: Callable[[Sequence[str], int], None]) -> None:
    """Have the next turn of each run written, then draw the page anew; any click stops it within one token.

    Args:
        context: From `frame.page`, with the model that writes.
        wishes: Runs that are under way.
        draw: Gets the text of each run so far, and the tokens written in this turn.
    """
    keys, st.session_state[RUNNING] = _keys(context, wishes), None  # an error ends it
    loops = [loop for wish in wishes if (loop := known(context, wish)) is not None]
    asks = [(loop, move) for loop in loops if isinstance(move := loop.move, Ask)]
    prompts = [_ids(context, move.prompt) for _loop, move in asks]
    room = _window(context)
    fits = [len(ids) + move.n_new <= room for ids, (_loop, move) in zip(prompts, asks, strict=True)]
    for (loop, _move), is_fitting in zip(asks, fits, strict=True):
        if not is_fitting:
            loop.give(None)
    open_now = [(loop, move, ids) for (loop, move), ids, fit in zip(asks, prompts, fits, strict=True) if fit]
    replies = _write(context, open_now, draw) if open_now else []
    if replies is not None:
        for (loop, _move, _ids_of), reply in zip(open_now, replies, strict=True):
            loop.give(reply)
    st.session_state[RUNNING] = keys
    if replies is not None:  # otherwise a click waits for the end of this run
        st.rerun()


def _write(
    context: PageContext,
    asked: Sequence[tuple[Loop, Ask, tuple[int, ...]]],
    draw: Callable[[Sequence[str], int], None],
) -> list[Reply] | None:
    """The texts, all in one batch; None where a click came before their end."""
    texts, written = [""] * len(asked), [[] for _one in asked]  # type: list[str], list[list[int]]
    ended, seconds, begun_at = [False] * len(asked), [0.0] * len(asked), time.monotonic()
    settings = [_settings(move, ids) for _loop, move, ids in asked]
    most = max(move.n_new for _loop, move, _ids_of in asked)
    with closing(stepwise.generate_many(context, settings, max_new_tokens=most)) as steps:
        for row, step in steps:
            texts[row] += step.text
            written[row].append(step.token_id)
            if step.finish_reason is not None:
                ended[row], seconds[row] = True, time.monotonic() - begun_at
            draw(texts, sum(map(len, written)))
    if not all(ended):
        return None
    return [
        Reply(text, ids, tuple(tokens), spent)
        for text, (_loop, _move, ids), tokens, spent in zip(texts, asked, written, seconds, strict=True)
    ]


def _settings(move: Ask, ids: tuple[int, ...]) -> dict[str, Any]:
    form = move.grammar
    return {
        "input_ids": ids, "sampling": GREEDY, "stop": move.stop,
        "constraint": None if form is None else Constraint(form.kind, form.source),
    }  # fmt: skip


def _ids(context: PageContext, prompt: str) -> tuple[int, ...]:
    tokens = compute.tokenizers().tokenize(context.model.model_id, prompt, add_special_tokens=True)
    return tuple(tokens.input_ids)


def _window(context: PageContext) -> int:
    limit = state.settings().max_tokens
    return min(limit, context.model.n_ctx or limit)


def _runs() -> dict[Hashable, Loop]:
    runs: dict[Hashable, Loop] = st.session_state.setdefault(RUNS, {})
    return runs


def _keys(context: PageContext, wishes: Sequence[Wish]) -> tuple[Hashable, ...]:
    return tuple(_key(context, wish) for wish in wishes)


def _key(context: PageContext, wish: Wish) -> Hashable:
    model = context.model
    return model.model_id, model.revision, model.adapter, wish
