"""The three tasks of the page, checked against what its networks really do."""

from __future__ import annotations

import math

from playground.core import seq2seq
from playground.engine.contract.networks import NetworkInfo
from playground.errors import PlaygroundError
from playground.ui import networks
from playground.ui.seq2seq import choosing, lengths
from playground.ui.seq2seq.pictures import KEPT, Reading
from playground.ui.state import PageContext
from playground.ui.try_this import Task

HALF = 0.5
COMPARED = "reverse"


def make(context: PageContext, seen: Reading | None) -> list[Task]:
    """The tasks for what is on the screen."""
    without = [one for one in choosing.of_data(networks.known(context), COMPARED) if _forgets(one)]
    names = {one.network_id: networks.config_name(one.settings.network) for one in without}
    return [
        Task("order", "goal", lambda: _keeps_the_order(seen)),
        Task("length", "number", lambda: _falls_at(without)),
        Task("gradient", "choice", lambda: _vanishes_most(context, without), names),
    ]


def _forgets(info: NetworkInfo) -> bool:
    return info.is_shipped and info.settings.network.attention == "none"


def _keeps_the_order(seen: Reading | None) -> bool:
    if seen is None or seen.read.weights is None or seen.written != seen.target:
        return False
    return seen.info.settings.data.startswith("date") and (
        seq2seq.rank_correlation(seen.read.weights[:-1]) >= KEPT
    )


def _falls_at(without: list[NetworkInfo]) -> float:
    """The first length at which the GRU without attention writes less than half of the pairs exactly."""
    counts = [lengths.counts_of(one) for one in without if one.settings.network.kind == "gru"]
    fallen = [length for length, right, n in (counts[0] if counts else []) if right < HALF * n]
    return float(min(fallen)) if fallen else math.nan


def _vanishes_most(context: PageContext, without: list[NetworkInfo]) -> float | str:
    """The network whose first character moves the last output least, against its last character."""
    source = choosing.first_source(COMPARED)
    ratios = {}
    try:
        for one in without:
            norms = networks.gradients(context, one.network_id, source).norms
            ratios[one.network_id] = float(norms[0]) / max(float(norms[-1]), 1e-30)
    except PlaygroundError:
        return math.nan
    return min(ratios, key=ratios.__getitem__) if ratios else math.nan
