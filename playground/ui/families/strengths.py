"""Strengths and weaknesses as the lecture notes list them, each beside a number measured on this page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from playground.core.families import share_ahead
from playground.ui.families.judged import Judged
from playground.ui.families.maps import NAMES, Heads, ahead
from playground.ui.families.players import FAMILIES, Family, Player, one_map
from playground.ui.families.sources import knows_dates_only
from playground.ui.text import _, large, plain

EXAMPLES: dict[Family, str] = {"encoder": "BERT", "decoder": "GPT", "encoder-decoder": "T5, BART"}


class Claim(NamedTuple):
    """One row of the notes.

    Attributes:
        is_strength: True for a strength.
        words: The claim.
        measured: What this page measured of it, "" for nothing.
    """

    is_strength: bool
    words: str
    measured: str = ""


def table(found: Sequence[Player], heads: Heads, results: dict[Family, Judged]) -> None:
    """Draw the claims of each family.

    Args:
        found: The models that are in memory.
        heads: The heads shown above.
        results: What is known of the job that all do.
    """
    st.markdown(f"## {_('What each is good and bad at, and what was measured of it')}")
    players = {one.family: one for one in found}
    for column, family in zip(st.columns(len(FAMILIES), border=True), FAMILIES, strict=True):
        one = players.get(family)
        claims = _CLAIMS[family](one, heads, results) if one else []
        with column:
            st.markdown(f"**{_(NAMES[family])}** ({EXAMPLES[family]})" + "".join(map(_line, claims)))
    st.caption(
        _("Claims of the lecture notes; behind the arrow what this page measured, on these models alone.")
    )


def _line(claim: Claim) -> str:
    sign = "＋" if claim.is_strength else "－"
    measured = claim.measured or _("not measured here")
    return f"\n\n{sign} {claim.words}  \n→ {measured}"


def _of_encoder(one: Player, heads: Heads, results: dict[Family, Judged]) -> list[Claim]:
    n, model = len(one.trace.input_ids), one.context.model
    looks = _("it puts {share:.1%} of its weight on later tokens").format(share=ahead(one, heads["encoder"]))
    return [
        Claim(
            True, _("Looks both ways, so it understands texts better than a decoder."),
            _joined(looks, _job(results, "encoder")),
        ),
        Claim(
            True, _("Reads all tokens at once, so it is quick."),
            _("tokens read in one pass: {n}, in {ms:.0f} ms").format(n=n, ms=one.trace.elapsed_ms),
        ),
        Claim(
            True, _("Serves many tasks once a head is trained on it."),
            _head(results.get("encoder")),
        ),
        Claim(False, _("Not made to write."), _("vectors came out ({n}), and no word").format(n=n)),
        Claim(False, _("Its context is limited."), _context(one, model.n_ctx)),
    ]  # fmt: skip


def _of_decoder(one: Player, heads: Heads, results: dict[Family, Judged]) -> list[Claim]:
    looks = _("it puts {share:.1%} of its weight on later tokens").format(share=ahead(one, heads["decoder"]))
    return [
        Claim(
            True, _("Writes well."),
            _("one distribution over its vocabulary ({n:,}) came out, to draw the next token from").format(
                n=one.context.model.d_vocab
            ),
        ),
        Claim(True, _("Reads comparatively long contexts."), _context(one, one.context.model.n_ctx)),
        Claim(
            False, _("Looks one way only, so it understands texts less well."),
            _joined(looks, _job(results, "decoder")),
        ),
        Claim(
            False, _("Every task can be put as writing, which may be wasteful."),
            _per_item(results.get("decoder")),
        ),
    ]  # fmt: skip


def _of_both(one: Player, heads: Heads, results: dict[Family, Judged]) -> list[Claim]:
    assert one.answer is not None
    source = ahead(one, heads["encoder-decoder"])
    target = share_ahead(one_map(one.trace.decoder_attentions, heads["encoder-decoder"]))
    looks = _("{source:.1%} of the weight on later tokens in its encoder, {target:.1%} in its decoder")
    alone = knows_dates_only(one.context.model)
    job = _job(results, "encoder-decoder")
    able = _("it knows dates alone, so it could not do the job") if alone else job
    return [
        Claim(True, _("Writes and understands."), able),
        Claim(
            True, _("Its decoder uses what its encoder understood, looking both ways."),
            looks.format(source=source, target=target),
        ),
        Claim(
            False, _("Two stacks are more complex than one."),
            _("three attentions instead of one; parameters: {n}").format(
                n=large(one.context.model.n_parameters)
            ),
        ),
        Claim(False, _("Needs more data and computing to train.")),
    ]  # fmt: skip


_CLAIMS = {"encoder": _of_encoder, "decoder": _of_decoder, "encoder-decoder": _of_both}


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _context(one: Player, n_ctx: int) -> str:
    return _("most that {model} can read, in tokens: {n:,}").format(
        model=plain(one.context.model.name), n=n_ctx
    )


def _job(results: dict[Family, Judged], family: Family) -> str:
    """The number of reviews that it judged right, or the place to have that measured."""
    if (one := results.get(family)) is None:
        return _("reviews: measure it under *The same job*")
    told = _("{right} of {n} reviews judged right")
    return told.format(right=sum(one.right), n=len(one.right))


def _head(one: Judged | None) -> str:
    if one is None:
        return _("reviews: measure it under *The same job*")
    told = _("a head of {n:,} numbers, trained in {seconds:.1f} s, for one task")
    return told.format(n=one.n_trained, seconds=one.training_s)


def _per_item(one: Judged | None) -> str:
    if one is None:
        return _("reviews: measure it under *The same job*")
    told = _("{seconds:.2f} s for each review; parameters: {n}")
    return told.format(seconds=one.seconds / len(one.right), n=large(one.model.n_parameters))
