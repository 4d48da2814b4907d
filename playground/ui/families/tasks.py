"""The tasks of the page Families, checked against the models' own maps and states."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core import pieces
from playground.ui.families.changed import STACKS, stillest
from playground.ui.families.maps import Heads
from playground.ui.families.players import Player, of_family
from playground.ui.families.writing import first_look
from playground.ui.text import _
from playground.ui.try_this import Task

N_OPTIONS = 6


def tasks(found: Sequence[Player], heads: Heads) -> list[Task]:
    """Count what the mask hides, find the stack that stands still, read a row of cross-attention."""
    made = []
    if decoder := of_family(found, "decoder"):
        made.append(Task("hidden", "number", lambda: int((~decoder.allowed).sum())))
    made.append(
        Task("still", "choice", lambda: stillest(found), {key: _(name) for key, name in STACKS.items()})
    )
    if both := of_family(found, "encoder-decoder"):
        head = heads[both.family]
        source = pieces.labels(both.tokens)
        best = first_look(both, head)
        places = sorted({best, *range(len(source))} if len(source) <= N_OPTIONS else _near(best, len(source)))
        options = {str(place): f"{place}: {source[place]}" for place in places}
        made.append(Task("looks", "choice", lambda: str(best), options))
    return made


def _near(best: int, n: int) -> set[int]:
    """The place, and others spread over the whole source."""
    return {best, *(round(part * (n - 1) / (N_OPTIONS - 1)) for part in range(N_OPTIONS))}
