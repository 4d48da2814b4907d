"""The reader's own answers behind a mask, compared; an answer may have several tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import streamlit as st

from playground.core import masked as core
from playground.core.masked import Filling
from playground.core.tables import masked as frames
from playground.core.tables.masked import CandidateScore
from playground.ui import compute, show
from playground.ui.choose import choose_from_list
from playground.ui.masked.view import View
from playground.ui.text import _, ngettext, strong
from playground.ui.url import setting

MOST, LONGEST = 8, 40  # answers, and characters of one


@dataclass(frozen=True, slots=True)
class _Instead:
    """An answer in the text.

    Attributes:
        ids: Token ids of the text, with masks where the answer stands.
        positions, token_ids: The answer's tokens.
    """

    ids: tuple[int, ...]
    positions: tuple[int, ...]
    token_ids: tuple[int, ...]


def panel(view: View) -> None:
    """Draw the field for answers and the probability of each."""
    st.markdown(f"## {_('Which of my answers fits best?')}")
    if not view.gaps:
        st.info(_("Mask a token above first."))
        return
    names = {str(at): f"{n}: {view.labels[at]}" for n, at in enumerate(view.gaps, 1)}
    gap = int(choose_from_list("mas_gap", names, _("Mask"))) if len(names) > 1 else view.gaps[0]
    typed = st.text_input(
        _("Answers, separated by commas"), max_chars=MOST * LONGEST, **setting("mas_words", "")
    )
    wanted = list(dict.fromkeys(one.strip()[:LONGEST] for one in re.split("[,，、\n]", typed) if one.strip()))
    if len(wanted) > MOST:
        told = _("{got} answers: the first {limit} are compared.")
        st.caption(told.format(got=len(wanted), limit=MOST))
    if not wanted:
        wanted = _examples(view, gap)
        told = _("Type your own answers; here are the model's first ones.")
        if gap in view.masked:
            told = _("Type your own answers; here are the model's first ones and what stood there.")
        st.caption(told)
    _compare(view, gap, wanted[:MOST])


def _examples(view: View, gap: int) -> list[str]:
    """The model's first answers as words, and what stood there."""
    filled = view.fill(view.ids())
    at = int(np.flatnonzero(filled.positions == gap)[0])
    start, stop = view.tokens.offsets[gap]
    texts = compute.tokenizers().token_texts(view.model_id, filled.top_ids[at, :3].tolist())
    own = [view.tokens.text[start:stop]] if gap in view.masked else []
    words = [text.strip().removeprefix("##").lstrip("▁") for text in [*texts, *own]]
    return list(dict.fromkeys(word for word in words if word))


def _compare(view: View, gap: int, wanted: list[str]) -> None:
    rows, refused, shown_ids = [], [], {}
    for words in wanted:
        instead = _instead(view, gap, words)
        if instead is None:
            refused.append(words)
            continue
        logprobs = core.chain(instead.ids, instead.positions, instead.token_ids, view.ask)
        filling = Filling(instead.positions, instead.token_ids, logprobs)
        names = " ".join(view.names(list(instead.token_ids)))
        rows.append(CandidateScore(words, names, len(logprobs), filling.bits, 2.0**-filling.bits))
        shown_ids[words] = (list(instead.ids), dict(zip(instead.positions, instead.token_ids, strict=True)))
    if refused:
        told = _(
            "Not comparable here: {words}. The model has no tokens for it, or it melts into one beside it."
        )
        st.warning(told.format(words=", ".join(strong(one) for one in refused)))
    if not rows:
        return
    table = frames.candidates(rows)
    columns = {
        "candidate": _("Answer"), "tokens": _("Tokens"), "n_tokens": _("Number of tokens"),
        "bits": _("Surprisal (bits)"), "probability": _("Probability"),
    }  # fmt: skip
    shown = table.rename(columns=columns).round({_("Surprisal (bits)"): 2})
    st.dataframe(
        shown, hide_index=True, key="mas_candidates",
        column_config={_("Probability"): st.column_config.NumberColumn(format="%.3g")},
    )  # fmt: skip
    best = table.iloc[0]
    told = _("The one answer, {best}, costs {bits:.2f} bits.")
    if len(table) > 1:
        told = ngettext(
            "{best} fits best: {bits:.2f} bits, {more:.2f} less than {second}.",
            "{best} fits best: {bits:.2f} bits, {more:.2f} less than {second}, the next of {n}.",
            len(table) - 1,
        )
    second = table.iloc[min(1, len(table) - 1)]
    words = told.format(
        best=strong(best["candidate"]), bits=best["bits"], second=strong(second["candidate"]),
        more=second["bits"] - best["bits"], n=len(table),
    )  # fmt: skip
    if table["n_tokens"].nunique() > 1:
        words += " " + _(
            "Mind the number of tokens: each probability is among answers of as many tokens, and the model "
            "is told that number by the masks."
        )
    st.markdown(words)
    show.source(view.context.model)
    code = show.code("gap_candidates", **view.read_from, candidates=shown_ids)
    show.under_picture("gap_candidates", frame=table, code=code)


def _instead(view: View, gap: int, words: str) -> _Instead | None:
    """The text with these words where a token stood; None where they cannot stand there."""
    text, (start, stop) = view.tokens.text, view.tokens.offsets[gap]
    start += len(text[start:stop]) - len(text[start:stop].lstrip())
    if not words.strip() or view.mask_label in words:
        return None
    tokenizers = compute.tokenizers()
    after = tokenizers.tokenize_masked(view.model_id, text[:start] + words + text[stop:])
    found = core.tokens_instead(view.tokens, gap, after)
    if found is None or set(found[1]) & tokenizers.info(view.model_id).special_ids:
        return None
    positions, token_ids = found
    moved = len(positions) - 1
    others = (at if at < gap else at + moved for at in view.gaps if at != gap)
    return _Instead(
        core.with_masks(after.input_ids, (*positions, *others), view.mask_id), positions, token_ids
    )
