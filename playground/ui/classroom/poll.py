"""The teacher's poll: prepare it, open it, watch the votes come in, reveal them, take them away as a file."""

from __future__ import annotations

import math
from functools import partial

import streamlit as st

from playground.charts import polls as charts
from playground.core.classroom.polls import Asked, Poll
from playground.core.classroom.preferences import jsonl, preferences
from playground.core.files.table import csv_bytes
from playground.core.tables import polls as frames
from playground.errors import NoClass
from playground.ui import room, show
from playground.ui.choose import choose
from playground.ui.classroom import poll_answers, poll_free, poll_heads, poll_tokens
from playground.ui.panels import Later
from playground.ui.polls import one_line, polls, question, reading
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain

KIND = "class_poll"
EVERY_S = 2.0  # until the teacher sees the next votes


def panel(context: PageContext) -> Later | None:
    """Draw the poll that the class sees, otherwise what to ask it."""
    asked = polls().current()
    if asked is not None:
        _current()
        _files(asked)
        return None
    later = _prepare(context)
    _files(None)
    return later


def _prepare(context: PageContext) -> Later | None:
    names = {
        "next": _("Which token comes next"),
        "head": _("Which head"),
        "better": _("Which continuation is better"),
        "free": _("A question of your own"),
    }
    kind = choose(KIND, names, _("Kind of poll"))
    if not room.room().state().is_open:
        st.caption(_("There is no class yet: you can prepare the poll, and open it once you have begun one."))
    parts = {
        "next": poll_tokens.prepare, "head": poll_heads.prepare, "better": poll_answers.prepare,
        "free": poll_free.prepare,
    }  # fmt: skip
    return parts[kind](context, partial(_open_button))


def _open_button(poll: Poll) -> None:
    st.button(
        _("Open the poll"), key="poll_open", type="primary", icon=":material/how_to_vote:", on_click=_open,
        args=(poll,), disabled=not room.room().state().is_open,
    )  # fmt: skip


# ---- the poll that the class sees


def _current() -> None:
    """The poll; while votes come in it runs alone, again and again."""
    asked = polls().current()
    is_open = asked is not None and asked.stage == "open"
    st.fragment(_watched, run_every=EVERY_S if is_open else None)(is_open)


def _watched(was_open: bool) -> None:
    asked = polls().current()
    if asked is None or (was_open and asked.stage != "open"):
        st.rerun()
    st.markdown(f"## {question(asked.poll)}")
    if asked.stage == "revealed":
        show_result(asked)
    else:
        _hidden_votes(asked)
    with st.container(horizontal=True, key="poll_stages"):
        if asked.stage == "open":
            _button(_("Close the vote"), "close", ":material/lock:")
        if asked.stage != "revealed":
            _button(_("Reveal"), "reveal", ":material/visibility:", primary=True)
        else:
            _button(_("Next poll"), "take_away", ":material/skip_next:", primary=True)
        if asked.stage != "revealed":
            _button(_("Take it away"), "take_away", ":material/close:")


def _hidden_votes(asked: Asked) -> None:
    for place, option in enumerate(asked.poll.options):
        st.markdown(f"{frames.letter(place)} · {plain(one_line(option))}")
    n, n_members = len(asked.votes), len(room.room().state().members)
    told = ngettext("{n} vote of {members}", "{n} votes of {members}", n)
    st.markdown(f"## {told.format(n=n, members=n_members)}")


def _button(label: str, act: str, icon: str, *, primary: bool = False) -> None:
    st.button(
        label,
        key=f"poll_{act}",
        icon=icon,
        on_click=_do,
        args=(act,),
        type="primary" if primary else "secondary",
    )


def show_result(asked: Asked) -> None:
    """Draw the result of a poll: the votes, the model beside them, and the sentence that reads both."""
    poll, tally = asked.poll, asked.tally()
    table = frames.results(poll, tally)
    if poll.kind == "better":
        for place, option in enumerate(poll.options):
            st.markdown(f"{frames.letter(place)} · {plain(one_line(option))}")
    words = {
        "option": _("Option"), "votes": _("Votes"), "share": _("Share of the class"),
        "model": _("Probability by the model") if poll.kind == "next" else _("Bits lost without it"),
    }  # fmt: skip
    kind = "" if not poll.measures else "share" if poll.kind == "next" else "bits"
    most = max([0.01, *poll.measures])
    digits = 10 ** math.floor(math.log10(most))
    spec = charts.result(words, measure=kind, most=math.ceil(most / digits) * digits)  # type: ignore[arg-type]
    alt = _("Votes of the class for each option, and what the model says of it")
    show.show_chart(spec, "poll_picture", alt, data=table)
    st.markdown(reading(poll, tally))
    code = show.code(
        "poll", options=list(poll.options), votes=list(tally.counts), measures=list(poll.measures)
    )
    show.under_picture("poll", frame=table, code=code, picture="poll_picture")


def _files(asked: Asked | None) -> None:
    """Answers and pairs of the whole class, as files; while a vote is open its answers stay hidden."""
    kept = [
        one for one in polls().all() if asked is None or one.number != asked.number or one.stage != "open"
    ]
    if not kept:
        return
    with st.container(horizontal=True, key="poll_files"):
        st.download_button(
            _("Answers as CSV"), lambda: csv_bytes(frames.answers(kept)), "poll_answers.csv", "text/csv",
            key="poll_answers", on_click="ignore", icon=":material/download:",
            help=_("Nickname and option of each vote in this class. It is gone when the class ends."),
        )  # fmt: skip
        if pairs := preferences(kept):
            st.download_button(
                _("Pairs for alignment (.jsonl)"), jsonl(pairs), "preferences.jsonl", "application/jsonl",
                key="poll_pairs", on_click="ignore", icon=":material/download:",
                help=_("Prompt, chosen and rejected continuation, as a reward model or DPO reads them."),
            )  # fmt: skip


# ---- callbacks


@room.for_teachers
def _open(poll: Poll) -> None:
    if not room.room().state().is_open:
        raise NoClass
    polls().open(poll)
    room.room().tell()


@room.for_teachers
def _do(act: str) -> None:
    {"close": polls().close, "reveal": polls().reveal, "take_away": polls().take_away}[act]()
    room.room().tell()
