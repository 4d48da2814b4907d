"""Prompt tracking: every text of the session in one log, filtered, sorted, compared, repeated, exported."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import streamlit as st

from playground.charts import lifecycle as charts
from playground.core.run_rows import MEASURES, Measure, RunRow, filtered, jsonl, named, ordered
from playground.core.sampling import GREEDY, Sampling
from playground.core.tables import lifecycle as frames
from playground.ui import roles, run_log, show, stepwise
from playground.ui.choose import choose, choose_from_list
from playground.ui.lifecycle import logged, pair, project
from playground.ui.panels import Later
from playground.ui.state import DEFAULT_TEXT, PageContext, outlives_reload
from playground.ui.text import N_, _, ngettext
from playground.ui.url import setting

N_FIRST_TOKENS = 20
_BEGUN = "lc_begun"  # True once the first runs were made, or the log was emptied
_COLUMNS: Mapping[Measure, str] = {
    "number": "bits", "bits": "bits", "metric": "metric", "n_tokens": "tokens", "elapsed_s": "seconds",
}  # fmt: skip
_ENDS: Mapping[str, float] = {"bits": 8, "metric": 1, "tokens": 32, "seconds": 5}
_COLUMN_NAMES = {
    "number": N_("Number of the run"), "page": N_("Page"), "model": N_("Model"), "prompt": N_("Prompt"),
    "output": N_("Output"),
    "temperature": N_("Temperature"), "seed": N_("Seed"), "tokens": N_("Tokens"),
    "bits": N_("Bits per token"),
    "metric": N_("Metric"), "first_s": N_("First token (s)"), "seconds": N_("Seconds"),
    "finish": N_("Ended by"),
    "thumb": N_("Thumb"), "repeats": N_("Repeats"),
}  # fmt: skip
outlives_reload(_BEGUN)


def panel(context: PageContext) -> Later | None:
    """Draw the log; gives what writes, to be called once the page is drawn."""
    st.markdown(f"## {_('What was asked, with which settings, and what came?')}")
    log = run_log.log()
    picture = st.container()
    if not log.runs:
        return empty(context, picture)
    st.session_state[_BEGUN] = True
    measure, falling = _controls()
    with st.expander(_("The project's metric")):
        own = project.draw()
    every = logged.rows(own)
    chosen = _filtered(every)
    with picture:
        _picture(chosen, measure, every)
    shown = ordered(chosen, measure, falling=falling)
    _table(shown)
    _export(shown)
    return pair.draw(context, every, shown)


# ---------------------------------------------------------------- the first runs


def empty(context: PageContext, picture: Any) -> Later | None:  # noqa: ANN401  (Streamlit's container)
    """An empty log: three first runs of the reader's sentence, made at once unless the log was emptied."""
    with picture:
        st.info(
            _(
                "The log is empty. What you let a model write, on any page, stands here: prompt, "
                "settings, model, "
                "text, tokens and time."
            ),
            icon=":material/history_edu:",
        )
        st.button(
            _("Write three first runs"),
            key="lc_first",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_begin,
        )
        place = st.empty()
    if st.session_state.get(_BEGUN):
        return None
    player = roles.player(context, "decoder")
    return None if player is None else partial(_first_runs, player, place)


def _begin() -> None:
    st.session_state.pop(_BEGUN, None)


def _first_runs(context: PageContext, place: Any) -> None:  # noqa: ANN401
    """The reader's sentence once greedily and twice drawn: the settings differ, the prompt does not."""
    text = context.text or DEFAULT_TEXT
    settings: list[dict[str, object]] = [
        {"text": text, "sampling": GREEDY},
        {"text": text, "sampling": Sampling(), "seed": 0},
        {"text": text, "sampling": Sampling(), "seed": 1},
    ]
    with place.container():
        for _step in stepwise.generate_many(context, settings, max_new_tokens=N_FIRST_TOKENS):
            pass
    st.session_state[_BEGUN] = True
    st.rerun()


# ---------------------------------------------------------------- filter, sort


def _controls() -> tuple[Measure, bool]:
    """The figure that is drawn and sorted by, and whether the largest comes first."""
    names: dict[str, str] = {
        "number": _("Newest"), "bits": _("Bits per token"), "metric": _("Metric"), "n_tokens": _("Tokens"),
        "elapsed_s": _("Seconds"),
    }  # fmt: skip
    assert tuple(names) == MEASURES
    with st.container(horizontal=True, vertical_alignment="bottom", key="below_picture_lc_sort"):
        measure = cast("Measure", choose("lc_sort", names, _("Sort by")))
        order = choose("lc_order", {"falling": _("largest first"), "rising": _("smallest first")}, _("Order"))
    return measure, order == "falling"


def _filtered(every: Sequence[RunRow]) -> list[RunRow]:
    anything = {"": _("all")}
    pages = anything | {row.page: logged.page_name(row.page) for row in every}
    models = anything | {model: logged.model_name(model) for model in dict.fromkeys(map(named, every))}
    thumbs = anything | {"up": _("thumbs up"), "down": _("thumbs down"), "none": _("not rated")}
    with st.container(key="below_picture_lc_filter"):
        words_at, page_at, model_at, thumb_at = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
        words = words_at.text_input(_("Words in prompt or output"), max_chars=200, **setting("lc_words", ""))
        with page_at:
            page = choose_from_list("lc_page", pages, _("Page"))
        with model_at:
            model = choose_from_list("lc_model", models, _("Model"))
        with thumb_at:
            thumb = choose_from_list("lc_thumb", thumbs, _("Thumb"))
    return filtered(every, words=words, page=page, model=model, thumb=thumb)


# ---------------------------------------------------------------- picture and table


def _picture(chosen: Sequence[RunRow], measure: Measure, every: Sequence[RunRow]) -> None:
    column = _COLUMNS[measure]
    table = frames.runs(chosen)
    models = {model: logged.model_name(model) for model in dict.fromkeys(map(named, every))}
    words = {
        "number": _("Number of the run"), "value": _(_COLUMN_NAMES[column]), "prompt": _("Prompt"),
        "model": _("Model"),
        "temperature": _("Temperature"), "seed": _("Seed"), "tokens": _("Tokens"), "seconds": _("Seconds"),
        "none": _("not rated"), "up": _("thumbs up"), "down": _("thumbs down"),
    }  # fmt: skip
    largest = max((float(one) for one in table[column].dropna()), default=0.0)
    step = _ENDS[column]
    most = step if column == "metric" and largest <= 1 else step * max(1, math.ceil(largest / step))
    spec = charts.runs(words, column, models, numbers=(every[0].number, every[-1].number), most=most)
    show.show_chart(spec, "lc_runs", _("Runs of the session in the order they were made"), data=table)
    st.markdown(_read(chosen, every))


def _read(chosen: Sequence[RunRow], every: Sequence[RunRow]) -> str:
    """The log in a sentence: how many runs, and the most and least surprising of them."""
    log = run_log.log()
    told = ngettext(
        "{n:,} run of {total:,} in the log fits.", "{n:,} runs of {total:,} in the log fit.", len(chosen)
    )
    said = [told.format(n=len(chosen), total=len(every))]
    if len(chosen) > 1:
        least, most = (pick(chosen, key=lambda row: row.bits) for pick in (min, max))
        words = _(
            "Least surprising to its model: number {a} with {x:.2f} bits per token; most: number {b} with "
            "{y:.2f}."
        )
        said.append(words.format(a=least.number, x=least.bits, b=most.number, y=most.bits))
    if log.n_forgotten:
        said.append(_("Forgotten since the session began: {n:,}.").format(n=log.n_forgotten))
    return " ".join(said)


def _table(shown: Sequence[RunRow]) -> None:
    table = frames.runs(shown)
    table["page"] = [logged.page_name(page) for page in table["page"]]
    names = {model: logged.model_name(model) for model in set(table["model"])}
    table["model"] = table["model"].map(names)
    table["finish"] = [_(logged.FINISH.get(finish, finish)) for finish in table["finish"]]
    table["thumb"] = [{"up": "▲", "down": "▼"}.get(thumb, "") for thumb in table["thumb"]]
    formats = {"bits": "%.2f", "metric": "%.2f", "first_s": "%.2f", "seconds": "%.2f"}
    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(_(title), format=formats[name]) if name in formats else _(title)
        for name, title in _COLUMN_NAMES.items()
    }
    st.dataframe(table, hide_index=True, height=230, column_config=columns, key="lc_table")


def _export(shown: Sequence[RunRow]) -> None:
    log = run_log.log()
    with st.container(horizontal=True, vertical_alignment="center", key="lc_export"):
        st.download_button(
            _("Export .jsonl"), lambda: jsonl(shown), "prompt-log.jsonl", "application/jsonl", key="lc_jsonl",
            on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        st.button(_("Empty the log"), key="lc_clear", icon=":material/delete:", on_click=log.clear)
        st.caption(
            _(
                "Kept in this session alone, at most {most:,} runs, and gone with it. Not in it: beam "
                "search, texts of a training run, and what programs ask at the endpoint."
            ).format(most=run_log.MOST_RUNS)
        )
    show.under_picture(
        "lifecycle_runs",
        frame=lambda: frames.runs(shown),
        code=partial(show.code, "tracking"),
        picture="lc_runs",
    )
