"""The part of `LocalEngine` that knows models trained from zero."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from playground.core.pretraining import ByteWindow, normal, windows_to_measure
from playground.engine.contract.asked import Asked
from playground.engine.contract.pretraining import MAX_TEXT_BYTES, BitsRequest, BodyRequest, PretrainedInfo
from playground.engine.contract.waiting import OnWait
from playground.engine.local.ask import Backend
from playground.engine.models.loaded import LoadedModel
from playground.engine.pretraining.bytes import batch_of
from playground.engine.pretraining.trained import PretrainedModel, PretrainedTable, of_file
from playground.engine.recurrent.threads import threads
from playground.errors import BadValue, EmptyText, Message, TooManyBytes, Unsupported

MAX_BITS_TEXTS, MAX_BODY_TEXTS = 32, 512
MAX_BITS_BYTES = MAX_TEXT_BYTES // 10
N_ROWS = 16  # of one forward


@dataclass(frozen=True)
class _Work:
    """Payload of a job: one call on the engine's thread."""

    call: Callable[[], object]
    n_forwards: int = 1

    def run(self) -> object:
        """Compute, with one thread."""
        with threads(1), torch.no_grad():
            return self.call()


class LocalPretraining:
    """The `Pretraining` of this process.

    Args:
        backend: Asks the models.
        table: The models.
    """

    def __init__(self, backend: Backend, table: PretrainedTable) -> None:
        self._backend, self._table = backend, table

    # ---- which there are

    def of(self, owner: str) -> list[PretrainedInfo]:
        """The models of a session, oldest first."""
        return [model.info(self._table.id_of(one)) for one, model in self._table.owned.of(owner)]

    def info(self, model_id: str) -> PretrainedInfo:
        """Facts about a model."""
        return self._table.get(model_id).info(model_id)

    def belongs(self, model_id: str, owner: str) -> bool:
        """True if a session may use the model; it may from now on where all others have left."""
        return self._table.owned.belongs(self._table.key_of(model_id), owner)

    def remove(self, model_id: str, owner: str) -> None:
        """Delete a model of this session."""
        self._table.owned.remove(self._table.key_of(model_id), owner)

    def exported(self, model_id: str) -> bytes:
        """A model as a zip that transformers loads."""
        return self._table.get(model_id).folder_as_zip()

    # ---- between processes

    def sent(self, model_id: str) -> tuple[bytes, tuple[str, ...]]:
        """A model as bytes, and the sessions it belongs to."""
        return self._table.get(model_id).file(), self._table.owned.owners(self._table.key_of(model_id))

    def adopt(self, model_id: str, data: bytes, owners: Sequence[str]) -> None:
        """Take in a model that was trained in another process, under its id there."""
        self._table.owned.adopt(self._table.key_of(model_id), of_file(data), owners)

    # ---- what they answer

    def bits(self, request: BitsRequest, on_wait: OnWait | None = None) -> list[NDArray[np.float32]]:
        """Surprisal of every byte of each text, bits. Shape of each [byte]."""
        model = self._table.get(request.model)
        if model.settings.objective != "next":
            raise Unsupported(model_id=request.model, capability=Message("the bits of every byte"))
        texts = _bytes_of(request.texts, MAX_BITS_TEXTS)
        n_bytes = sum(map(len, texts))
        if n_bytes > MAX_BITS_BYTES:
            raise TooManyBytes(limit=MAX_BITS_BYTES, got=n_bytes)
        return cast(
            "list[NDArray[np.float32]]",
            self._asked(request, on_wait, n_bytes, lambda loaded: _bits(loaded, model, texts)),
        )

    def body(self, request: BodyRequest, on_wait: OnWait | None = None) -> NDArray[np.float32]:
        """Vectors of texts: the mean of the last hidden states over the bytes. Shape [text, d_model]."""
        model = self._table.get(request.model)
        texts = [one[: model.settings.window - 2] for one in _bytes_of(request.texts, MAX_BODY_TEXTS)]
        asked = model.as_random() if request.is_random else model
        return cast(
            "NDArray[np.float32]",
            self._asked(request, on_wait, sum(map(len, texts)), lambda _loaded: vectors_of(asked, texts)),
        )

    def _asked(
        self, request: Asked, on_wait: OnWait | None, n_tokens: int, call: Callable[[LoadedModel], object]
    ) -> object:
        with self._backend.ask(request, "trace", on_wait, supersedes=True) as ask:
            return ask.compute(_Work(lambda: call(ask.loaded)), n_tokens)


def _bytes_of(texts: Sequence[str], most: int) -> list[bytes]:
    if not 0 < len(texts) <= most:
        raise BadValue(name="texts", value=len(texts), allowed=f"1-{most}")
    found = [normal(one).encode() for one in texts]
    if not all(found):
        raise EmptyText
    return found


def _bits(loaded: LoadedModel, model: PretrainedModel, texts: Sequence[bytes]) -> list[NDArray[np.float32]]:
    """Surprisal of each byte, bits; windows as where a run measures what is held out."""
    found = []
    for text in texts:
        parts: list[NDArray[np.float32]] = []
        for window in windows_to_measure(b"", text, model.settings.window):
            told = _surprisals(loaded.model, window)
            parts.append(told[window.n_context :])
        found.append(np.concatenate(parts))
    return found


def _surprisals(model: Any, window: ByteWindow) -> NDArray[np.float32]:  # noqa: ANN401
    batch = batch_of("next", [ByteWindow(window.data)])
    nats = cross_entropy(model(input_ids=batch.input_ids).logits[0], batch.targets[0], reduction="none")
    bits: NDArray[np.float32] = nats.div(math.log(2)).numpy()
    return bits


def vectors_of(model: PretrainedModel, texts: Sequence[bytes]) -> NDArray[np.float32]:
    """Means of the last hidden states over the bytes, of two stacks the encoder's. Shape [text, d_model]."""
    library, objective = model.library_model(is_traced=False), model.settings.objective
    body = library.base_model if objective != "span" else library.get_encoder()
    found: list[Any] = [None] * len(texts)
    for length in sorted(set(map(len, texts))):
        places = [place for place, text in enumerate(texts) if len(text) == length]
        for start in range(0, len(places), N_ROWS):
            some = places[start : start + N_ROWS]
            data = torch.tensor([list(texts[place]) for place in some])
            ids, first = _framed(objective, data)
            states = body(input_ids=ids).last_hidden_state[:, first : first + length].mean(1)
            for place, vector in zip(some, states.numpy(), strict=True):
                found[place] = vector
    return np.stack(found).astype(np.float32)


def _framed(objective: str, data: torch.Tensor) -> tuple[torch.Tensor, int]:
    """Texts with their marks, and the place of the first byte. Shape [text, position]."""

    def column(token: int) -> torch.Tensor:
        return torch.full((len(data), 1), token)

    if objective == "next":
        return torch.cat([column(256), data], dim=1), 1
    if objective == "masked":
        return torch.cat([column(257), data, column(258)], dim=1), 1
    return torch.cat([data, column(257)], dim=1), 0
