"""The objectives machine: from one text, what a model reads and what it is to answer, for every objective."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache, partial

import pandas as pd
import streamlit as st

from playground.charts import sampling as charts
from playground.core.objectives.sentence_pairs import sentences
from playground.core.tables import masked as frames
from playground.core.tables.masked import ExampleToken
from playground.ui import show, state
from playground.ui.choose import choose, choose_from_list
from playground.ui.components.example_rows import Kind, example_rows
from playground.ui.masked import more_examples
from playground.ui.masked.examples import Example, masking_example
from playground.ui.masked.view import View
from playground.ui.number import number_field
from playground.ui.roles import player
from playground.ui.text import N_, _
from playground.ui.translations import localized

_NAMES = {
    "mlm": N_("Masked tokens (BERT)"),
    "words": N_("Whole words (BERT, 2019)"),
    "next": N_("Next token (GPT)"),
    "spans": N_("Span corruption (T5)"),
    "boundary": N_("Span boundary (SpanBERT)"),
    "replaced": N_("Replaced tokens (ELECTRA)"),
    "nsp": N_("Next sentence (BERT)"),
    "sop": N_("Sentence order (ALBERT)"),
    "tlm": N_("Translation (XLM)"),
}
_QUESTIONS = {
    "mlm": N_("Which tokens stood here?"),
    "words": N_("Which words stood here?"),
    "next": N_("Which token comes next?"),
    "spans": N_("What does each sentinel stand for?"),
    "boundary": N_("What stands between these two tokens?"),
    "replaced": N_("Which tokens are not original?"),
    "nsp": N_("Does the second sentence follow the first?"),
    "sop": N_("Are the two sentences in order?"),
    "tlm": N_("Which tokens stood here, in two languages?"),
}
_NOBODY = {
    "spans": N_("No model here writes sentinels: the example alone."),
    "boundary": N_("No model here has a head for the border of spans: the example alone."),
    "replaced": N_("No model here detects replaced tokens: the example alone; its generator is real."),
    "nsp": N_("No model here has a head for the next sentence: the example alone."),
    "sop": N_("No model here has a head for the order of sentences: the example alone."),
}


def panel(view: View) -> None:
    """Draw the picker of the objective, its example, and the loss by position where a model can be asked."""
    st.markdown(f"## {_('How does a text without labels become a task?')}")
    objective_at, seed_at, source_at = st.columns([4, 2, 4], vertical_alignment="bottom")
    with objective_at:
        objective = choose_from_list(
            "mas_objective", {name: _(words) for name, words in _NAMES.items()}, _("Objective")
        )
    with seed_at:
        seed = number_field(_("Seed"), 0, 9_999, 0, key="mas_seed")
    with source_at:
        is_mine = choose("mas_source", {"ours": _("Our text"), "mine": _("My sentence")}, _("Text")) == "mine"
    text = view.asked.text if is_mine else passages(state.language())[0]
    st.markdown(f"**{_(_QUESTIONS[objective])}**")
    made = _made(view, objective, text, seed, is_mine)
    if made is not None:
        _draw(view, objective, made)


def _made(view: View, objective: str, text: str, seed: int, is_mine: bool) -> Example | None:
    """The example; None where there is none (says why)."""
    if objective == "tlm":
        st.caption(_("A parallel pair of ours: the seed chooses it."))
        return more_examples.translation_pair(view, seed)
    if objective in ("nsp", "sop"):
        return _pair(view, objective, text, seed)
    if objective == "next":
        decoder = player(view.asked, "decoder")
        return None if decoder is None else more_examples.next_token(decoder, text)
    if is_mine and not view.free and not view.typed:
        st.info(_("There is no token to mask in this text."))
        return None
    make: dict[str, Callable[[View, str, int], Example | None]] = {
        "mlm": partial(masking_example, whole_words=False),
        "words": partial(masking_example, whole_words=True),
        "spans": more_examples.span_corruption,
        "boundary": more_examples.span_boundary,
        "replaced": more_examples.replaced_tokens,
    }
    made = make[objective](view, text, seed)
    if made is None:
        st.info(_("The text has one token only: two are needed here."))
    return made


def _pair(view: View, objective: str, text: str, seed: int) -> Example:
    ours = passages(state.language())
    found = sentences(text)
    if len(found) < 2:
        st.caption(_("Your text has one sentence only, and two are needed: this is our text."))
        found = sentences(ours[0])
    others = [sentence for passage in ours[1:] for sentence in sentences(passage)]
    return more_examples.sentence_pair(view, found, others, seed, is_order=objective == "sop")


def _draw(view: View, objective: str, made: Example) -> None:
    legend: dict[Kind, str] = {
        "mask": _("masked"),
        "random": _("replaced by a random token"),
        "kept": _("left as it was, still to be said"),
        "sentinel": _("sentinel: stands for a span"),
        "true": _("true, original"),
        "false": _("false, replaced"),
        "frame": _("added by the tokenizer"),
    }
    example_rows(made.rows, legend, key="mas_example")
    st.markdown(made.told)
    losses = frames.scored(made.losses)
    if made.losses:
        words = {
            "token": _("Token"), "surprisal": _("Surprisal (bits)"), "model": _("Probability"),
            "rank": _("Rank"),
        }  # fmt: skip
        last = max(one.step for one in made.losses)
        chart = charts.surprisal_bars(words, steps=range(1, last + 1))
        show.show_chart(chart, "mas_losses", _("Loss of the model at each position"), data=losses)
        if made.asked is not None:
            show.source(made.asked)
    else:
        told = _NOBODY.get(objective, N_("The text is too long for the model: the example alone."))
        st.caption(_(told))
    show.under_picture(
        "objective", frame=losses if made.losses else _table(made), code=made.code,
        picture="mas_losses" if made.losses else None,
    )  # fmt: skip


def _table(made: Example) -> pd.DataFrame:
    return frames.example(
        [
            ExampleToken(row.title, step, piece.label, piece.kind, piece.below)
            for row in made.rows
            for step, piece in enumerate(row.pieces, 1)
        ]
    )


@lru_cache
def passages(language: str) -> list[str]:
    """Our own short texts; the first one is that of the machine."""
    found: list[str] = json.loads(localized(language, "samples", "passages.json").read_text("utf-8"))
    return found
