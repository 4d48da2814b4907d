"""GLUE in small: nine tasks, four ways, the intervals, and chance."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from playground.charts import glue as charts
from playground.core.glue import LANGUAGES, TASKS, data_of
from playground.core.glue_answers import WAYS, Told, Way
from playground.core.tables import glue as frames
from playground.ui import show
from playground.ui.choose import choose
from playground.ui.evaluation import glue_adapter, glue_code, glue_items, glue_sizes
from playground.ui.evaluation.glue_asking import in_memory, measure, measured, model_of, series
from playground.ui.panels import Later
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain

if TYPE_CHECKING:
    import pandas as pd

WANTED = "ev_glue_wanted"  # the way that is being measured, "" for none
NAMES: Mapping[str, str] = {
    "head": N_("frozen vectors and a trained head"),
    "zero": N_("a prompt"),
    "few": N_("a prompt with examples"),
    "adapter": N_("a prompt and a trained adapter"),
    "words": N_("bag of words (baseline)"),
    "chance": N_("chance"),
}
METRICS: Mapping[str, str] = {
    "matthews": N_("Matthews correlation"),
    "f1": "F1",
    "spearman": N_("Spearman correlation"),
    "accuracy": N_("accuracy"),
}
AT_ONCE: tuple[Way, ...] = ("head", "zero", "few")  # an adapter is trained for one task at a time


def panel(context: PageContext) -> Later | None:
    """Draw the nine tasks, one task, and what an interval needs; gives what measures once it is asked for."""
    st.markdown(f"## {_('Nine tasks: where is the model better than guessing?')}")
    names = {"both": _("English and Korean"), "en": _("English"), "ko": _("Korean")}
    chosen = choose("ev_glue_lang", names, _("Language of the items"))
    languages = LANGUAGES if chosen == "both" else (chosen,)
    told = series(context)
    table = frames.figures(told, languages)
    _picture(context, table)
    st.markdown(reading(table))
    place = st.empty()
    later = _controls(context, place)
    _source(told)
    show.under_picture(
        "ev_glue", frame=table, code=partial(glue_code.shown, told, languages), picture="ev_glue_picture"
    )
    task = glue_items.draw(context, told, table, languages)
    training = glue_adapter.draw(context, task)
    glue_sizes.draw()
    return later or training


def _picture(context: PageContext, table: pd.DataFrame) -> None:
    alt = _("Figure of each of nine tasks by each way, with its 95 % interval, chance and the bag of words")
    show.show_chart(_spec(context.language), "ev_glue_picture", alt, data=table)


@lru_cache
def _spec(language: str) -> dict[str, Any]:
    words = {
        "score": _("Score: 1 is all right"), "low": _("95 % interval from"), "high": _("to"),
        "n": _("Items"), "way": _("Way"), "task": _("Task"),
    } | {way: _(name) for way, name in NAMES.items()}  # fmt: skip
    tasks = {task: (about.name, _(METRICS[data_of(task).metric])) for task, about in TASKS.items()}
    return charts.scores(tasks, words)


# ---------------------------------------------------------------- in words


def reading(table: pd.DataFrame) -> str:
    """For each way: the tasks on which it is better than chance, and those of which that cannot be said."""
    lines = []
    for way in WAYS:
        rows = table[table["way"] == way]
        if len(rows):
            lines.append(f"- **{_(NAMES[way])}**: {_against(rows)}")
    return "\n".join(lines)


def _against(rows: pd.DataFrame) -> str:
    named = {
        against: ", ".join(plain(name) for name in rows.loc[rows["against"] == against, "name"])
        for against in ("above", "undecided", "below")
    }
    told = []
    if named["above"]:
        told.append(_("better than chance on {tasks}").format(tasks=named["above"]))
    if named["undecided"]:
        words = _("not better than chance, as far as these items can tell, on {tasks}")
        told.append(words.format(tasks=named["undecided"]))
    if named["below"]:
        told.append(_("worse than the best blind answer on {tasks}").format(tasks=named["below"]))
    return "; ".join(told) + "."


def _source(told: Mapping[Way, Mapping[str, Told]]) -> None:
    words = []
    for way, each in told.items():
        one = next(iter(each.values()))
        seconds = sum(task.seconds for task in each.values())
        here = _("{way}: {model}, {seconds:.0f} s")
        said = here if seconds else _("{way}: {model}, taken down by our script")
        words.append(said.format(way=_(NAMES[way]), model=one.model_id, seconds=seconds))
    st.caption(plain(" · ".join(words)))
    st.caption(
        _(
            "Sets of our own in the shape of GLUE's tasks, most of them pairs of items that differ in a word "
            "and have opposite labels: harder than the real ones. A Korean item often says what an English "
            "one says, so the intervals take both as one. Chance: the best answer that does not look at the "
            "texts; for F1 that is always *yes*."
        )
    )


# ---------------------------------------------------------------- measuring


def _controls(context: PageContext, place: Any) -> Later | None:  # noqa: ANN401
    names: dict[str, str] = {way: _(NAMES[way]) for way in AT_ONCE}
    way: Way = choose("ev_glue_way", names, _("Way"))  # type: ignore[assignment]
    model = model_of(context, way)
    known = measured(way, model)
    missing = [task for task in TASKS if task not in known]
    wanted = st.session_state.get(WANTED) == way and bool(missing)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            _("Measure {model}").format(model=plain(model.name)), type="primary", key="ev_glue_start",
            icon=":material/query_stats:", on_click=_want, args=(way,), disabled=not missing,
        )  # fmt: skip
        st.button(
            _("Stop"), key="ev_glue_stop", icon=":material/stop:", on_click=_want, args=("",),
            disabled=not wanted,
        )  # fmt: skip
    return partial(_measure, context, way, missing, place) if wanted else None


def _want(way: str) -> None:
    st.session_state[WANTED] = way


def _measure(context: PageContext, way: Way, missing: list[str], place: Any) -> None:  # noqa: ANN401
    """Measure the tasks that are missing; Stop, or anything else the reader does, ends it."""
    with place.container():
        ready = in_memory(context, way)
        if ready is None:
            return  # its line draws the page anew once it is in memory
        if not measure(ready, way, missing):
            return
    _want("")
    st.rerun()
