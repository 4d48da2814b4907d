"""A run from noise to words: what it writes, how one head forms, where the bytes lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from playground.charts import pretraining as charts
from playground.core import forming
from playground.core.forming import FixedMap
from playground.core.heads import head_name
from playground.core.tables import pretraining as frames
from playground.engine.contract.pretraining import PretrainingObservation
from playground.ui import show
from playground.ui.choose import choose_from_list
from playground.ui.components.weight_maps import WeightMap, weight_maps
from playground.ui.number import slider
from playground.ui.pretraining import code
from playground.ui.pretraining.seen import Seen
from playground.ui.text import _, ngettext, plain

if TYPE_CHECKING:
    import pandas as pd

MOST_MAPS = 6  # milestones whose attention is drawn
HIGH = 420  # pixels of the texts


def picture(seen: Seen) -> None:
    """Draw what the run wrote, its head and its bytes."""
    if seen.read.prompts and seen.samples:
        st.markdown(f"## {_('From noise to words')}")
        words(seen)
    if seen.observed:
        _forming(seen)


def words(seen: Seen, key: str = "pre_words") -> None:
    """Draw the continuations of each milestone, and the share of real words among them."""
    samples(seen)
    table = frames.word_shares({seen.name: seen.words_written})
    spec = charts.word_shares(
        {
            "step": _("Training step"), "share": _("Share of real words"),
            "low": _("95 % interval, lower end"), "high": _("95 % interval, upper end"),
            "n": _("Words written"), "series": _("Training run"),
        },
        (seen.name,), n_steps=seen.settings.n_steps,
    )  # fmt: skip
    alt = _("Share of written words that are words of the text, against the steps")
    show.show_chart(spec, f"{key}_picture", alt, data=table)
    st.markdown(share_reading(seen.words_written))
    if key == "pre_words":
        show.under_picture(
            "pre_words", frame=lambda: _samples_table(seen), code=lambda: code.words(seen),
            picture="pre_words_picture",
        )  # fmt: skip


def samples(seen: Seen) -> None:
    """Draw the continuations of the prompts, milestone by milestone."""
    with st.container(height=HIGH, border=True):
        for step in sorted({one.step for one in seen.samples}):
            lines = [f"**{_('step {step}').format(step=step)}**"]
            for one in seen.samples:
                if one.step == step and one.prompt < len(seen.read.prompts):
                    mark = " …" if one.status == "open" else ""
                    prompt = f":gray[{plain(visible(seen.read.prompts[one.prompt]))}]"
                    lines.append(f"{prompt}{plain(visible(one.text))}{mark}")
            st.markdown("  \n".join(lines))


def visible(text: str) -> str:
    """A written text on one line: line breaks and other control characters as signs."""
    shown = text.replace("\n", "↵")
    return "".join(one if one.isprintable() else "·" for one in shown)


def share_reading(counts: Sequence[tuple[int, int, int]]) -> str:
    """One sentence on the words written at the first and at the last milestone that has any."""
    counts = [one for one in counts if one[2]]
    if not counts:
        return _("It has not written a word yet.")
    step, n_words, n = counts[-1]
    told = ngettext(
        "After step {step}, {n_words} of the {n} word it wrote is a word of the text.",
        "After step {step}, {n_words} of the {n} words it wrote are words of the text.",
        n,
    )
    told = told.format(step=step, n_words=n_words, n=n)
    if len(counts) > 1:
        first = _("At step {step} it was {n_words} of {n}.")
        told += " " + first.format(step=counts[0][0], n_words=counts[0][1], n=counts[0][2])
    return told


def _samples_table(seen: Seen) -> pd.DataFrame:
    prompts = seen.read.prompts
    rows = [(one.step, prompts[one.prompt], one.text) for one in seen.samples if one.prompt < len(prompts)]
    return frames.samples({seen.name: rows})


@st.fragment
def _forming(seen: Seen) -> None:
    """The head and the bytes: only this part is drawn again when the milestone moves."""
    heads(seen, key="pre_head")
    st.markdown(f"## {_('Which bytes lie together?')}")
    steps = [one.step for one in seen.observed]
    step = slider(_("Step of the map"), steps, steps[-1], key=f"pre_map_{seen.run_id}")
    _bytes(seen, steps.index(int(step)))


def heads(seen: Seen, *, key: str) -> None:
    """Draw one head at milestones, and the sentence that reads it."""
    first, last = seen.observed[0].attention, seen.observed[-1].attention
    n_layers, n_heads = last.shape[:2]
    usual = forming.most_changed_head(first, last)
    every = [(layer, head) for layer in range(n_layers) for head in range(n_heads)]
    names = {f"{layer}.{head}": head_name(layer, head) for layer, head in [usual, *every]}
    st.markdown(f"## {_('A head forms')}")
    picked = choose_from_list(f"{key}_{seen.run_id}", names, _("Head (layer.head)"))
    layer, head = (int(part) for part in picked.split("."))
    maps = []
    for one in spread(seen.observed, MOST_MAPS):
        weights = np.asarray(one.attention[layer, head], np.float32)
        if weights.shape == (len(seen.read.tokens), len(seen.read.tokens)):
            title = _("step {step}").format(step=one.step)
            maps.append(WeightMap(title, "", seen.read.tokens, seen.read.tokens, weights))
    weight_maps(
        {_("head {name}").format(name=names[picked]): maps}, key=f"{key}_maps",
        hint=_(
            "Rows: the byte that looks; columns: the bytes it may look at. Point or tap for exact values."
        ),
    )  # fmt: skip
    st.markdown(_head_reading(seen, layer, head))


def _head_reading(seen: Seen, layer: int, head: int) -> str:
    before = [float(forming.weight_on_the_one_before(one.attention)[layer, head]) for one in seen.observed]
    told = _(
        "Head {name} puts {first:.1%} of its weight on the byte just before at step {begin}, {last:.1%} at "
        "step {end}."
    )
    return told.format(
        name=head_name(layer, head), first=before[0], last=before[-1], begin=seen.observed[0].step,
        end=seen.observed[-1].step,
    )  # fmt: skip


def spread(observed: Sequence[PretrainingObservation], most: int) -> Sequence[PretrainingObservation]:
    """At most so many of them, the first and the last too."""
    if len(observed) <= most:
        return observed
    return [observed[(len(observed) - 1) * i // (most - 1)] for i in range(most)]


def _bytes(seen: Seen, at: int) -> None:
    found = _map(seen)
    table = frames.byte_map(seen.read.mapped, found.points[at])
    spec = charts.byte_map(_words(found), extent=1.1 * found.extent)
    alt = _("Embeddings of the commonest bytes on two axes")
    show.show_chart(spec, "pre_bytes_picture", alt, data=table)
    told = _(
        "The {n} commonest bytes of the text, on the two directions in which they differ most at step "
        "{step}: {share:.1%} of the variance then. The axes stay the same at every step."
    )
    share = float(found.explained.sum())
    st.caption(told.format(n=len(table), step=seen.observed[-1].step, share=share))
    show.under_picture(
        "pre_bytes", frame=table, code=lambda: code.byte_map(seen, seen.observed[at].step),
        picture="pre_bytes_picture",
    )  # fmt: skip


@lru_cache(maxsize=8)
def _map(seen: Seen) -> FixedMap:
    return forming.fixed_map([np.asarray(one.embedding) for one in seen.observed])


def _words(found: FixedMap) -> Mapping[str, str]:
    first, second = (float(share) for share in found.explained)
    axis = _("direction {n}: {share:.1%} of the variance")
    return {
        "byte": _("Byte"),
        "kind": _("Kind"),
        "axis_x": axis.format(n=1, share=first),
        "axis_y": axis.format(n=2, share=second),
        "kind_vowel": _("small vowel"),
        "kind_consonant": _("small consonant"),
        "kind_capital": _("capital letter"),
        "kind_digit": _("digit"),
        "kind_sign": _("space or sign"),
        "kind_first": _("first byte of a character"),
        "kind_next": _("further byte of a character"),
    }
