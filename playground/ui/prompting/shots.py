"""Accuracy against the number of examples: a sweep that can be stopped and gone on with."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import prompting as charts
from playground.core.demonstrations import CONDITIONS, Condition
from playground.core.few_shot import Example
from playground.core.tables import prompting as frames
from playground.core.turning import turning_point
from playground.ui import findings, show
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.prompting import code
from playground.ui.prompting.asking import answered
from playground.ui.prompting.prompt import Prompt, window
from playground.ui.text import _, ngettext
from playground.ui.url import setting

N_SHOTS = (0, 1, 2, 4, 8, 16)
N_DRAWS = 4
KEY = "pro_sweep"
Point = tuple[Condition, int, int]  # labels, number of examples, draw


@dataclass
class Sweep:
    """The last measurement of one session.

    Attributes:
        prompt: Task, format, seed; its query and number of examples count for nothing.
        conditions: Conditions of the labels of the examples.
        right: Point -> whether each test item was answered right, as far as it is known.
        too_long: Points whose prompts do not fit.
        elapsed_s: Seconds it took.
    """

    prompt: Prompt
    conditions: tuple[Condition, ...]
    right: dict[Point, list[bool]] = field(default_factory=dict)
    too_long: set[Point] = field(default_factory=set)
    elapsed_s: float = 0.0

    @property
    def points(self) -> list[Point]:
        """All of them; without examples there is nothing to draw or to relabel, so that stands for all."""
        n_most = len(self.prompt.pool)
        rest = [
            (condition, n_shot, draw)
            for draw in range(N_DRAWS)
            for condition in self.conditions
            for n_shot in N_SHOTS[1:]
            if n_shot <= n_most
        ]
        return [point for point in [("true", 0, 0), *rest] if point not in self.too_long]

    def demos(self, point: Point) -> tuple[Example, ...]:
        """The examples of a point."""
        condition, n_shot, draw = point
        return self.prompt.demos_of(n_shot, _seed(self.prompt, draw), condition)

    def leave_out_too_long(self) -> None:
        """Find the points whose longest prompt has more tokens than can be read."""
        limit = window(self.prompt)
        longest = max(self.prompt.test, key=lambda one: len(one.text))
        asked = replace(self.prompt, query=longest)
        self.too_long |= {point for point in self.points if not asked.fits(self.demos(point), limit)}

    @property
    def done(self) -> dict[Point, list[bool]]:
        """The points whose items have all been answered."""
        n_items = len(self.prompt.test)
        return {point: right for point, right in self.right.items() if len(right) == n_items}

    def table(self) -> pd.DataFrame:
        """One row per point; the one without examples once for each kind of labels."""
        done = dict(self.done)
        if zero := done.get(("true", 0, 0)):
            done |= {(condition, 0, 0): zero for condition in self.conditions}
        return frames.shots(done)


def panel(prompt: Prompt) -> Later | None:
    """Draw the controls and what was measured last.

    Args:
        prompt: The prompt on the page.

    Returns:
        What goes on measuring, to be called once the page is drawn; None when nothing is asked.
    """
    st.markdown(f"## {_('How many examples does it take?')}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = st.button(
            _("Measure"), type="primary", key="pro_sweep_start", icon=":material/query_stats:",
            disabled=len(prompt.test) == 0,
        )  # fmt: skip
        more = st.toggle(_("also flipped and random labels"), **setting("pro_sweep_labels", False))
        sweep = _last(prompt)
        is_open = sweep is not None and len(sweep.done) < len(sweep.points)
        resume = st.button(
            _("Go on"), key="pro_sweep_go_on", icon=":material/resume:", disabled=not is_open or start
        )
        st.button(_("Stop"), key="pro_sweep_stop", icon=":material/stop:", disabled=not (start or resume))
    if start:
        sweep = st.session_state[KEY] = Sweep(prompt, CONDITIONS if more else ("true",))
    place = st.empty()
    if sweep is None:
        n = len(prompt.test)
        told = ngettext(
            "{n} test item under 0 to {most} examples, {draws} choices of examples each.",
            "{n} test items under 0 to {most} examples, {draws} choices of examples each.",
            n,
        )
        st.caption(told.format(n=n, most=N_SHOTS[-1], draws=N_DRAWS))
        return None
    if start or resume:
        return partial(_measure, sweep, place)
    with place.container():
        _draw(sweep)
    return None


def _last(prompt: Prompt) -> Sweep | None:
    """The last measurement of this very task, format and model."""
    sweep: Sweep | None = st.session_state.get(KEY)
    return sweep if sweep is not None and _same(sweep.prompt) == _same(prompt) else None


def _same(prompt: Prompt) -> tuple[object, ...]:
    how = (prompt.style, prompt.seed, prompt.by_length, prompt.is_calibrated)
    return (prompt.context.model.model_id, prompt.task, prompt.test, how)


def _measure(sweep: Sweep, place: Any) -> None:  # noqa: ANN401  (Streamlit's container)
    """Measure what is missing; any click of the reader stops it within a forward, what is known stays."""
    sweep.leave_out_too_long()
    todo = [point for point in sweep.points if point not in sweep.done]
    for point in todo:
        sweep.right[point] = []
    begun_at, before_s = time.monotonic(), sweep.elapsed_s
    with place.container():
        total, model_id = len(sweep.points), sweep.prompt.context.model.model_id
        bar = Progress("sweep", model_id, total, _("The model answers"), done=total - len(todo))
        chart = st.empty()
        for same_draw in _by_draw(todo):
            lists = [sweep.demos(point) for point in same_draw]
            with closing(answered(sweep.prompt, lists, sweep.prompt.test, "sweep")) as steps:
                for which, _item, is_right in steps:
                    right = sweep.right[same_draw[which]]
                    right.append(is_right)
                    sweep.elapsed_s = before_s + time.monotonic() - begun_at
                    if len(right) == len(sweep.prompt.test):
                        _progress(sweep, bar, chart)
    st.rerun()


def _by_draw(points: Iterable[Point]) -> list[list[Point]]:
    """Points that share their first examples together, so that those are read once."""
    groups: dict[tuple[int, str], list[Point]] = {}
    for point in points:
        groups.setdefault((point[2], point[0]), []).append(point)
    return list(groups.values())


def _seed(prompt: Prompt, draw: int) -> int:
    """The first choice is the one above."""
    return prompt.seed + 1_000 * draw


def _progress(sweep: Sweep, bar: Progress, chart: Any) -> None:  # noqa: ANN401
    n, total = len(sweep.done), len(sweep.points)
    told = _("{done} of {total} prompts measured; test items: {n}").format(
        done=n, total=total, n=len(sweep.prompt.test)
    )
    bar.draw(n, told)
    spec = _picture(sweep.prompt.context.language, sweep.conditions, sweep.prompt.chance)
    chart.vega_lite_chart(frames.points_and_means(sweep.table()), spec, alt=_alt())


def _alt() -> str:
    return _("Accuracy against the number of examples, a mark for each choice of examples")


# ---------------------------------------------------------------- what was measured


def _draw(sweep: Sweep) -> None:
    if not sweep.done:
        st.caption(_("Stopped."))
        return
    table = sweep.table()
    spec = _picture(sweep.prompt.context.language, sweep.conditions, sweep.prompt.chance)
    show.show_chart(spec, "pro_shots_picture", _alt(), data=frames.points_and_means(table))
    st.markdown(_reading(sweep, table))
    _note(sweep, table)
    n_items = len(sweep.prompt.test) * len(sweep.done)
    n_answers = ngettext("{n:,} answer", "{n:,} answers", n_items).format(n=n_items)
    show.source(sweep.prompt.context.model, n_answers, f"{sweep.elapsed_s:.1f} s")
    show.under_picture("shots", frame=table, code=partial(_code, sweep), picture="pro_shots_picture")


def _note(sweep: Sweep, table: pd.DataFrame) -> None:
    """Take down the best number of examples, and what the model does without any."""
    means = frames.means(table)
    true = means[means["condition"] == "true"]
    model, n = sweep.prompt.context.model.model_id, len(sweep.prompt.test)
    findings.note("prompt", model, float(true["accuracy"].max()), n, float(true.iloc[0]["accuracy"]))


def _reading(sweep: Sweep, table: pd.DataFrame) -> str:
    """One computed sentence."""
    means = frames.means(table)
    true = means[means["condition"] == "true"]
    first, last = true.iloc[0], true.iloc[-1]
    told = _(
        "From {few} to {many} examples the accuracy goes from {before:.0%} to {after:.0%} (95 % interval "
        "{low:.0%} to {high:.0%}; guessing: {chance:.0%})."
    )
    said = told.format(
        few=first["n_shot"], many=last["n_shot"], before=first["accuracy"], after=last["accuracy"],
        low=last["low"], high=last["high"], chance=sweep.prompt.chance,
    )  # fmt: skip
    between = turning_point(true["accuracy"].tolist(), 2)
    if between is not None:
        there = true.iloc[between]
        told = ngettext(
            "In between, with {n} example, it is {accuracy:.0%}.",
            "In between, with {n} examples, it is {accuracy:.0%}.",
            int(there["n_shot"]),
        )
        said += " " + told.format(n=there["n_shot"], accuracy=there["accuracy"])
    is_whole = len(sweep.done) == len(sweep.points)
    if is_whole and last["n_shot"] and last["low"] <= sweep.prompt.chance:
        n = len(sweep.prompt.test)
        told = ngettext(
            "The interval reaches down to guessing: {n} test item cannot tell it from that.",
            "The interval reaches down to guessing: {n} test items cannot tell it from that.",
            n,
        )
        said += " " + told.format(n=n)
    if sweep.too_long:
        told = _("Left out, more than {limit} tokens: {n} of the prompts.")
        said += " " + told.format(limit=window(sweep.prompt), n=len(sweep.too_long))
    if not is_whole:
        said += " " + _("Stopped early: {done} of {total} prompts.").format(
            done=len(sweep.done), total=len(sweep.points)
        )
    return said


def _code(sweep: Sweep) -> str:
    return code.accuracies(sweep.prompt, {point: sweep.demos(point) for point in sweep.done})


@lru_cache
def _picture(language: str, conditions: tuple[Condition, ...], chance: float) -> dict[str, Any]:
    """The picture; `language` is the session's."""
    words = {
        "n_shot": _("Examples in the prompt"), "accuracy": _("Accuracy"), "draw": _("Choice of examples"),
        "true": _("right labels"), "flipped": _("flipped labels"), "random": _("random labels"),
        "chance": _("guessing"), "labels": _("Labels of the examples"), "low": _("95 % interval from"),
        "high": _("95 % interval to"),
    }  # fmt: skip
    return charts.accuracy_by_shots(words, conditions=conditions, n_shots=N_SHOTS, chance=chance)
