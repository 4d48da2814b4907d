"""One run of the log beside another: both word by word, an opinion, and the same request asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import streamlit as st

from playground.core import word_changes
from playground.core.run_rows import RunRow, before
from playground.core.tables import lifecycle as frames
from playground.core.word_changes import Changes
from playground.ui import run_log, show, stepwise
from playground.ui.choose import default_index, list_key
from playground.ui.components.tagged_text import Mark, View, tagged_text
from playground.ui.lifecycle import logged
from playground.ui.panels import Later
from playground.ui.run_log import Run, Thumb
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, share

_AGAIN = "lc_again"  # number of the run that is to be repeated
_MOST_LABEL = 48  # characters of a prompt in a list


def draw(context: PageContext, every: Sequence[RunRow], shown: Sequence[RunRow]) -> Later | None:
    """Draw the chosen run and the one beside it; gives what repeats it, to be called once the page is drawn.

    Args:
        context: From `frame.page`.
        every: All runs of the log, oldest first.
        shown: Those that fit the filter, in the order of the list.
    """
    if not shown:
        return None
    st.markdown(f"## {_('What is different between two runs?')}")
    known = {row.number: row for row in every}
    newest = max(shown, key=lambda row: row.number)
    first_at, second_at = st.columns(2)
    with first_at:
        row = known[_pick("lc_run", _names(shown), newest.number, _("Chosen run"))]
    others = [one for one in reversed(every) if one.number != row.number]
    other = None
    if others:
        beside = before(every, row) or others[0]
        with second_at:
            other = known[_pick("lc_beside", _names(others), beside.number, _("Compared with"))]
    with first_at:
        later = _run(context, row)
    if other is not None:
        with second_at:
            _about(other)
            _texts(other)
        _compare(row, other)
    return later


def _names(rows: Sequence[RunRow]) -> dict[int, str]:
    """Number of each run -> its name in lists."""
    return {row.number: f"{row.number} · {logged.page_name(row.page)} · {_short(row.prompt)}" for row in rows}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_LABEL else f"…{line[-_MOST_LABEL:]}"


def _pick(key: str, names: Mapping[int, str], default: int, label: str) -> int:
    """A list of runs: the reader's choice as long as it is in the list, otherwise the default.

    Not in the link: the numbers are those of this session.
    """
    chosen: int = st.session_state.get(f"{key}_number", default)
    wanted = chosen if chosen in names else default
    drawn = list_key(key, names)
    st.selectbox(
        label, tuple(names), default_index(drawn, names, wanted), key=drawn, format_func=names.__getitem__,
        on_change=_keep, args=(key, drawn),
    )  # fmt: skip
    return wanted


def _keep(key: str, drawn: str) -> None:
    st.session_state[f"{key}_number"] = st.session_state[drawn]


# ---------------------------------------------------------------- one run


def _run(context: PageContext, row: RunRow) -> Later | None:
    """One run: what it was asked, what came, thumbs, and the button that repeats it."""
    log = run_log.log()
    run = log.of(row.number)
    assert run is not None  # the rows are those of the log
    _about(row)
    with st.container(horizontal=True, vertical_alignment="center", key="lc_deeds"):
        for thumb, icon, words in (
            ("up", ":material/thumb_up:", _("Good")), ("down", ":material/thumb_down:", _("Bad")),
        ):  # fmt: skip
            is_on = row.thumb == thumb
            st.button(
                words, key=f"lc_thumb_{thumb}", icon=icon, type="primary" if is_on else "secondary",
                on_click=_rate, args=(row.number, "" if is_on else thumb),
            )  # fmt: skip
        st.button(
            _("Repeat"), key="lc_repeat", icon=":material/replay:", on_click=_again, args=(row.number,),
            help=_("The same model, prompt, settings and seed once more."),
        )  # fmt: skip
        st.button(
            _("Stop"), key="lc_repeat_stop", icon=":material/stop:", disabled=_AGAIN not in st.session_state
        )
    place = st.empty()
    _texts(row)
    if row.repeats and (first := log.of(row.repeats)) is not None:
        st.markdown(_repeated(first, run))
    if st.session_state.pop(_AGAIN, None) == row.number:
        return partial(_repeat, context, run, place)
    return None


def _rate(number: int, thumb: Thumb) -> None:
    run_log.log().rate(number, thumb)


def _again(number: int) -> None:
    st.session_state[_AGAIN] = number


def _repeat(context: PageContext, run: Run, place: Any) -> None:  # noqa: ANN401  (Streamlit's container)
    """Ask it again; a click ends it, and what came stands in the log."""
    text = ""
    with place.container():
        steps = stepwise.repeat(context, run)
        line = st.empty()
        with closing(steps):
            for step in steps:
                text += step.text
                line.text(text)
    st.session_state["lc_run_number"] = run_log.log().n_seen
    st.session_state["lc_beside_number"] = run.number
    st.rerun()


def _repeated(first: Run, again: Run) -> str:
    """A sentence: did the repeated run give the same text, and if not, why."""
    if first.text == again.text:
        return ":material/check: " + _(
            "It repeats number {n}: the text is the same, character by character."
        ).format(n=first.number)
    if not again.finish:
        return _("It repeats number {n}, and was ended before its end.").format(n=first.number)
    told = _("It repeats number {n}, and the text is another one.").format(n=first.number)
    near = max(first.n_near, again.n_near)
    if near:
        told += " " + ngettext(
            "{n} draw was so near to another token that rounding beside other texts may decide it.",
            "{n} draws were so near to another token that rounding beside other texts may decide them.", near,
        ).format(n=near)  # fmt: skip
    return told


def _about(row: RunRow) -> None:
    """Model, settings, tokens and time of a run, in small lines."""
    log = run_log.log()
    run = log.of(row.number)
    model = logged.model_name(run.request.model if run else row.model)
    settings = logged.told(run.request) if run else ""
    st.caption(plain(" · ".join(filter(None, (model, settings)))))
    told = _(
        "tokens: {tokens}, {bits:.2f} bits per token, first after {first:.2f} s, whole in {all:.2f} s; "
        "{finish}"
    )
    words = told.format(
        tokens=row.n_tokens, bits=row.bits, first=row.first_s, all=row.elapsed_s,
        finish=_(logged.FINISH.get(row.finish, row.finish)),
    )  # fmt: skip
    if row.metric is not None:
        words += " · " + _("metric {value:.2f}").format(value=row.metric)
    st.caption(plain(words))


def _texts(row: RunRow) -> None:
    """Prompt and text as they are, no markup."""
    with st.container(border=True, height=150):
        st.text(f"{row.prompt}│{row.output}")


# ---------------------------------------------------------------- two runs


def _compare(row: RunRow, other: RunRow) -> None:
    """Both outputs word by word, and the settings that differ."""
    found = word_changes.compared(other.output, row.output)
    marks, text = _marks(found)
    with st.container(key="lc_changes_picture"):
        tagged_text(
            text, [View(_("Output of {a} and {b}, word by word").format(a=other.number, b=row.number),
            marks)],
            {"−": _("only in number {n}").format(n=other.number),
            "+": _("only in number {n}").format(n=row.number)},
            key="lc_changes",
        )  # fmt: skip
    st.markdown(_read(found, row, other))
    show.under_picture(
        "lifecycle_pair", frame=lambda: frames.changes(found),
        code=partial(show.code, "word_changes", first=other.output, second=row.output),
    )  # fmt: skip


def _marks(found: Changes) -> tuple[list[Mark], str]:
    """Marks on the text of both, one after the other where they differ."""
    marks, text = [], ""
    for part in found.parts:
        begin = len(text)
        text += part.text
        if part.kind != "both":
            at = begin + len(part.text) - len(part.text.lstrip())
            marks.append(Mark(at, len(text), "−" if part.kind == "first" else "+"))
    return marks, text


def _read(found: Changes, row: RunRow, other: RunRow) -> str:
    """The comparison in a sentence."""
    told = _("Words that both have in the same order: {n} ({share} of the longer text).")
    said = [told.format(n=found.n_both, share=share(found.same_share))]
    differing = {
        name: (other.settings.get(name), value)
        for name, value in row.settings.items()
        if other.settings.get(name) != value
    }
    if row.model != other.model or row.adapter != other.adapter:
        said.append(_("The models differ."))
    if row.prompt != other.prompt:
        said.append(_("The prompts differ."))
    if differing:
        words = ", ".join(f"{name} {a} → {b}" for name, (a, b) in differing.items())
        said.append(_("Settings that differ: {settings}.").format(settings=plain(words)))
    if found.n_left_out:
        said.append(_("Words beyond the limit, not compared: {n:,}.").format(n=found.n_left_out))
    return " ".join(said)
