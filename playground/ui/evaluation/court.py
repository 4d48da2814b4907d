"""Perplexity court: a text coloured by surprisal, its running perplexity, context, stride, bits per byte."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import streamlit as st

from playground.charts import court as charts
from playground.core import pieces
from playground.core.metrics.perplexity import Cost, windows
from playground.core.predictions import perplexity
from playground.core.tables import court as frames
from playground.ui import show, state, unread_language
from playground.ui.components.scored_text import scored_text
from playground.ui.evaluation import reading, texts, two_models, varied
from playground.ui.evaluation.reading import Plan, Reading, Text
from playground.ui.evaluation.shown import Shown
from playground.ui.number import slider
from playground.ui.panels import Later
from playground.ui.roles import player
from playground.ui.scored import scored_tokens
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, strong

WANTED = "ev_court_wanted"
DEFAULT = 16
POWERS = tuple(2**power for power in range(10))
MOST_SHOWN = 512  # tokens that are drawn one by one


def panel(context: PageContext, shown: Shown) -> Later | None:
    """Draw the court of one text.

    Args:
        context: From `frame.page`.
        shown: Takes the numbers that the tasks ask about.

    Returns:
        What reads the windows that are not known, once the reader asked for it.
    """
    decoder = player(context, "decoder")
    if decoder is None:
        return None
    chosen = texts.chosen(decoder)
    if chosen is None:
        return None
    text = reading.read_text(chosen)
    if len(text.tokens) < 2:
        st.info(_("One token alone has no probability here: the model was given nothing before it."))
        return None
    unread_language.say(chosen.text, chosen.model, {"logits"})
    plan = _windows(text)
    later, found = _read(plan)
    if found is None:
        return later
    _draw(found)
    shown.perplexity = perplexity(found.logprobs)
    shown.whole = None if found.whole is None else perplexity(found.whole)
    shown.n_windows = len(plan.parts)
    varied.picture(found)
    shown.better = two_models.picture(found)
    return None


def _windows(text: Text) -> Plan:
    """Draw the sliders of context and stride."""
    n, most = len(text.tokens), text.most_context
    contexts = [one for one in _powers(most) if _is_possible(n, min(one, most), min(one, most))]
    left, right = st.columns(2)
    with left:
        told = _("Most tokens that the model sees before the one it is asked about; at the right end all.")
        context = min(_power(_("Context (tokens)"), contexts, "ev_context", told), most)
    strides = [one for one in _powers(context) if _is_possible(n, context, min(one, context))]
    with right:
        told = _("Tokens from the begin of one window to that of the next: the fewer, the more they overlap.")
        stride = min(_power(_("Stride (tokens)"), strides, "ev_stride", told), context)
    return reading.plan(text, context, stride)


def _powers(most: int) -> list[int]:
    """Powers of two up to the first that is not below this."""
    return [one for at, one in enumerate(POWERS) if at == 0 or POWERS[at - 1] < most]


def _is_possible(n_tokens: int, context: int, stride: int) -> bool:
    limits = state.settings()
    parts = windows(n_tokens, context, stride)
    n_read = sum(one.end - one.begin for one in parts)
    return len(parts) <= limits.max_windows and (len(parts) == 1 or n_read <= limits.max_window_tokens)


def _power(label: str, options: list[int], key: str, told: str) -> int:
    default = max((one for one in options if one <= DEFAULT), default=options[0])
    if len(options) == 1:
        st.caption(f"{label}: {options[0]}")
        return options[0]
    return slider(label, options, default, key=key, help=told)


def _read(plan: Plan) -> tuple[Later | None, Reading | None]:
    """The reading; where it is long, a button first, and what reads once the page is drawn."""
    words = _("The model reads the windows")
    if plan.n_unknown_tokens <= reading.AT_ONCE:
        place = st.empty()
        with place.container():
            found = reading.read(plan, words)
        place.empty()
        return None, found
    n = len(plan.unknown)
    told = ngettext(
        "{n} window of the text has not been read yet, {tokens:,} tokens in all.",
        "{n} windows of the text have not been read yet, {tokens:,} tokens in all.",
        n,
    )
    st.info(told.format(n=n, tokens=plan.n_unknown_tokens))
    wanted = st.session_state.get(WANTED) == hash(plan.parts)
    with st.container(horizontal=True):
        st.button(
            _("Read them"), type="primary", key="ev_court_read", icon=":material/play_arrow:",
            on_click=_want, args=(hash(plan.parts),), disabled=wanted,
        )  # fmt: skip
        st.button(
            _("Stop"), key="ev_court_stop", icon=":material/stop:", on_click=_want, args=(0,),
            disabled=not wanted,
        )  # fmt: skip
    return (partial(_read_long, plan, words, st.empty()) if wanted else None), None


def _want(which: int) -> None:
    st.session_state[WANTED] = which


def _read_long(plan: Plan, words: str, place: Any) -> None:  # noqa: ANN401 - Streamlit's container
    with place.container():
        reading.read(plan, words)
    _want(0)
    st.rerun()


# ---------------------------------------------------------------- what was read


def _draw(found: Reading) -> None:
    text = found.text
    model_id, tokens = text.context.model.model_id, text.tokens
    cut = reading.cut(tokens, MOST_SHOWN)
    scored_text(scored_tokens(model_id, found.predictions(len(cut) - 1), cut), key="ev_court_text")
    if len(cut) < len(tokens):
        st.caption(_("The first {n:,} of the {all:,} tokens are drawn.").format(n=len(cut), all=len(tokens)))
    labels = pieces.labels(tokens)
    _numbers(text.cost(found.logprobs))
    st.markdown(_told(found, labels))
    table = frames.along(labels[1:], found.logprobs, found.plan.parts, found.whole)
    alt = _("Perplexity of the text up to each token")
    chart = _picture(text.context.language, len(table), found.whole is not None)
    lines = frames.lines(table)
    show.show_chart(chart, "ev_court_running", alt, data=lines)
    if lines["perplexity"].max() > charts.MOST:
        told = _("A perplexity above {most:,} is drawn at the top of the axis; the values have it whole.")
        st.caption(told.format(most=charts.MOST))
    show.provenance(found.traces[0])
    parts = found.plan.parts
    code = partial(
        show.code, "court", folder=show.model_folder(model_id), text=text.context.text,
        start_ids=text.start_ids,
        n_tokens=len(tokens), n_bytes=len(text.scored_bytes),
        windows=[(one.begin, one.end, one.first) for one in parts],
    )  # fmt: skip
    show.under_picture("court", frame=table, code=code, picture="ev_court_running")


def _numbers(one: Cost) -> None:
    with st.container(horizontal=True, key="ev_court_numbers"):
        told = _("2 to the bits of a mean token: among so many equally probable tokens the model wavered.")
        st.metric(_("Perplexity (by the token)"), _short(one.perplexity), help=told, width="content")
        st.metric(_("Bits per token"), f"{one.bits_per_piece:.2f}", width="content")
        told = _("The same whatever tokens a model cuts the text into: comparable between models.")
        st.metric(_("Bits per byte"), f"{one.bits_per_byte:.3f}", help=told, width="content")
        told = _("UTF-8 bytes: {bytes:,}; characters: {characters:,}. A Hangul syllable has three bytes.")
        told = told.format(bytes=one.n_bytes, characters=one.n_characters)
        st.metric(_("Bits per character"), f"{one.bits_per_character:.3f}", help=told, width="content")


def _short(number: float) -> str:
    return f"{number:,.1f}" if number < 10_000 else f"{number:.2e}"


def _told(found: Reading, labels: tuple[str, ...]) -> str:
    text, bits = found.text, found.predictions().surprisal_bits
    one, most = text.cost(found.logprobs), int(bits.argmax())
    told = ngettext(
        "The {n} token costs {total:.1f} bits: perplexity {perplexity:,.1f}.",
        "The {n} tokens cost {total:.1f} bits: perplexity {perplexity:,.1f}. The most surprising one is "
        "{token} with {bits:.1f} bits.",
        one.n_pieces,
    )
    said = [
        told.format(
            n=one.n_pieces, total=one.total_bits, perplexity=one.perplexity, token=strong(labels[most + 1]),
            bits=bits[most],
        )
    ]  # fmt: skip
    n_windows = len(found.plan.parts)
    if n_windows > 1 and found.whole is not None:
        told = _(
            "It was read in windows ({n}); with the whole text before each token the perplexity of the same "
            "text is {whole:,.1f}."
        )
        said.append(told.format(n=n_windows, whole=perplexity(found.whole)))
    elif n_windows > 1:
        told = _(
            "The text is longer than what is read at once (tokens: {limit}), so it was read in windows ({n})."
        )
        said.append(told.format(limit=reading.limit(text.context), n=n_windows))
    if one.n_bytes > one.n_characters:
        told = _("UTF-8 bytes: {bytes:,}; characters: {characters:,}.")
        said.append(told.format(bytes=one.n_bytes, characters=one.n_characters))
    if not text.has_start:
        said.append(_("The first token has nothing before it and is not counted."))
    if text.n_left_out:
        told = _("Only the first {n:,} tokens are read: {left_out:,} are left out.")
        said.append(told.format(n=len(text.tokens), left_out=text.n_left_out))
    return " ".join(said)


@lru_cache
def _picture(language: str, n_tokens: int, has_whole: bool) -> dict[str, Any]:
    words = {
        "step": _("Token"), "perplexity": _("Perplexity up to here"), "token": _("Token"),
        "context": _("Tokens before it that the model saw"), "windows": _("in these windows"),
        "whole": _("the whole text before each token"),
    }  # fmt: skip
    return charts.running(words, n_tokens=n_tokens, has_whole=has_whole)
