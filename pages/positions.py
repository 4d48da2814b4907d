"""Positions: how a model that sees a set of vectors knows which word came first."""

from playground.ui import compute, frame
from playground.ui.components.token_chips import token_chips
from playground.ui.positions import far as far_positions
from playground.ui.positions import schemes as positions
from playground.ui.positions import word_order
from playground.ui.positions.roles import roles
from playground.ui.tasks import Task

context = frame.page("positions", reads_text=True, needs_text=False)
if frame.has_sentence(context):
    token_chips(compute.tokenize(context), height=118)
positions.waves(context.language)

tasks = [Task("slope", "number", lambda: positions.slope_of_head(3), tolerance=0.001)]
models = roles(context)
if models is not None:
    rotary = models.rotary
    positions.table(models.learned)
    positions.clocks(rotary)
    positions.distances(models.learned, rotary)
    moved = word_order.experiment(models.encoder, models.decoder)
    far_positions.far(models.learned, rotary)
    tasks.insert(0, Task("turn", "number", lambda: positions.turn_of_clock(rotary, 8), tolerance=1.0))
    if moved:
        same = min(moved, key=moved.__getitem__)
        options = word_order.options(models.encoder, models.decoder)
        tasks.append(Task("same", "choice", lambda: same, options))
frame.end_of_page(context, tasks)
