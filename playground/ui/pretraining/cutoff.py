"""Knowledge cutoff: a model that has read one half of a text, asked about the other."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playground.charts import pretraining as charts
from playground.core.pretraining import bits, halves
from playground.core.tables import pretraining as frames
from playground.core.tables.pretraining import Points
from playground.engine.contract.pretraining import PretrainingSettings
from playground.errors import PlaygroundError
from playground.ui import from_zero, show
from playground.ui.pretraining import code, live, shipped, texts
from playground.ui.pretraining.limits import most_steps
from playground.ui.pretraining.seen import Seen
from playground.ui.state import PageContext
from playground.ui.text import _, plain, sentence

N_AVERAGED = 10  # last steps whose losses are averaged
PARTS = ("read", "held_out", "unread")


def panel(context: PageContext, language: str) -> None:
    """Draw bits per byte of the half that was read and of the other, and the field for a question.

    Args:
        context: From `frame.page`.
        language: Language of the text that comes with the playground.
    """
    st.markdown(f"## {_('Trained on one half: what does it know of the other?')}")
    seen = current(context, language)
    parts = parts_of(seen)
    table = frames.halves(parts)
    words = {"step": _("Training step"), "bits": _("Loss (bits per byte)"), "data": _("Part"), **names()}
    alt = _("Bits per byte of the half that was read and of the half that was not, against the steps")
    show.show_chart(charts.halves(words), "pre_halves_picture", alt, data=table)
    st.markdown(reading(parts))
    st.caption(plain(seen.name))
    show.under_picture(
        "pre_halves", frame=table, code=lambda: code.training(seen), picture="pre_halves_picture"
    )
    _start(context, language)
    _ask(context, seen)


def names() -> dict[str, str]:
    """The parts of the text by name."""
    return {
        "read": _("first half, read in training"),
        "held_out": _("end of the first half, not read"),
        "unread": _("second half, not read"),
    }


def current(context: PageContext, language: str) -> Seen:
    """The last run here that was trained on a half, else the one that comes with the playground."""
    runs = [live.seen_of(one) for one in live.started_as(context, "half")]
    own = [one for one in runs if one is not None and one.general]
    return own[-1] if own else shipped.compared(language, "half")


def parts_of(seen: Seen) -> dict[str, Points]:
    """(step, loss) of each part; of the read one the mean of the last steps before each measurement."""
    read = []
    for step, _loss in seen.held_out:
        so_far = [loss for at, loss in seen.train if at <= max(step, 1)][-N_AVERAGED:]
        if so_far:
            read.append((step, sum(so_far) / len(so_far)))
    return {"read": read, "held_out": seen.held_out, "unread": seen.general}


def reading(parts: Mapping[str, Points]) -> str:
    """One sentence: bits of both halves before and after, and how much cheaper the read one is."""
    if not all(parts.values()):
        return _("The first measurement comes in a moment; step 0 is random numbers.")
    first = {name: bits(points[0][1]) for name, points in parts.items()}
    last = {name: bits(points[-1][1]) for name, points in parts.items()}
    told = _(
        "The second half cost {before:.2f} bits per byte before any training and costs {after:.2f} now; the "
        "half that was read costs {read:.2f}."
    ).format(before=first["unread"], after=last["unread"], read=last["read"])
    gap = last["unread"] - last["read"]
    if gap <= 0:
        return f"{told} {_('The half that was read is not cheaper yet.')}"
    more = _("Reading this very text saves {gap:.2f} bits per byte; knowing the language helps both halves.")
    return f"{told} {more.format(gap=gap)}"


def _start(context: PageContext, language: str) -> None:
    before, after = halves(texts.text_of(language))
    settings = PretrainingSettings(data=language, n_steps=min(most_steps(), 300))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Train on the first half"), key="pre_half", icon=":material/play_arrow:",
            on_click=live.start, args=(context, [settings], before, after), kwargs={"kind": "half"},
        )  # fmt: skip
        told = _("steps: {n}, on the first half of the {text}")
        st.caption(plain(told.format(n=settings.n_steps, text=texts.text_name(language))))
    live.runs_started_as(context, "half")


def _ask(context: PageContext, seen: Seen) -> None:
    """A sentence of the reader's, byte by byte, once there is a model to ask."""
    if not seen.model_id:
        st.caption(_("Once your own model is trained, ask it about any sentence here."))
        return
    lines = [line.strip() for line in seen.read.other.split("\n") if line.strip()]
    usual = (lines or [seen.read.text])[0][:80]
    typed = st.text_input(
        _("A sentence to ask about"), key="pre_sentence", placeholder=usual, max_chars=200,
        persist_state="session",
    )  # fmt: skip
    try:
        [found] = from_zero.bits(context, seen.model_id, [typed.strip() or usual])
    except PlaygroundError as error:
        st.error(sentence(error))
        return
    told = _("*{text}* costs {bits:.2f} bits per byte, {total:.0f} bits in all.")
    st.markdown(
        told.format(text=plain(typed.strip() or usual), bits=float(found.mean()), total=float(found.sum()))
    )
