"""Another last word: which states move in each stack, and how far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from playground.charts import families as charts
from playground.core import pieces
from playground.core.families import ROUNDING, Alignment, aligned, moved
from playground.core.last_word import other_word, with_last_word
from playground.core.tables import families as frames
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture, TraceRequest
from playground.errors import TooManyTokens
from playground.ui import compute, show
from playground.ui.families.players import Player
from playground.ui.state import settings
from playground.ui.text import N_, _, plain, sentence, share, strong
from playground.ui.url import setting

MAX_CHARS = 40
STACKS = {
    "encoder": N_("Encoder"),
    "decoder": N_("Decoder"),
    "source": N_("Encoder-decoder: encoder"),
    "target": N_("Encoder-decoder: decoder"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One model before and after its last word is another one.

    Attributes:
        player: The model.
        old, new: The last word before and after.
        first, second: Both texts, cut.
        before, after: Their traces, all states.
        pairs: Tokens that stand for each other.
    """

    player: Player
    old: str
    new: str
    first: Tokenization
    second: Tokenization
    before: Trace
    after: Trace
    pairs: Alignment


def panel(found: Sequence[Player]) -> None:
    """Draw the fields, the picture and the sentence that reads it."""
    st.markdown(f"## {_('Change the last word: which states move?')}")
    words = _fields(found)
    compared = [measured(one, word) for one, word in zip(found, words, strict=True)]
    for reason in dict.fromkeys(one for one in compared if isinstance(one, str)):
        st.info(reason)
    changes = [one for one in compared if isinstance(one, Change)]
    if not changes:
        return
    table = rows(changes)
    alt = _("How far the state of each token moves in each layer, a panel for each stack")
    show.show_chart(_picture(found[0].context.language), "families_moved", alt, data=table)
    st.markdown(told(changes, table))
    st.caption(
        _(
            "Change: distance between the two states by the length of the first. Layer 0 is the embedding. "
            "The colours end at 100 %. Up to {limit:g} of it is rounding, and counts as no move."
        ).format(limit=ROUNDING)
    )
    for change in changes:
        show.provenance(change.after)
    show.under_picture(
        "families_changed", frame=table, code=partial(_code, changes), picture="families_moved"
    )


def _fields(found: Sequence[Player]) -> list[str]:
    """The other last word of each player: one for the sentence, one for a text that differs from it."""
    texts = list(dict.fromkeys(one.context.text for one in found))
    written: dict[str, str] = {}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for text in texts:
            key = _key(text == texts[0])
            label = _("Instead of {word}").format(word=plain(with_last_word(text, "")[0] or "…"))
            typed = st.text_input(
                label, placeholder=other_word(text), max_chars=MAX_CHARS, width=260, **setting(key, "")
            )
            written[text] = typed.strip() or other_word(text)
    return [written[one.context.text] for one in found]


def measured(one: Player, word: str) -> Change | str:
    """Read both texts; a sentence where there is nothing to compare."""
    old, text = with_last_word(one.context.text, word)
    if text == one.context.text:
        return _("{word} stands there already: nothing can move.").format(word=strong(word))
    other = replace(one.context, text=text)
    first, second = one.tokens, compute.tokenize(other)
    limit, longest = settings().max_tokens_all_heads, max(len(first), len(second))
    if longest > limit:
        return f"{plain(one.context.model.name)}: {sentence(TooManyTokens(limit=limit, got=longest))}"
    answer = None if one.answer is None else one.answer.read_ids
    asked = [
        TraceRequest(
            one.context.model.model_id, capture=Capture(hidden_states="all"), input_ids=cut.input_ids,
            decoder_ids=answer,
        )
        for cut in (first, second)
    ]  # fmt: skip
    before, after = compute.traces_together(one.context, asked, topic=f"families_moved_{one.family}")
    pairs = aligned(first.input_ids, second.input_ids)
    return Change(one, old, word, first, second, before, after, pairs)


def rows(changes: Sequence[Change]) -> pd.DataFrame:
    """The change of every state of every stack."""
    tables = []
    for change in changes:
        stack = "source" if change.player.answer else change.player.family
        labels = pieces.labels(change.first)
        pairs, n_before = change.pairs.pairs, change.pairs.n_before
        places = ["before"] * n_before + ["changed"] * change.pairs.n_changed
        places += ["behind"] * (len(pairs) - len(places))
        names = [
            f"{labels[i]} → {pieces.labels(change.second)[j]}" if place == "changed" else labels[i]
            for (i, j), place in zip(pairs, places, strict=True)
        ]
        tables.append(frames.moved(stack, moved(*_states(change, "hidden_states"), pairs), names, places))
        if change.player.answer:
            read = change.player.answer.read_labels
            same = [(i, i) for i in range(len(read))]
            both = _states(change, "decoder_hidden_states")
            tables.append(frames.moved("target", moved(*both, same), read, ["before"] * len(read)))
    return pd.concat(tables, ignore_index=True)


def _states(change: Change, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return getattr(change.before, name), getattr(change.after, name)


def told(changes: Sequence[Change], table: pd.DataFrame) -> str:
    """Sentences on the states before the changed word: their number that moved, and the largest change."""
    found = frames.counts(table)
    words = [
        _("From {old} to {new}.").format(old=strong(old), new=strong(new))
        for old, new in dict.fromkeys((change.old, change.new) for change in changes)
    ]
    for stack, name in STACKS.items():
        if (one := found.get(stack)) is None:
            continue
        said = (
            _("**{stack}**: {moved} of {n} tokens of the answer move, by {most} at most.")
            if stack == "target"
            else _("**{stack}**: {moved} of {n} tokens before it move, by {most} at most.")
        )
        most = share(one.most, ".1%") if one.n_moved else f"{one.most:.1g}"
        words.append(said.format(stack=_(name), moved=one.n_moved, n=one.n, most=most))
    return " ".join(words)


def stillest(found: Sequence[Player]) -> str:
    """The stack whose first token moves least when the last word is what the panel's fields say."""
    texts = [one.context.text for one in found]
    changes = []
    for one in found:
        key = _key(one.context.text == texts[0])
        typed = str(st.session_state.get(key, "")).strip()
        change = measured(one, typed or other_word(one.context.text))
        changes += [change] if isinstance(change, Change) else []
    if not changes:
        return ""
    table = rows(changes)
    most = table[table["position"] == 0].groupby("stack", sort=False)["change"].max()
    return str(most.idxmin())


def _key(of_sentence: bool) -> str:
    return "fam_word" if of_sentence else "fam_source_word"


def _code(changes: Sequence[Change]) -> str:
    runs = [
        {
            "family": change.player.family,
            "folder": show.model_folder(change.player.context.model.model_id),
            "first": list(change.first.input_ids),
            "second": list(change.second.input_ids),
            "decoder_ids": list(change.player.answer.read_ids) if change.player.answer else [],
            "pairs": [list(pair) for pair in change.pairs.pairs],
        }
        for change in changes
    ]
    return show.code("families_changed", runs=runs)


@lru_cache
def _picture(language: str) -> dict[str, Any]:
    words = {
        "layer": _("Layer"), "token": _("Token"), "change": _("Change of the state"),
        "still": _("does not move"), **{stack: _(name) for stack, name in STACKS.items()},
    }  # fmt: skip
    return charts.moved(words)
