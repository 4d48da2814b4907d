"""The only door from the pages to the engine: waits with a progress line, turns our errors into a sentence.

Everything a session asks for carries its owner id, so that closing the tab stops the work.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import Literal, ParamSpec, TypeVar
from uuid import uuid4

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core.embeddings import EmbeddingTable
from playground.core.interventions import Ablation, Intervention
from playground.core.positions import PositionScheme
from playground.core.residual import Lens, Unembedding
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.adapters import AdapterStore
from playground.engine.contract.engine import Engine
from playground.engine.contract.filling import Filled, FillRequest
from playground.engine.contract.inside import Ablated, AblationsRequest, LensRequest, Part
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.tokenizers import Tokenizers
from playground.engine.contract.traces import Capture, TraceManyRequest, TraceRequest
from playground.engine.contract.training import Training
from playground.engine.contract.vectors import TextRead, TracesRequest, Vectors
from playground.engine.process import shared_engine, start_shared_engine
from playground.errors import PlaygroundError, TextTooLong, Unsupported
from playground.ui.state import PageContext, connected, outlives_reload, settings
from playground.ui.text import sentence
from playground.ui.waiting import WaitingLine, stop_with

outlives_reload("owner_id")
Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def engine() -> Engine:
    """This process's engine; waits until its libraries are imported. For what waits by itself: `stepwise`."""
    return shared_engine()


def start_engine() -> None:
    """Begin to start this process's engine, if nobody has; returns at once."""
    start_shared_engine()


def running_engine() -> Engine | None:
    """This process's engine, or None while its libraries are being imported.

    Raises:
        PlaygroundError: It could not start.
    """
    try:
        return shared_engine(timeout_s=0)
    except TimeoutError:
        return None


def models() -> list[ModelInfo]:
    """The catalogue, in display order, with the state of each model; then this session's, from zero."""
    return [*engine().models(), *(one.model for one in engine().pretraining.of(owner()))]


def load(model_id: str) -> None:
    """Have a model brought and loaded in the background."""
    engine().load(model_id)


def stop_download(model_id: str) -> None:
    """Stop the download of a model."""
    engine().stop_download(model_id)


def tokenizers() -> Tokenizers:
    """Every tokenizer there is."""
    return engine().tokenizers


def vectors() -> Vectors:
    """Vectors of tokens and of texts."""
    return engine().vectors


def adapters() -> AdapterStore:
    """The adapters of all sessions."""
    return engine().adapters


def training() -> Training:
    """The part of the engine that trains."""
    return engine().training


def _stops(ask: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """The same function; an error of ours becomes its sentence and ends this run."""

    @wraps(ask)
    def asked(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        try:
            return ask(*args, **kwargs)
        except PlaygroundError as error:
            stop_with(error)

    return asked


def owner() -> str:
    """The id under which this session's requests run; the same after a lost connection."""
    owner_id: str = st.session_state.setdefault("owner_id", uuid4().hex)
    _hold(owner_id)
    return owner_id


def _release(owner_id: str) -> None:
    connected.discard(owner_id)
    with suppress(TimeoutError, PlaygroundError):  # no engine: nothing was asked of it
        shared_engine(timeout_s=0).cancel_owner(owner_id)


@st.cache_resource(scope="session", on_release=_release, show_spinner=False)
def _hold(owner_id: str) -> str:
    """Cached as long as the session is connected: its end releases the owner, its return calls it again."""
    connected.add(owner_id)
    with suppress(TimeoutError, PlaygroundError):
        shared_engine(timeout_s=0).owner_back(owner_id)
    return owner_id


@_stops
def tokenize(context: PageContext) -> Tokenization:
    """Cut the reader's text as the chosen model does; a sentence and the end of the run when it cannot."""
    return cut(context.model.model_id, context.text)


def cut(model_id: str, text: str) -> Tokenization:
    """Cut a text as a model reads it, with the marks that frame it.

    Raises:
        TextTooLong: The text is longer than a reader may type.
        ModelNotFound: The model is not here.
    """
    if len(text) > settings().max_text_chars:
        raise TextTooLong(limit=settings().max_text_chars, got=len(text))
    return tokenizers().tokenize(model_id, text, add_special_tokens=True)


def token_texts(context: PageContext, token_ids: NDArray[np.int64]) -> tuple[str, ...]:
    """Readable form of token ids of the chosen model."""
    return tokenizers().token_texts(context.model.model_id, token_ids)


def trace(
    context: PageContext,
    input_ids: tuple[int, ...],
    capture: Capture,
    *,
    position_ids: tuple[int, ...] | None = None,
    intervention: Intervention | None = None,
    after: Trace | None = None,
    decoder_text: str = "",
    decoder_ids: tuple[int, ...] | None = None,
    topic: str = "main",
) -> Trace:
    """One forward pass over a text that is cut already: waits with a progress line, stops with a sentence.

    Args:
        context: From `frame.page`.
        input_ids: Token ids of the text, from `tokenize`.
        capture: What is kept of the pass.
        position_ids: Where the tokens stand, if not one after another.
        intervention: Changes of this pass.
        after: A trace of the text's beginning, as in `TraceRequest`.
        decoder_text, decoder_ids: Target so far of an encoder-decoder, as in `TraceRequest`.
        topic: A newer trace of the same topic in this session replaces this one.
    """
    request = TraceRequest(
        context.model.model_id, capture=capture, input_ids=input_ids, position_ids=position_ids,
        decoder_text=decoder_text, decoder_ids=decoder_ids, intervention=intervention, after=after,
        owner=context.owner, topic=topic,
    )  # fmt: skip
    with WaitingLine(engine(), request) as line:
        result = engine().trace(request, line)
        if not result.cached:
            line.remember()
        return result


def traces_together(context: PageContext, requests: Sequence[TraceRequest], *, topic: str) -> list[Trace]:
    """Several forward passes of the context's model in one turn, with one line while they wait.

    Owner and topic are those of this call; a newer one of the same topic in this session replaces it.
    """
    request = TraceManyRequest(context.model.model_id, tuple(requests), owner=context.owner, topic=topic)
    with WaitingLine(engine(), request) as line:
        found = engine().trace_many(request, line)
        if not all(one.cached for one in found):
            line.remember()
        return found


@_stops
def embedding_table(context: PageContext) -> EmbeddingTable:
    """The input embedding matrix of the chosen model, shared by every session."""
    return vectors().embedding_table(context.model.model_id)


def traces(
    context: PageContext,
    model: str,
    texts: Sequence[str],
    *,
    hidden_states: Literal["all"] | tuple[int, ...],
    max_tokens: int = 0,
) -> Iterator[TextRead]:
    """Read many texts with one model, chunk by chunk; closing the iterator stops the model after a chunk.

    Args:
        context: From `frame.page`.
        model: Catalogue id; need not be the chosen one.
        texts: The texts to read.
        hidden_states, max_tokens: Values to capture and most tokens of a text, as in `TracesRequest`.

    Yields:
        (place in `texts`, its trace or why it cannot be read), in the order they are ready.
    """
    request = TracesRequest(model, tuple(texts), hidden_states, max_tokens, owner=context.owner)
    with WaitingLine(engine(), request) as line:
        for read in vectors().traces(request, line):
            line.clear()
            yield read


@_stops
def positions(context: PageContext) -> PositionScheme:
    """The position encoding of the model."""
    return engine().inside.positions(context.model.model_id)


def lens(context: PageContext, input_ids: tuple[int, ...], position: int, n_top: int) -> Lens:
    """The logit lens at one position: the model's answer if it stopped after each layer, with all logits."""
    request = LensRequest(
        context.model.model_id, input_ids=input_ids, position=position, n_top=n_top, owner=context.owner
    )
    with WaitingLine(engine(), request) as line:
        found = engine().inside.lens(request, line)
        line.remember()
        return found


def lens_of(
    context: PageContext,
    input_ids: tuple[int, ...],
    positions: Sequence[int] | None,
    *,
    known_only: bool = False,
) -> Lens:
    """The lens of several positions, None for all, waiting without a word: for a file, or for what is known.

    With `known_only` nothing is computed.

    Raises:
        PlaygroundError: As the engine raises it.
    """
    request = LensRequest(
        context.model.model_id, input_ids=input_ids, known_only=known_only, topic="lens_of",
        positions=None if positions is None else tuple(positions),
    )  # fmt: skip
    return engine().inside.lens(request)


def rest_of_lens(context: PageContext, input_ids: tuple[int, ...], positions: Sequence[int]) -> Lens:
    """The lens of positions beside the one that is seen already, as they are wanted; other readers go first.

    Raises:
        Clicked: The reader did something else meanwhile.
        PlaygroundError: As the engine raises it.
    """
    request = LensRequest(
        context.model.model_id, input_ids=input_ids, positions=tuple(positions), later=True,
        owner=context.owner,
    )  # fmt: skip
    with WaitingLine(engine(), request, ends_at_click=True, ends_run=False) as line:
        return engine().inside.lens(request, line)


def fill(context: PageContext, request: FillRequest) -> Filled:
    """The distributions over the vocabulary that a request asks for; the model need not be the chosen one."""
    request = replace(request, owner=context.owner)
    with WaitingLine(engine(), request) as line:
        found = engine().fill(request, line)
        line.remember()
        return found


def ablations(
    context: PageContext, ablation: Ablation, input_ids: tuple[int, ...] | None = None
) -> Generator[Ablated]:
    """Every head switched off alone, chunk by chunk; closing the iterator stops the model after a chunk.

    `ablation` says what replaces its output; `input_ids` are read instead of the text.
    """
    request = AblationsRequest(
        context.model.model_id, context.text, input_ids, ablation=ablation, owner=context.owner
    )
    with WaitingLine(engine(), request) as line:
        for part in engine().inside.ablations(request, line):
            line.clear()
            yield part


@_stops
def unembedding(context: PageContext, token_ids: tuple[int, ...]) -> Unembedding | None:
    """The final norm, and the head's rows of these tokens; None where a cap stands behind the head."""
    with suppress(Unsupported):
        return engine().inside.unembedding(context.model.model_id, token_ids)
    return None


@_stops
def head_output(context: PageContext, layer: int, head: int) -> NDArray[np.float32] | None:
    """The head's part of W_O, Shape [d_head, d_model]; None where a norm stands between."""
    with suppress(Unsupported):
        return engine().inside.head_output(context.model.model_id, layer, head)
    return None


@_stops
def parts(context: PageContext) -> tuple[Part, ...]:
    """The parts of the model, in the order a token meets them."""
    return engine().inside.parts(context.model.model_id)


def rejection(context: PageContext, input_ids: tuple[int, ...], position_ids: tuple[int, ...]) -> str | None:
    """The engine's error on reading these tokens at these positions; None if it can read them."""
    model = context.model.model_id
    try:
        engine().trace(TraceRequest(model, input_ids=input_ids, position_ids=position_ids))
    except PlaygroundError as error:
        return sentence(error)
    return None
