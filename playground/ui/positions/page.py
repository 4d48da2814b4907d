"""Positions: how a model that sees a set of vectors knows which word came first."""

from __future__ import annotations

from collections.abc import Mapping

from playground.ui import compute
from playground.ui.components.token_chips import token_chips
from playground.ui.frame import Drawn, has_sentence
from playground.ui.positions import far, schemes, word_order
from playground.ui.positions.roles import Roles, roles
from playground.ui.state import PageContext
from playground.ui.try_this import Task


def draw(context: PageContext) -> Drawn:
    """The schemes of position, then what they do to the reader's sentence."""
    if has_sentence(context):
        token_chips(compute.tokenize(context), height=118)
    schemes.waves(context.language)
    slope = Task("slope", "number", lambda: schemes.slope_of_head(3), tolerance=0.001)
    models = roles(context)
    if models is None:
        return [slope], None
    schemes.table(models.learned)
    schemes.clocks(models.rotary)
    schemes.distances(models.learned, models.rotary)
    moved = word_order.experiment(models.encoder, models.decoder)
    far.far(models.learned, models.rotary)
    turn = Task("turn", "number", lambda: schemes.turn_of_clock(models.rotary, 8), tolerance=1.0)
    return [turn, slope, *_order_task(models, moved)], None


def _order_task(models: Roles, moved: Mapping[str, float]) -> list[Task]:
    """The task on the case that moves the vectors least; none where nothing was shuffled."""
    if not moved:
        return []
    same = min(moved, key=moved.__getitem__)
    return [Task("same", "choice", lambda: same, word_order.options(models.encoder, models.decoder))]
