"""Inside: one sentence's way through the layers, read at every station."""

from playground.ui import compute, frame
from playground.ui.components.token_chips import token_chips
from playground.ui.inside import patching, ranks, residual, tasks, way
from playground.ui.inside.reading import read

# read
context = frame.page("inside", needs={"hidden_states"}, reads_text=True)
tokens = compute.tokenize(context)
selected = token_chips(tokens, height=118)

# ask
reading = read(context, tokens, selected)

# derive and draw
way.way(reading)
residual.stream(reading)
if reading.lens is not None:
    ranks.ranks(reading)
    residual.attribution(reading)
    patching.patching(reading)
frame.end_of_page(context, tasks.make(reading))
