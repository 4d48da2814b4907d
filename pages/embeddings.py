"""Embeddings: from a token's number to a vector, and from a vector to a neighbourhood of meaning."""

from playground.ui import compute, embeddings, frame
from playground.ui.embeddings import tasks

# read
context = frame.page("embeddings", needs={"hidden_states"}, needs_text=False)
draw = embeddings.choose_view()

# ask
table = compute.embedding_table(context)

# derive and draw: the one picture chosen
draw(context, table)
frame.end_of_page(context, tasks.make(table))
