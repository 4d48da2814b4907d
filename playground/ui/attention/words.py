"""The words of the attention page: names of scores, and a plain sentence on the role of a head."""

from __future__ import annotations

import numpy as np

from playground.core.heads import EVEN, THRESHOLDS, HeadRole, HeadScores, Score, head_name, head_role
from playground.ui.text import N_, _, strong

SCORE_NAMES: dict[str, str] = {
    "previous_token": N_("Previous token"),
    "first_token": N_("First token"),
    "induction": N_("Induction"),
    "duplicate_token": N_("Same token"),
    "same_word": N_("Same word"),
    "entropy": N_("Entropy"),
    "distance": N_("Distance"),
    "link": N_("One link"),
}
_SCORES_TELL: dict[str, str] = {
    "previous_token": N_("mean weight on the token before"),
    "first_token": N_("mean weight on the first token"),
    "induction": N_("mean weight on what followed the same token earlier"),
    "duplicate_token": N_("mean weight on the same token earlier"),
    "same_word": N_("mean weight on other tokens of the same word"),
    "entropy": N_("mean entropy of a row in bits: 0 looks at one token, more spreads out"),
    "distance": N_("mean distance in tokens to what it looks at"),
    "link": N_("weight on the chosen token"),
}
_JOBS: dict[HeadRole, str] = {
    "induction": N_(
        "continues what it has seen: it puts {share:.0%} on what followed the same token earlier"
    ),
    "previous_token": N_("looks one token back: {share:.0%} of its weight is there"),
    "duplicate_token": N_("finds the same token earlier: it puts {share:.0%} there"),
    "same_word": N_("holds words together: {share:.0%} goes to other tokens of the same word"),
    "first_token": N_("rests on the first token: {share:.0%} of its weight is parked there"),
    "even": N_("spreads its weight almost evenly: {bits:.2f} bits of {most:.2f} possible"),
    "mixed": N_("has no single job on this text"),
}


def score_tells(name: str) -> str:
    """The meaning of a score, for the legend of its bars."""
    return _(_SCORES_TELL[name])


def head_sentence(scores: HeadScores, layer: int, head: int, n_keys: float) -> str:
    """A sentence on the role of one head on this text, with its number and the threshold that decided."""
    found = head_role(scores, layer, head, n_keys)
    score: Score | None = found if found in THRESHOLDS else None
    words = _(_JOBS[found]).format(
        share=float(scores[score][layer, head]) if score else 0.0,
        bits=float(scores["entropy"][layer, head]),
        most=float(np.log2(max(n_keys, 1.1))),
    )
    if score is not None:
        limit = _("threshold {threshold:.0%}").format(threshold=THRESHOLDS[score])
    elif found == "even":
        limit = _("threshold {threshold:.0%} of the possible entropy").format(threshold=EVEN)
    else:
        limit = _("no score reaches its threshold")
    told = _(
        "Head **{name}** (layer {layer} of {n_layer}, 0 is the embedding; head {head} of {n_head}) {words} "
        "({limit})."
    )
    n_layer, n_head = scores["entropy"].shape
    return told.format(
        name=head_name(layer, head), layer=layer + 1, n_layer=n_layer, head=head + 1, n_head=n_head,
        words=words, limit=limit,
    )  # fmt: skip


def link_sentence(query: str, key: str, weight: float) -> str:
    """A sentence on the strongest link of one token."""
    told = _("From {query}, most goes to {key}: {weight:.1%}.")
    return told.format(query=strong(query), key=strong(key), weight=weight)
