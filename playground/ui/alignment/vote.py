"""Votes: two answers to a prompt and one click, and the strengths that the votes give."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.core.preferences.pair import PreferencePair
from playground.core.preferences.sides import key_of
from playground.core.preferences.votes import Better, Vote
from playground.core.tables import votes as frames
from playground.errors import InputError
from playground.ui import show
from playground.ui.alignment import pairs, pool, strengths, written
from playground.ui.alignment.pairs import Shown
from playground.ui.alignment.reading import ReadPair, read
from playground.ui.components.answer_cards import Card, answer_cards
from playground.ui.number import number_field
from playground.ui.panels import Later
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, sentence

GAPS = "al_gaps"  # (model, pair) -> nats that its chosen answer has more, in all and a token
MOST_GAPS = 500


def panel(context: PageContext) -> Later | None:
    """Draw a pair with its buttons, then what all votes say; gives what writes answers."""
    later = None
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen, topic = pairs.choose_set()
        found = pairs.pairs_of(context, chosen, topic)
        place = _place(found)
    if chosen == pairs.OWN:
        with st.container(key="below_picture_al_upload"):
            pairs.upload()
    if chosen == pairs.WRITTEN:
        with st.container(key="below_picture_al_written"):
            later = written.ask(context)
    if found:
        _pair(context, Shown(found[place]), found)
    elif chosen == pairs.OWN:
        st.info(_("Upload pairs, or take the sample."))
    else:
        st.info(_("Let the model write answers to a prompt: each two of them are a pair."))
    strengths.picture(context, found)
    return later


def _place(found: Sequence[PreferencePair]) -> int:
    """Draw the field for the number of the pair; its place."""
    if len(found) < 2:
        return 0
    number = number_field(_("Pair"), 1, len(found), 1, key="al_pair", width=120, label_visibility="collapsed")
    n = len(found) - len(pool.unvoted(found))
    st.caption(_("{voted} of {n} voted on").format(voted=n, n=len(found)), width="content")
    return int(number) - 1


def _pair(context: PageContext, shown: Shown, found: Sequence[PreferencePair]) -> None:
    mine = pool.my_vote(shown.pair)
    try:
        known: ReadPair | None = read(context, shown)
    except InputError as error:  # no decoder: one can vote all the same
        known = None
        with st.container(key="below_picture_al_unread"):
            st.caption(sentence(error))
    answer_cards(shown.pair.prompt, _cards(shown, known, mine), key="al_cards")
    _buttons(shown, found)
    if known is None:
        return
    _remember(context, shown, known)
    st.markdown(_reading(context, known))
    show.provenance(known.first.trace)
    answers = (known.first, known.second)
    show.under_picture(
        "al_pair_tokens",
        frame=lambda: frames.answer_tokens(
            "AB", [one.labels for one in answers], [one.bits for one in answers]
        ),
        code=lambda: show.code(
            "alignment", folder=show.model_folder(context.model.model_id), prompt=shown.pair.prompt,
            answers=[shown.first, shown.second], n_read=[len(one.labels) for one in answers],
        ),
    )  # fmt: skip


def _cards(shown: Shown, known: ReadPair | None, mine: Vote | None) -> list[Card]:
    cards = []
    for name, text, side in (("A", shown.first, "first"), ("B", shown.second, "second")):
        is_chosen = mine is not None and mine.better == side
        if known is None:
            cards.append(Card(name, [text], [0.0], "", is_chosen))
            continue
        own = known.first if side == "first" else known.second
        told = ngettext(
            "{n} token · log p = {total:.1f} nats · {mean:.2f} per token",
            "{n} tokens · log p = {total:.1f} nats · {mean:.2f} per token",
            len(own.labels),
        )
        total = told.format(n=len(own.labels), total=own.total, mean=own.mean)
        labels, bits = zip(*own.characters, strict=True)
        cards.append(Card(name, labels, bits, total, is_chosen))
    return cards


def _buttons(shown: Shown, found: Sequence[PreferencePair]) -> None:
    words: list[tuple[Better, str, str]] = [
        ("first", _("A is better"), "1"), ("tie", _("No difference"), "0"), ("second", _("B is better"), "2"),
    ]  # fmt: skip
    with st.container(horizontal=True, key="al_ballot"):
        for better, label, key in words:
            st.button(
                label, key=f"al_vote_{better}", on_click=_vote, args=(shown, tuple(found), better),
                shortcut=key, type="primary" if better != "tie" else "secondary",
            )  # fmt: skip


def _vote(shown: Shown, found: Sequence[PreferencePair], better: Better) -> None:
    """Count the vote, and go to the next pair without one."""
    pool.put(shown.pair, shown.first, shown.second, better)
    left = pool.unvoted(found)
    if left and len(found) > 1:
        at = found.index(shown.pair)
        st.session_state["al_pair"] = next((place for place in left if place > at), left[0]) + 1


def _reading(context: PageContext, known: ReadPair) -> str:
    """The answer that the model itself would choose; Markdown."""
    first, second = known.first, known.second
    in_all, each = first.total - second.total, first.mean - second.mean
    name = plain(context.model.name)
    if (in_all > 0) == (each > 0):
        told = _(
            "**Before anybody votes:** {model} gives {answer} the larger probability, by {nats:.1f} "
            "nats in all, "
            "and also the larger one per token."
        )
    else:
        told = _(
            "**Before anybody votes:** {model} gives {answer} the larger probability, by {nats:.1f} "
            "nats in all, "
            "but a token of {other} is more probable: every token costs, so a longer answer loses."
        )
    answer, other = ("A", "B") if in_all > 0 else ("B", "A")
    words = told.format(model=name, answer=answer, other=other, nats=abs(in_all))
    if known.n_cut:
        cut = ngettext(
            "{n} token beyond the limit was left out.",
            "{n} tokens beyond the limit were left out.",
            known.n_cut,
        )
        words += " " + cut.format(n=known.n_cut)
    return words


def _remember(context: PageContext, shown: Shown, known: ReadPair) -> None:
    """Keep what the model would choose, to be compared with the votes."""
    gaps = st.session_state.setdefault(GAPS, {})
    key = context.model.model_id, key_of(shown.pair)
    sign = -1 if shown.is_turned else 1
    gaps[key] = (
        sign * (known.first.total - known.second.total),
        sign * (known.first.mean - known.second.mean),
    )
    while len(gaps) > MOST_GAPS:
        del gaps[next(iter(gaps))]
