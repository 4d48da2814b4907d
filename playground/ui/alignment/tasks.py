"""Three tasks, solved by what the model gives."""

from __future__ import annotations

import math
from functools import partial

from playground.core.preferences.strengths import fit
from playground.errors import InputError
from playground.ui.alignment import pairs, reward, rewarded, strengths
from playground.ui.alignment.pairs import Shown
from playground.ui.alignment.reading import read
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.try_this import Task


def make(context: PageContext) -> list[Task]:
    """The tasks of the page."""
    sides = {"A": _("answer A"), "B": _("answer B")}
    return [
        Task("probable", "choice", partial(_more_probable, context), sides),
        Task("ahead", "number", partial(_ahead, context), tolerance=0.051),
        Task("feature", "choice", partial(_feature, context), reward.feature_names()),
    ]


def _more_probable(context: PageContext) -> float | str:
    """The answer of the first pair whose tokens are more probable on average."""
    found = pairs.pairs_of(context, *pairs.wanted())
    if not found:
        return math.nan
    try:
        known = read(context, Shown(found[0]))
    except InputError:
        return math.nan
    return "A" if known.first.mean > known.second.mean else "B"


def _ahead(context: PageContext) -> float:
    """Nats of odds by which the preferred side of a topic is ahead."""
    counted = strengths.count(context, pairs.pairs_of(context, *pairs.wanted()), "sides")
    if not counted.votes:
        return math.nan
    wins = counted.wins
    found = fit(wins.counts)
    best = strengths.most_different(wins, found)
    return math.nan if best is None else found.difference(*best)[0]


def _feature(context: PageContext) -> float | str:
    """The feature that the reward of the last reward model goes along with most."""
    run = rewarded.last_run(context)
    if run is None or run.last is None:
        return math.nan
    return reward.strongest(*reward.answers_of(run)) or math.nan
