"""The part of the engine contract about training from zero: a tiny Transformer, random weights, own text.

Bytes are its vocabulary: token id = byte (0-255), marks from 256 on. A page uses it so:

1. `request = pretraining_request(PretrainingSettings(...), owner, text, fixed=..., prompts=...)` cuts the
   text (`core.pretraining.parts`, one rule for count models too) and refuses what cannot be. The lines to
   beat are `core.pretraining.count_bits(parts.train, parts.held_out)` -> {1, 2, 3: bits per byte}.
2. `engine.training.runs.start(request)`, then `runs.state(request.request_id, owner)` as for any run:
   `bits(loss)` of `state.train` and `state.held_out` (nats a byte, from step 0 on); `state.samples` are the
   prompts continued at milestones; `state.observed` are `PretrainingObservation`s (attention of every head on
   `request.fixed`, rows of the embedding, the fixed sentence with its gaps filled). Pause, stop, place in the
   line and time left are those of every run.
3. At its end `state.adapter` is a model id, "from-zero/<id>": a model of this session on every page (in the
   sidebar's list through `ui/adapters.py`), for `trace`, `generate`, `score`, `inside`, `vectors`, `fill`.
   `engine.pretraining.info(id)` tells of it; `of(owner)` lists those of a session, `remove` deletes one.

*Knowledge cutoff*: `before, after = core.pretraining.halves(text)`, `pretraining_request(..., before,
other=after)`: `state.general` is the loss on the other half at every milestone; afterwards
`engine.pretraining.bits(BitsRequest(model, (sentence, ...)))` gives the bits of every byte of any sentence.
*Transfer*: `engine.pretraining.body(BodyRequest(model, texts))` are the mean last hidden states of texts,
with `is_random=True` those of the same shape with the run's first, random weights; `core.transfer.curve` puts
a logistic head on both: accuracy against number of labels, with repeats.

Objectives are not alike in what they count: "next" every byte, "masked" the 15 % that were hidden, seen from
both sides, "span" the bytes of hidden spans and their marks. Only "next" can be held against count models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from playground.core.objectives.masking import n_predicted
from playground.core.objectives.span_corruption import MEAN_SPAN
from playground.core.pretraining import (
    MAX_HELD_OUT,
    ByteWindow,
    normal,
    parts,
    windows_to_hide,
    windows_to_learn,
    windows_to_measure,
)
from playground.engine.contract.asked import Asked
from playground.engine.contract.models import CatalogueEntry, ModelInfo
from playground.engine.contract.training import Observation, RunSettings, TrainingRequest
from playground.engine.contract.waiting import OnWait
from playground.errors import BadValue, EmptyText, TextTooShort, TooManyBytes

PretrainingObjective = Literal["next", "masked", "span"]
OBJECTIVES: tuple[PretrainingObjective, ...] = ("next", "masked", "span")
MAX_TEXT_BYTES = 200_000
MAX_FIXED_BYTES = 40  # of the sentence whose attention is told
N_MAPPED = 64  # rows of the embedding that are told: those of the commonest bytes
N_DRAWS = 4  # masks that are drawn in each window
N_SAMPLED = 96  # bytes that continue a prompt at a milestone
MODEL_PREFIX = "from-zero/"
START_ID = 256  # "<|endoftext|>", before every text of "next"


@dataclass(frozen=True, slots=True)
class PretrainingSettings(RunSettings):
    """Settings of a run that trains a Transformer from random weights.

    Attributes:
        learning_rate: The largest, after the warm-up.
        objective: "next" trains a Llama, "masked" a BERT, "span" a T5 (as many layers in each stack).
        data: Id of the text, only told: "en", "ko", or "own".
        n_layers, d_model, n_heads: Shape; the MLP is four times as wide.
        window: Bytes that are read at once.
        warm_up: Steps in which the learning rate grows from 0.
        decays: True lets it fall to a tenth along half a cosine after that.
    """

    model: str = ""
    name: str = ""
    n_steps: int = 300
    learning_rate: float = 3e-3
    batch_size: int = 16
    keep_best: bool = False
    objective: str = "next"
    data: str = "own"
    n_layers: int = 2
    d_model: int = 128
    n_heads: int = 4
    window: int = 128
    warm_up: int = 20
    decays: bool = True


@dataclass(frozen=True, slots=True)
class PretrainingRequest(TrainingRequest):
    """A run from zero. Made by `pretraining_request`.

    Attributes:
        general: Windows of another text, whose loss is told beside the held-out one.
        fixed: The sentence whose attention is told at milestones, at most `MAX_FIXED_BYTES`; not empty.
        mapped: Bytes whose embeddings are told, the commonest first.
    """

    settings: PretrainingSettings
    train: tuple[ByteWindow, ...]
    held_out: tuple[ByteWindow, ...]
    general: tuple[ByteWindow, ...] = ()
    fixed: bytes = field(kw_only=True)
    mapped: tuple[int, ...] = field(kw_only=True)


def pretraining_request(
    settings: PretrainingSettings,
    owner: str,
    text: str,
    *,
    fixed: str = "",
    prompts: Sequence[str] = (),
    other: str = "",
) -> PretrainingRequest:
    """The request of a run on a text.

    Args:
        settings: The settings.
        owner: The session.
        text: At most `MAX_TEXT_BYTES` in UTF-8, composed.
        fixed: Sentence whose attention is told; "" takes the text's own beginning.
        prompts: At most three beginnings that are continued at milestones; only of "next".
        other: A text whose loss is told beside the held-out one, of which the beginning counts.

    Raises:
        EmptyText: There is no text.
        TooManyBytes, TextTooShort: It is too long, or shorter than a window and what is held out.
        BadValue: The window cannot be.
    """
    data = normal(text).encode()
    if not data:
        raise EmptyText
    if len(data) > MAX_TEXT_BYTES:
        raise TooManyBytes(limit=MAX_TEXT_BYTES, got=len(data))
    size = settings.window
    if size < 8:
        raise BadValue(name="window", value=size, allowed="8-256")
    cut = parts(text)
    if len(cut.train) < size or not cut.held_out:
        raise TextTooShort(limit=-(-size * 10 // 9) + 4, got=len(data))
    is_next, told = settings.objective == "next", n_told(settings.objective, size)
    learned = windows_to_learn(cut.train, size, 1 if is_next else N_DRAWS, told)

    def measured(data: bytes) -> tuple[ByteWindow, ...]:
        before = cut.train[-size:]
        if is_next:
            return windows_to_measure(before, data, size)
        return windows_to_hide(before, data, size, told)

    counts = np.bincount(np.frombuffer(cut.train, np.uint8), minlength=256)
    common = np.argsort(-counts, kind="stable")[:N_MAPPED]
    return PretrainingRequest(
        settings,
        learned,
        measured(cut.held_out),
        measured(_beginning(other, MAX_HELD_OUT)),
        tuple((START_ID, *_beginning(one, size // 2)) for one in prompts if is_next),
        owner=owner,
        fixed=_beginning(fixed or text, min(MAX_FIXED_BYTES, size - 2)),
        mapped=tuple(int(one) for one in common if counts[one]),
    )


def n_told(objective: str, size: int) -> int:
    """Tokens of a window that a model is to tell: 0 stands for all bytes, as in `ByteWindow`.

    Example:
        >>> n_told("masked", 128), n_told("span", 128), n_told("next", 128)
        (19, 27, 0)
    """
    if objective == "next":
        return 0
    hidden = n_predicted(size)
    if objective == "masked":
        return hidden
    n_spans = min(max(round(hidden / MEAN_SPAN), 1), size - hidden)
    return hidden + n_spans + 2  # each span behind its mark, one more mark, and the end


def _beginning(text: str, n_bytes: int) -> bytes:
    """Bytes of the first characters of a text that fit."""
    return normal(text).encode()[:n_bytes].decode("utf-8", "ignore").encode()


@dataclass(frozen=True, slots=True)
class PretrainingObservation(Observation):
    """A model as it is at a milestone.

    Attributes:
        attention: Weights of every head on the request's `fixed`, of "span" those of the encoder; the tokens
            are the marks that frame a text and the bytes (`fixed_tokens`). Rows sum to 1.
            Shape [layer, head, query, key].
        embedding: Rows of the input embedding of the request's `mapped` bytes. Shape [byte, d_model].
        filled: Of "masked" the fixed sentence with every fourth byte hidden and filled by the model, "" else.
    """

    attention: NDArray[np.float16]
    embedding: NDArray[np.float16]
    filled: str = ""


@dataclass(frozen=True, slots=True)
class PretrainedInfo:
    """A finished model.

    Attributes:
        model_id: Id under which it is a model of every page.
        settings: Settings of its run.
        step, run: Steps it was trained, and number of its run in the session.
        n_parameters, size_bytes: Trained numbers, and memory they take.
        entry: As an entry of the list of models.
        model: Facts about it, with state "ready".
    """

    model_id: str
    settings: PretrainingSettings
    step: int
    run: int
    n_parameters: int
    size_bytes: int
    entry: CatalogueEntry
    model: ModelInfo


@dataclass(frozen=True, slots=True)
class BitsRequest(Asked):
    """A question for the surprisal of texts, byte by byte; `model` is one of "next".

    Attributes:
        texts: At most 32, together at most `MAX_TEXT_BYTES` / 10 bytes; none is empty.
    """

    texts: tuple[str, ...] = ()
    topic: str = field(default="pretraining_bits", kw_only=True)


@dataclass(frozen=True, slots=True)
class BodyRequest(Asked):
    """A question for the vectors of texts: the mean of the last hidden states over the bytes.

    Attributes:
        texts: At most 512, each read as far as the window goes; none is empty.
        is_random: True asks a model of the same shape with the first, random weights of its run.
    """

    texts: tuple[str, ...] = ()
    is_random: bool = False
    topic: str = field(default="pretraining_body", kw_only=True)


class Pretraining(Protocol):
    """The part of an engine that knows models trained from zero. They are trained by `training.runs`."""

    def of(self, owner: str) -> list[PretrainedInfo]:
        """The models of a session, oldest first."""
        ...

    def info(self, model_id: str) -> PretrainedInfo:
        """Facts about a model.

        Raises:
            AdapterGone: It is no longer here, or never was.
        """
        ...

    def belongs(self, model_id: str, owner: str) -> bool:
        """True if a session may use the model; it may from now on where all others have left."""
        ...

    def remove(self, model_id: str, owner: str) -> None:
        """Delete a model of this session."""
        ...

    def exported(self, model_id: str) -> bytes:
        """A model as a zip that transformers loads: config.json, model.safetensors, its tokenizer's files."""
        ...

    def bits(self, request: BitsRequest, on_wait: OnWait | None = None) -> list[NDArray[np.float32]]:
        """Surprisal of every byte of each text given those before it, bits. Shape of each [byte].

        Raises:
            Unsupported: It was not trained to tell the next byte.
            AdapterGone, InputError, BusyError.
        """
        ...

    def body(self, request: BodyRequest, on_wait: OnWait | None = None) -> NDArray[np.float32]:
        """Vectors of texts. Shape [text, d_model].

        Raises:
            AdapterGone, InputError, BusyError.
        """
        ...


def fixed_tokens(request: PretrainingRequest) -> tuple[str, ...]:
    """The tokens that an observation's attention is between, as they are shown."""
    shown = tuple(chr(one) if 32 <= one < 127 else f"<{one:02X}>" for one in request.fixed)
    framed = {"next": ("<|endoftext|>", *shown), "masked": ("[CLS]", *shown, "[SEP]")}
    return framed.get(request.settings.objective, (*shown, "</s>"))
