"""Home: one line from text to next token, drawn from the reader's own sentence."""

from __future__ import annotations

from functools import partial
from typing import Literal

import streamlit as st

from playground.core import journey
from playground.core.journey import Journey
from playground.core.pieces import labels, piece
from playground.core.tables import sampling as frames
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, course, next_characters, show
from playground.ui.components.journey import Scene, journey_picture, reading
from playground.ui.components.token_chips import token_chips
from playground.ui.frame import Drawn
from playground.ui.panels import Later
from playground.ui.state import PageContext, settings
from playground.ui.try_this import Task

CODE = {"decoder": "home", "encoder": "home_encoder", "encoder-decoder": "home_encoder_decoder"}


def draw(context: PageContext) -> Drawn:
    """The way of the sentence, its values, and the next characters where tokens are parts of them."""
    tokens = compute.tokenize(context)
    selected = token_chips(tokens)
    trace, limit = _trace(context, tokens), settings().max_tokens_all_heads
    read = journey.read(trace, tokens.special)
    next_tokens = compute.token_texts(context, read.next.token_ids) if read.next else ()
    scene = Scene(read, tokens, next_tokens, context.model, selected, limit, context.language)
    _draw(context, trace, scene)
    characters = _characters(context, trace, scene)
    course.draw()
    return _tasks(read, tokens), characters


def _trace(context: PageContext, tokens: Tokenization) -> Trace:
    model = context.model
    short = len(tokens) <= settings().max_tokens_all_heads and "attentions" in model.capabilities
    wanted: Literal["float32"] | None = "float32" if short else None
    if "logits" not in model.capabilities:
        return compute.trace(
            context, tokens.input_ids, Capture(hidden_states=(0, model.n_layer), attentions=wanted)
        )
    keys = next_characters.may_be_worth_it(context, tokens)
    capture = Capture(hidden_states=(0,), attentions=wanted, logits="last", query_key=keys)
    return compute.trace(context, tokens.input_ids, capture)


def _draw(context: PageContext, trace: Trace, scene: Scene) -> None:
    row = scene.journey.attention
    with st.container(key="journey_picture"):
        journey_picture(scene)
    st.markdown(reading(scene))
    show.provenance(trace, layer=row.layer + 1 if row else None, head=row.head + 1 if row else None)
    next_labels = [piece(token, b"").label for token in scene.next_tokens]
    show.under_picture(
        "journey",
        frame=partial(frames.journey, scene.journey, scene.tokenization, next_labels),
        code=partial(
            show.code,
            CODE[context.model.kind],
            folder=show.model_folder(context.model.model_id),
            text=context.text,
        ),
        picture="journey_picture",
    )


def _characters(context: PageContext, trace: Trace, scene: Scene) -> Later | None:
    """Their place, and what draws them, which takes more forward passes; None where they say no more."""
    place = st.container()
    if scene.journey.next is None:
        return None
    if not next_characters.are_worth_it(context, scene.tokenization, scene.next_tokens):
        return None

    def draw_characters() -> None:
        with place:
            next_characters.draw(context, trace)

    return draw_characters


def _tasks(read: Journey, tokens: Tokenization) -> list[Task]:
    tasks = [Task("count", "number", lambda: len(tokens))]
    if row := read.attention:
        shown, most = labels(tokens), str(row.most)
        lines = journey.rows(len(tokens), row.query, row.weights)
        choices = {
            str(line.start): f"{line.start + 1}: {shown[line.start]}" for line in lines if line.is_single
        }
        tasks.append(Task("look", "choice", lambda: most, choices))
    if read.next:
        surest = float(read.next.probs[0])
        tasks.append(Task("sure", "goal", lambda: surest > 0.9))
    return tasks
