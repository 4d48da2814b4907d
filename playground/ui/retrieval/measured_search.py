"""The panel Retrieval measured: our questions searched by vectors, by text and by both, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, cast

import pandas as pd
import streamlit as st

from playground.charts import ranking as charts
from playground.core import shipped_documents as shipped
from playground.core.metrics.ranking import Ranked, ranking_figures
from playground.core.tables import ranking as frames
from playground.core.tables.ranking import Name
from playground.engine.contract.models import AdapterName, ModelInfo, Prefixes
from playground.engine.contract.retrieval import WAYS, Way
from playground.errors import PlaygroundError
from playground.ui import compute, findings, frame, show, state
from playground.ui.choose import choose
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.retrieval import collection, searching
from playground.ui.retrieval.searching import SIZES, AskedIn, Cell, Searched, asked, search
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext
from playground.ui.translations import language_name
from playground.ui.waiting import stop_with

RUNNING = "ret_searching"
STOPPED = "ret_search_stopped"


def panel(context: PageContext, current: collection.Current) -> Later | None:
    """Draw the figures that are known, and the button that measures the rest.

    Args:
        context: From `frame.page`.
        current: The collection of the page, for its encoder.

    Returns:
        Measures what is missing, to be called once the page is drawn; None when nothing is.
    """
    st.markdown(f"## {_('How often does the search find the right chunk?')}")
    with st.container(horizontal=True, vertical_alignment="bottom", key="below_picture_ret_search"):
        view = choose(
            "ret_m_by", {"kind": _("By kind of question"), "size": _("By size of the chunks")}, _("View")
        )
        first = context.language if context.language in shipped.languages() else "en"
        codes = (first, *(code for code in shipped.languages() if code != first))
        language = choose("ret_m_in", {code: language_name(code) for code in codes}, _("Documents"))
        names = {"same": _("Questions in the same language"), "other": _("in the other one")}
        asked_in = cast("AskedIn", choose("ret_m_asked", names, _("Questions")))
        figures = {"hit": "hit@k", "mrr": "MRR", "ndcg": "nDCG"}
        figure = cast("Name", choose("ret_m_figure", figures, _("Figure")))
        k = int(choose("ret_m_k", {"3": "k = 3", "1": "k = 1", "5": "k = 5", "10": "k = 10"}, "k"))
    sizes = SIZES if view == "size" else (collection.DEFAULT.size,)
    cells = [_cell(current, size, language, asked_in) for size in sizes]
    known = {cell.size: one for cell in cells if (one := searching.known(cell)) is not None}
    missing = [cell for cell in cells if cell.size not in known]
    line, place = _controls(cells, missing)
    if known:
        table = _table(known, view, figure, k)
        _draw(place, table, known, view, figure, k)
        _under(context, cells, known, table, k)
        _note(cells, known)
    else:
        place.caption(_("Nobody has measured this yet."))
    if missing and _is_wanted(cells, missing):
        return partial(_measure, context, missing, line)
    return None


def _cell(current: collection.Current, size: int, language: str, asked_in: AskedIn) -> Cell:
    entry = frame.choices()[AdapterName.of(current.model).base_id]
    return Cell(current.model, entry.revision or "", size, language, asked_in)


def _is_wanted(cells: Sequence[Cell], missing: Sequence[Cell]) -> bool:
    """True if the reader asked for it, or for one size alone, which is measured at once unless stopped."""
    return st.session_state.get(RUNNING) == tuple(cells) or (
        len(cells) == 1 and st.session_state.get(STOPPED) != tuple(missing)
    )


def _controls(cells: Sequence[Cell], missing: Sequence[Cell]) -> tuple[Any, Any]:
    """Draw Stop while it measures, or a button that begins; places for the progress and the picture."""
    line_at, button_at = st.columns([5, 2], vertical_alignment="center")
    if missing and _is_wanted(cells, missing):
        button_at.button(
            _("Stop"), key="ret_search_stop", icon=":material/stop:", on_click=_stop, args=(tuple(missing),)
        )
    elif missing:
        n = len(missing)
        told = ngettext("Measure {n} size", "Measure {n} sizes", n)
        button_at.button(
            told.format(n=n), key="ret_search_go", type="primary", icon=":material/play_arrow:",
            on_click=_go, args=(tuple(cells),),
        )  # fmt: skip
    return line_at.empty(), st.empty()


def _go(cells: tuple[Cell, ...]) -> None:
    st.session_state[RUNNING] = cells
    st.session_state.pop(STOPPED, None)


def _stop(missing: tuple[Cell, ...]) -> None:
    st.session_state.pop(RUNNING, None)
    st.session_state[STOPPED] = missing


def _measure(context: PageContext, cells: Sequence[Cell], line: Any) -> None:  # noqa: ANN401  (Streamlit's)
    """Measure the first cell and draw the page anew; a click ends it, whole cells stay."""
    n_each = len(list(asked(cells[0]))) * len(WAYS)
    with line.container():
        bar = Progress("searches", cells[0].model, n_each * len(cells), _("The questions are looked up"))
    try:
        if search(context, cells[0], bar, n_each * len(cells)) is None:
            return
    except PlaygroundError as error:
        _stop(tuple(cells))
        stop_with(error)
    if len(cells) == 1:
        st.session_state.pop(RUNNING, None)
    st.rerun()


# ---------------------------------------------------------------- what was found


def _table(known: Mapping[int, Searched], view: str, figure: Name, k: int) -> pd.DataFrame:
    ways = _ways()
    groups: list[tuple[str, str, Sequence[Ranked]]] = []
    if view == "size":
        groups = [(f"{size:,}", ways[way], one.found[way]) for size, one in known.items() for way in WAYS]
    else:
        (one,) = known.values()
        for kind, name in _kinds().items():
            for way in WAYS:
                rows = [
                    ranked
                    for its, ranked in zip(one.kinds, one.found[way], strict=True)
                    if kind in ("all", its)
                ]
                groups.append((name, ways[way], rows))
    return frames.figures(groups, k, figure)


def _note(cells: Sequence[Cell], known: Mapping[int, Searched]) -> None:
    """Take down the best way of searching, by its share of questions with a right chunk among three."""
    hits = [
        (ranking_figures(one.found[way], 3).hit.value, len(one.found[way]))
        for one in known.values()
        for way in WAYS
    ]
    findings.note("search", cells[0].model, *max(hits))


def _ways() -> dict[Way, str]:
    return {"vector": _("By meaning (vectors)"), "text": _("By words (BM25)"), "hybrid": _("Hybrid")}


def _kinds() -> dict[str, str]:
    return {
        "all": _("All questions"), "plain": _("In words of the passage"),
        "paraphrase": _("In other words than the passage"), "rare": _("With a rare name or number"),
    }  # fmt: skip


def _draw(
    place: Any,  # noqa: ANN401  (Streamlit's container)
    table: pd.DataFrame,
    known: Mapping[int, Searched],
    view: str,
    figure: Name,
    k: int,
) -> None:
    alt = _("Figures of the search, with 95 % intervals")
    with place.container():
        spec = _picture(state.language(), view, figure, k)
        show.show_chart(spec, "ret_searched", alt, data=table)
        st.markdown(_told(table, view, known))


def _told(table: pd.DataFrame, view: str, known: Mapping[int, Searched]) -> str:
    """The picture in a sentence: the best way of all questions, or the best size; and what cuts destroy."""
    rows: list[Any] = list(table.itertuples(index=False))
    if view == "size":
        best = max(rows, key=lambda row: row.value)
        told = _("Best: chunks of {group} characters, {way}: {value:.2f} ({low:.2f} to {high:.2f}).")
        said = [told.format(**best._asdict())]
    else:
        best = max((row for row in rows if row.group == _kinds()["all"]), key=lambda row: row.value)
        told = _("Best over all questions ({n}): {way}, {value:.2f} ({low:.2f} to {high:.2f}).")
        said = [told.format(**best._asdict()), *(_compared(rows, kind) for kind in ("paraphrase", "rare"))]
    for size, one in known.items():
        if one.n_cut:
            cut = ngettext(
                "Of chunks of {size:,} characters {n} question has none: a cut goes through its passage.",
                "Of chunks of {size:,} characters {n} questions have none: cuts go through their passages.",
                one.n_cut,
            )
            said.append(cut.format(size=size, n=one.n_cut))
    return " ".join(said)


def _compared(rows: Sequence[Any], kind: str) -> str:
    """Vectors against BM25 on one kind of question, in words."""
    ways, name = _ways(), _kinds()[kind]
    values = {row.way: row.value for row in rows if row.group == name}
    vectors, text = values[ways["vector"]], values[ways["text"]]
    if vectors == text:
        return _("{kind}: meaning and words are equal, {value:.2f}.").format(kind=name, value=text)
    told = _("{kind}: ahead is {ahead}, {high:.2f} against {low:.2f}.")
    ahead = ways["vector" if vectors > text else "text"]
    return told.format(kind=name, ahead=ahead, high=max(vectors, text), low=min(vectors, text))


def _under(
    context: PageContext, cells: Sequence[Cell], known: Mapping[int, Searched], table: pd.DataFrame, k: int
) -> None:
    cell = next(one for one in cells if one.size in known)
    info = next(one for one in compute.models() if one.model_id == cell.model)
    show.source(info, "LanceDB")
    prefixes = frame.choices()[AdapterName.of(cell.model).base_id].prefixes
    code = partial(_code, prefixes, info, cell, k)
    show.under_picture("searched", frame=table, code=code, picture="ret_searched")


def _code(prefixes: Prefixes, info: ModelInfo, cell: Cell, k: int) -> str:
    """The script that searches the same chunks by vectors, made when somebody asks for it."""
    cuts = searching.cuts(cell)
    chunks = [
        one.document.text[start:stop] for one in cuts if one.document.language == cell.language
        for start, stop in one.spans
    ]  # fmt: skip
    questions = [
        (text, [at for at, chunk in enumerate(chunks) if question.held_by(chunk)])
        for _name, question, text in asked(cell)
    ]
    limits = (info.max_seq_length, info.n_ctx, state.settings().max_tokens)
    return show.code(
        "searched", folder=show.model_folder(cell.model), prefixes=(prefixes.query, prefixes.text),
        chunks=chunks, questions=questions, k=k,
        n_most=min(filter(None, limits)),
    )  # fmt: skip


@lru_cache
def _picture(language: str, view: str, figure: Name, k: int) -> dict[str, Any]:
    """The constant part of the picture; `language` is the session's."""
    named = {"hit": f"hit@{k}", "mrr": f"MRR@{k}", "ndcg": f"nDCG@{k}"}
    words = {
        "group": _("Characters of a chunk") if view == "size" else _("Questions"), "way": _("Search by"),
        "value": named[figure], "n": _("Questions"), "low": _("95 % interval from"), "high": _("to"),
    }  # fmt: skip
    ways = list(_ways().values())
    if view == "size":
        return charts.by_size(words, ways=ways, sizes=[f"{size:,}" for size in SIZES])
    return charts.by_group(words, ways=ways, groups=list(_kinds().values()))
