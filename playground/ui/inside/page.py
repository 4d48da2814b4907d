"""Inside: one sentence's way through the layers, read at every station."""

from __future__ import annotations

from playground.ui import compute
from playground.ui.components.token_chips import token_chips
from playground.ui.frame import Drawn
from playground.ui.inside import patching, ranks, residual, tasks, way
from playground.ui.inside.reading import read
from playground.ui.state import PageContext


def draw(context: PageContext) -> Drawn:
    """The tokens, their way, the stream; with a next token also ranks, attribution and patching."""
    tokens = compute.tokenize(context)
    selected = token_chips(tokens, height=118)
    reading = read(context, tokens, selected)
    way.way(reading)
    residual.stream(reading)
    if reading.lens is not None:
        ranks.ranks(reading)
        residual.attribution(reading)
        patching.patching(reading)
    return tasks.make(reading), None
