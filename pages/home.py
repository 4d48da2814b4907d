"""Home: one line from text to next token, drawn from the reader's own sentence."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from playground.core import journey
from playground.core.pieces import labels, piece
from playground.core.tables import sampling as frames
from playground.engine.contract.traces import Capture
from playground.ui import compute, next_characters, show
from playground.ui.components.journey import Scene, journey_picture, reading
from playground.ui.components.token_chips import token_chips
from playground.ui.frame import end_of_page, page
from playground.ui.state import settings
from playground.ui.tasks import Task

CODE = {"decoder": "home", "encoder": "home_encoder", "encoder-decoder": "home_encoder_decoder"}

# read
context = page("home", needs={"hidden_states"}, reads_text=True)
model, limit = context.model, settings().max_tokens_all_heads
tokens = compute.tokenize(context)
selected = token_chips(tokens)

# ask
short = len(tokens) <= limit and "attentions" in model.capabilities
wanted_attentions: Literal["float32"] | None = "float32" if short else None
if "logits" in model.capabilities:
    trace = compute.trace(
        context,
        Capture(
            hidden_states=(0,),
            attentions=wanted_attentions,
            logits="last",
            query_key=next_characters.may_be_worth_it(context, tokens),
        ),
    )
else:
    trace = compute.trace(context, Capture(hidden_states=(0, model.n_layer), attentions=wanted_attentions))

# derive
read = journey.read(trace, tokens.special)
next_tokens = compute.token_texts(context, read.next.token_ids) if read.next else ()
row = read.attention
scene = Scene(read, tokens, next_tokens, model, selected, limit, context.language)

# draw
with st.container(key="journey_picture"):
    journey_picture(scene)
st.markdown(reading(scene))
show.provenance(trace, layer=row.layer + 1 if row else None, head=row.head + 1 if row else None)
show.under_picture(
    "journey",
    frame=frames.journey(read, tokens, [piece(token, b"").label for token in next_tokens]),
    code=show.code(CODE[model.kind], folder=show.model_folder(model.model_id), text=context.text),
    picture="journey_picture",
)
characters = st.container()


tasks = [Task("count", "number", lambda: len(tokens))]
if row:
    shown, most = labels(tokens), str(row.most)
    lines = journey.rows(len(tokens), row.query, row.weights)
    choices = {str(line.start): f"{line.start + 1}: {shown[line.start]}" for line in lines if line.single}
    tasks.append(Task("look", "choice", lambda: most, choices))
if read.next:
    surest = float(read.next.probs[0])
    tasks.append(Task("sure", "goal", lambda: surest > 0.9))
end_of_page(context, tasks)

# what takes more forward passes comes last
if read.next and next_characters.are_worth_it(context, tokens, next_tokens):
    with characters:
        next_characters.draw(context, trace)
