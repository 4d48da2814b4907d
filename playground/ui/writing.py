"""The live continuation: token by token, with what the model expected at every step."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, cast

import streamlit as st

from playground.charts import sampling as charts
from playground.core import frames
from playground.core.generation_config import generation_config
from playground.core.trace import Trace
from playground.engine.base import GenerateStep
from playground.ui import compute, paths, show, state
from playground.ui.components.sampler import SamplerValue
from playground.ui.components.scored_text import scored_text
from playground.ui.expected import N_EXPECTED
from playground.ui.run import Run, last_run
from playground.ui.state import PageContext
from playground.ui.text import _

UPDATES_PER_S = 15


def panel(context: PageContext, chosen: SamplerValue, trace: Trace) -> Callable[[], None] | None:
    """Draw the generator and what it wrote last.

    Args:
        context: From `frame.page`.
        chosen: The settings above.
        trace: Of the text, for the provenance.

    Returns:
        What goes on writing, to be called once the page is drawn; None when nothing is to be written.
    """
    st.markdown(f"#### {_('What does the model write with these settings?')}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        limit = state.settings().max_new_tokens
        seed = st.number_input(_("Seed"), 0, 2**32 - 1, 0, key="sam_seed", bind="query-params", width=160)
        n_max = st.number_input(
            _("Tokens at most"), 1, limit, 32, key="sam_max_new_tokens", bind="query-params", width=160
        )
        penalties = _penalties()
        start = st.button(_("Generate"), type="primary", key="sam_start", icon=":material/play_arrow:")
        branched = st.session_state.pop("sam_branched", False)  # the callback has put the new path there
        goes_on = start or branched
        st.button(_("Stop"), key="sam_stop", icon=":material/stop:", disabled=not goes_on)
    if start:
        st.session_state["sam_paths"] = [Run(context, chosen, seed, n_max, penalties)]
        st.session_state["sam_run"] = st.session_state["sam_paths"][0]
    run = last_run(context)
    board = Board(run, context.language)
    if run is None:
        return None
    if goes_on:
        return partial(go_on, context, board, run)
    tree: list[Run] = st.session_state["sam_paths"]
    if run.tokens:
        on_branch = partial(paths.branch, run) if len(tree) < paths.MAX_PATHS else None
        scored_text(run.scored, key="sam_scored", on_branch=on_branch)
    if len(tree) > 1:
        paths.draw(tree, run)
    show.provenance(replace(trace, elapsed_ms=run.elapsed_ms, cached=False))
    values = run.penalties | run.chosen._asdict() | {"seed": run.seed, "n_tokens": run.n_max - run.at}
    source = {"folder": show.model_folder(trace.model_id), "text": context.text}
    code = show.code("generating", **source, **values, written=run.written)
    _config_file(run)
    show.under_picture("continuation", frame=frames.continuation(run.tokens), code=code, picture="sam_board")
    return None


def _config_file(run: Run) -> None:
    """The settings of this run for transformers; what has no place in its file is said."""
    settings = run.chosen._asdict()
    order = settings.pop("order")
    penalty = run.penalties["repetition_penalty"]
    text = generation_config(**settings, repetition_penalty=penalty, max_new_tokens=run.n_max)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "generation_config.json", text, "generation_config.json", "application/json",
            key="sam_config", on_click="ignore", icon=":material/settings:",
        )  # fmt: skip
        if order != "transformers" or run.penalties["presence_penalty"] or run.penalties["frequency_penalty"]:
            st.caption(_("The file cannot hold another library's order, presence and frequency penalty."))


def _penalties() -> dict[str, Any]:
    """The three penalties on what was there before, off at first."""
    with st.popover(_("Penalties"), icon=":material/repeat:"):
        st.caption(
            _(
                "They lower the logits of tokens that were there before, ahead of all settings above. "
                "Repetition counts text and writing, the other two only what the model wrote."
            )
        )
        return {
            "repetition_penalty": st.number_input(
                _("Repetition (1 = off)"), 0.5, 3.0, 1.0, 0.1, key="sam_repetition", bind="query-params"
            ),
            "presence_penalty": st.number_input(
                _("Presence (0 = off)"), -2.0, 2.0, 0.0, 0.1, key="sam_presence", bind="query-params"
            ),
            "frequency_penalty": st.number_input(
                _("Frequency (0 = off)"), -2.0, 2.0, 0.0, 0.1, key="sam_frequency", bind="query-params"
            ),
        }


class Board:
    """Where a continuation is drawn: its text, and the surprisal of each token.

    Args:
        run: What to draw first; None draws an invitation.
    """

    def __init__(self, run: Run | None, language: str) -> None:
        with st.container(height=130, border=True):
            self._text = st.empty()
        with st.container(key="sam_board"):
            self._chart = st.empty()
        self.line = st.empty()  # where the engine says what it waits for, then how it ended
        if run is None:
            self._text.caption(_("Press Generate: the model continues your sentence, token by token."))
            return
        self._spec = charts.surprisal_bars(_bar_words(language), steps=range(1, run.n_max + 1))
        self.draw(run)
        if run.tokens:
            self.line.caption(run.ending())

    def draw(self, run: Run) -> None:
        """Draw what there is so far."""
        self._text.text(f"{run.context.text}│{run.text}")
        self._chart.vega_lite_chart(frames.continuation(run.tokens), self._spec)


def go_on(context: PageContext, board: Board, run: Run) -> None:
    """Generate to the end; any click of the reader stops it within one token."""
    left = run.n_max - len(run.tokens)
    if left == 0:
        run.finish = "length"
        st.rerun()
    asked = {"seed": run.seed, "max_new_tokens": left, "n_top": N_EXPECTED, "written": tuple(run.written)}
    with board.line.container():
        steps = compute.generate(context, run.penalties | run.chosen._asdict() | asked)
    begun_at, drawn_at = time.monotonic(), 0.0
    with closing(cast("Generator[GenerateStep]", steps)):
        for step in steps:
            run.add(step)
            run.elapsed_ms = 1_000 * (time.monotonic() - begun_at)
            if time.monotonic() - drawn_at > 1 / UPDATES_PER_S:
                board.draw(run)
                drawn_at = time.monotonic()
    st.rerun()


@lru_cache
def _bar_words(language: str) -> dict[str, str]:
    """Words of the surprisal picture; `language` is the session's."""
    return {
        "token": _("Token"),
        "surprisal": _("Surprisal (bits)"),
        "model": _("Model's own probability"),
        "drawn": _("Drawn with probability"),
        "rank": _("Rank"),
        "kept": _("Tokens kept"),
    }
