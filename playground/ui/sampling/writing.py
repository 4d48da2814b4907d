"""The live continuation: token by token, with what the model expected at every step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from functools import lru_cache, partial
from typing import Literal

import streamlit as st

from playground.charts import sampling as charts
from playground.core.generation_config import generation_config, without_place
from playground.core.penalties import Penalties
from playground.core.tables import sampling as frames
from playground.core.trace import Trace
from playground.ui import show, state, stepwise
from playground.ui.components.scored_text import scored_text
from playground.ui.expected import N_EXPECTED
from playground.ui.fragments import RestOfPage
from playground.ui.number import number_field
from playground.ui.panels import Later
from playground.ui.sampling import branches as paths
from playground.ui.sampling import settings as sampling
from playground.ui.sampling.continuation import Continuation, last_run
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.throttle import Throttle
from playground.ui.url import setting

Goal = Literal["all", "token", ""]  # to the end, one token, nothing
UPDATES_PER_S = 15
# of the time: the picture costs ten times what the text costs, and the text is what is read
TEXT_SHARE, PICTURE_SHARE = 0.03, 0.01
BOX_HEIGHTS, LINE_HEIGHT = (130, 320), 28  # pixels
FEW_TOKENS, TOKENS_A_LINE = 40, 20  # what the lowest box holds beside the sentence, and one line more


def panel(context: PageContext, trace: Trace) -> Later | None:
    """Draw the generator and what it wrote last. A click in it reruns it alone, not the page.

    Args:
        context: From `frame.page`.
        trace: Trace of the text, with the logits of its last position.

    Returns:
        What goes on writing, to be called once the page is drawn; None when nothing is to be written.
    """
    st.markdown(f"## {_('What does the model write with these settings?')}")
    rest = RestOfPage()
    later: Later | None = st.fragment(_panel)(context, trace, rest)
    rest.shows()
    return later


def _panel(context: PageContext, trace: Trace, rest: RestOfPage) -> Later | None:
    wish, now, draw_ended = _controls(context, trace)
    run = last_run(context)
    board = Board(run, context.language)
    if run is None:
        return None
    if wish and not rest.is_drawn:
        return partial(_write_and_rerun, context, board, run, wish)
    if wish:
        go_on(context, board, run, wish)
        if not run.finish:
            st.rerun(scope="fragment")  # "Go on" has become possible
        draw_ended()
    show.other_settings(_settings(run), _settings(now))
    _draw(run, trace)
    return None


def _write_and_rerun(context: PageContext, board: Board, run: Continuation, wish: Goal) -> None:
    go_on(context, board, run, wish)
    st.rerun()


def _settings(run: Continuation) -> dict[str, object]:
    """Name of each setting of a run -> its value."""
    return {
        **asdict(run.chosen), **asdict(run.penalties), _("Seed"): run.seed, _("Tokens at most"): run.n_max,
        _("Exact: alone in the batch"): _("on") if run.exact else _("off"),
    }  # fmt: skip


def _controls(context: PageContext, trace: Trace) -> tuple[Goal, Continuation, Callable[[], None]]:
    """Draw the settings of the run and its buttons.

    Returns:
        What the reader wants, the run that would begin with the settings of now, and what ends the buttons.
    """
    branched = st.session_state.pop("sam_branched", False)  # the callback has put the new path there
    run = last_run(context)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        limit = state.settings().max_new_tokens
        seed = number_field(_("Seed"), 0, 2**32 - 1, 0, key="sam_seed", width=130)
        n_max = number_field(_("Tokens at most"), 1, limit, 32, key="sam_max_new_tokens", width=130)
        penalties, exact = _more()
        start = st.button(_("Generate"), type="primary", key="sam_start", icon=":material/play_arrow:")
        step = st.button(_("One token"), key="sam_step", icon=":material/skip_next:")
        may_go_on = run is not None and run.may_go_on
        resume, stop = st.empty(), st.empty()
        resumed = resume.button(_("Go on"), key="sam_go_on", icon=":material/resume:", disabled=not may_go_on)
        writes = start or branched or (resumed and may_go_on)  # the browser may show what was possible before
        stop.button(_("Stop"), key="sam_stop", icon=":material/stop:", disabled=not writes)
    assert trace.logits is not None
    chosen, _problems = sampling.chosen(trace.logits.shape[-1])
    now = Continuation(context, chosen, int(seed), int(n_max), penalties, exact)
    if start or (step and (run is None or not run.may_go_on)):
        st.session_state["sam_paths"] = [now]
        st.session_state["sam_run"] = now

    def draw_ended() -> None:
        resume.button(_("Go on"), key="sam_gone_on", icon=":material/resume:", disabled=True)
        stop.button(_("Stop"), key="sam_stopped", icon=":material/stop:", disabled=True)

    return "all" if writes else "token" if step else "", now, draw_ended


def _draw(run: Continuation, trace: Trace) -> None:
    """Draw the values and files of a run that is not being written."""
    tree: list[Continuation] = st.session_state["sam_paths"]
    if run.tokens:
        on_branch = partial(paths.branch, run) if len(tree) < paths.MAX_PATHS else None
        scored_text(run.scored, key="sam_scored", on_branch=on_branch)
    if len(tree) > 1:
        paths.draw(tree, run)
    show.provenance(replace(trace, elapsed_ms=run.elapsed_ms, cached=False))
    values = asdict(run.penalties) | asdict(run.chosen)
    values |= {"seed": run.seed, "n_tokens": run.n_max - run.at}
    source = {"folder": show.model_folder(trace.model_id), "text": run.context.text}
    code = show.code("generating", **source, **values, written=run.written)
    _config_file(run)
    show.under_picture("continuation", frame=frames.continuation(run.tokens), code=code, picture="sam_board")


def _config_file(run: Continuation) -> None:
    """The settings of this run for transformers; what has no place in its file is said."""
    left_out = without_place(run.chosen, run.penalties, seed=run.seed)
    text = generation_config(run.chosen, run.penalties, max_new_tokens=run.n_max)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "generation_config.json", text, "generation_config.json", "application/json",
            key="sam_config", on_click="ignore", icon=":material/settings:",
        )  # fmt: skip
        if left_out:
            told = _("Not saved, because the file has no field for it: {settings}.")
            st.caption(told.format(settings=show.listed(left_out)))


def _more() -> tuple[Penalties, bool]:
    """The three penalties, and whether the text is to run alone; all off at first."""
    with st.popover(_("More"), icon=":material/tune:"):
        st.caption(
            _(
                "They lower the logits of tokens that were there before, ahead of all settings above. "
                "Repetition counts text and writing, the other two only what the model wrote."
            )
        )
        penalties = Penalties(
            number_field(_("Repetition penalty (1 = off)"), 0.5, 3.0, 1.0, 0.1, key="sam_repetition"),
            number_field(_("Presence penalty (0 = off)"), -2.0, 2.0, 0.0, 0.1, key="sam_presence"),
            number_field(_("Frequency penalty (0 = off)"), -2.0, 2.0, 0.0, 0.1, key="sam_frequency"),
        )
        exact = st.toggle(
            _("Exact: alone in the batch"), **setting("sam_exact", False),
            help=_(
                "Computed together with other texts, rounding differs slightly. Alone, the same seed "
                "gives the same tokens whoever else is generating, but it is slower for everybody."
            ),
        )  # fmt: skip
    return penalties, exact


class Board:
    """The place of a continuation on the page: its text, and the surprisal of each token.

    Args:
        run: The run to draw first; None draws an invitation.
    """

    def __init__(self, run: Continuation | None, language: str) -> None:
        with st.container(height=_box_height(run.n_max if run else 0), border=True, autoscroll=True):
            self._text = st.empty()
        with st.container(key="sam_board"):
            self._chart = st.empty()
        self.line = st.empty()  # where the engine says what it waits for, then how it ended
        self._text_pace = Throttle(UPDATES_PER_S, TEXT_SHARE)
        self._picture_pace = Throttle(UPDATES_PER_S, PICTURE_SHARE)
        if run is None:
            self._text.caption(_("Press Generate: the model continues your sentence, token by token."))
            return
        self._spec = charts.surprisal_bars(_bar_words(language), steps=range(1, run.n_max + 1))
        if run.tokens:
            self.draw_end(run)
        else:
            self.draw(run)

    def draw(self, run: Continuation) -> None:
        """Draw what there is so far."""
        self._draw_text(run)
        self._draw_picture(run)

    def follow(self, run: Continuation) -> None:
        """Draw what there is so far, if it is time; of the first token the text alone: it comes sooner."""
        self._text_pace(partial(self._draw_text, run))
        if len(run.tokens) > 1:
            self._picture_pace(partial(self._draw_picture, run))

    def _draw_text(self, run: Continuation) -> None:
        self._text.text(f"{run.context.text}│{run.text}")

    def _draw_picture(self, run: Continuation) -> None:
        alt = _("Surprisal of each new token")
        self._chart.vega_lite_chart(frames.continuation_now(run.tokens), self._spec, alt=alt)

    def draw_end(self, run: Continuation) -> None:
        """Draw all of it, and how it ended."""
        self.draw(run)
        self.line.caption(run.ending())


def _box_height(n_tokens: int) -> int:
    """Height of the box that holds the text, in pixels: most texts of this many tokens fit in."""
    more_lines = math.ceil(max(0, n_tokens - FEW_TOKENS) / TOKENS_A_LINE)
    return min(BOX_HEIGHTS[1], BOX_HEIGHTS[0] + LINE_HEIGHT * more_lines)


def go_on(context: PageContext, board: Board, run: Continuation, wish: Goal) -> None:
    """Generate; any click of the reader stops it within one token.

    Args:
        context: From `frame.page`.
        board: Place on the page where it is drawn.
        run: The run to continue.
        wish: Goal of the run.
    """
    if len(run.tokens) >= run.n_max:
        run.finish = "length"
        board.draw_end(run)
        return
    with board.line.container():
        steps = stepwise.generate(context, run.goes_on | {"n_top": N_EXPECTED})
    run.is_stepped = wish == "token"
    begun_at, before_ms = time.monotonic(), run.elapsed_ms
    with closing(steps):
        for step in steps:
            run.add(step)
            run.elapsed_ms = before_ms + 1_000 * (time.monotonic() - begun_at)
            if wish == "token":
                break
            board.follow(run)
    board.draw_end(run)


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
