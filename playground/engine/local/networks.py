"""The part of `LocalEngine` that knows networks trained on pairs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import cast

from playground.core.byte_cache import ByteCache
from playground.core.pairs.sets import PAIR_SETS, of_length
from playground.core.pairs.vocabulary import Vocabulary, normal
from playground.engine.contract.asked import Asked
from playground.engine.contract.limits import check_limits
from playground.engine.contract.networks import (
    CostRequest,
    ExactRequest,
    GradientRequest,
    InputGradients,
    LengthCount,
    NetworkInfo,
    StepCost,
    Unrolled,
    UnrollRequest,
)
from playground.engine.contract.pairs import PairExample
from playground.engine.contract.waiting import OnWait
from playground.engine.recurrent.threads import threads
from playground.engine.recurrent.trained import SHIPPED, NetworkTable, TrainedNetwork, shipped
from playground.engine.recurrent.unrolling import input_gradients, step_cost, unrolled
from playground.engine.recurrent.writing import n_right
from playground.engine.scheduling.jobs import Job
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.scheduling.waiting import Asking
from playground.errors import BadValue, EmptyText, Message, TextTooLong, UnknownCharacters
from playground.settings import Settings

Ids = tuple[int, ...]


@dataclass(frozen=True)
class _Work:
    """Payload of a job: one call on the engine's thread."""

    call: Callable[[], object]
    n_forwards: int = 1

    def run(self) -> object:
        """Compute, with one thread."""
        with threads(1):
            return self.call()


@dataclass(frozen=True, slots=True)
class _Count:
    """A count that is known, in the cache."""

    value: LengthCount
    size_bytes: int = 200


class LocalNetworks:
    """The `Networks` of this process.

    Args:
        settings: The limits.
        table: The networks.
        scheduler: The queue before the engine's thread.
    """

    def __init__(self, settings: Settings, table: NetworkTable, scheduler: Scheduler) -> None:
        self._settings, self._table, self._scheduler = settings, table, scheduler
        self._counts: ByteCache[_Count] = ByteCache(settings.network_cache_bytes)

    # ---- which there are

    def shipped(self) -> tuple[NetworkInfo, ...]:
        """The networks that come with the playground."""
        return tuple(shipped(name).info(name, is_shipped=True) for name in SHIPPED)

    def of(self, owner: str) -> list[NetworkInfo]:
        """The networks of a session, oldest first."""
        return [network.info(one) for one, network in self._table.owned.of(owner)]

    def info(self, network_id: str) -> NetworkInfo:
        """Facts about a network."""
        return self._table.get(network_id).info(network_id, is_shipped=network_id in SHIPPED)

    def belongs(self, network_id: str, owner: str) -> bool:
        """True if a session may use the network; it may from now on where all others have left."""
        return network_id in SHIPPED or self._table.owned.belongs(network_id, owner)

    def remove(self, network_id: str, owner: str) -> None:
        """Delete a network of this session."""
        self._table.owned.remove(network_id, owner)

    def exported(self, network_id: str) -> bytes:
        """A network as a safetensors file."""
        return self._table.get(network_id).file()

    # ---- what they answer

    def unroll(self, request: UnrollRequest, on_wait: OnWait | None = None) -> Unrolled:
        """All states over one source."""
        trained = self._table.get(request.model)
        source, target = self._ids(trained, request.source, request.target)
        check_limits({"n_beams": (request.n_beams, 1, self._settings.max_beams)})
        n_most = self._settings.max_pair_chars + 1
        key = ("unroll", request.model, source, target, request.n_beams)
        n_tokens = len(source) + len(target or source)
        with self._asking(request, on_wait, supersedes=True) as waiting:
            work = _Work(lambda: unrolled(trained.network, source, target, request.n_beams, n_most))
            return cast("Unrolled", waiting.result(Job("trace", key, key, n_tokens, work)))

    def gradients(self, request: GradientRequest, on_wait: OnWait | None = None) -> InputGradients:
        """Effect of each character of the source on one output."""
        trained = self._table.get(request.model)
        source, target = self._ids(trained, request.source, request.target)
        n_most = self._settings.max_pair_chars + 1
        if request.step is not None:
            check_limits({"step": (request.step, 0, n_most - 1)})
        key = ("gradients", request.model, source, target, request.step)
        with self._asking(request, on_wait, supersedes=True) as waiting:
            work = _Work(lambda: input_gradients(trained.network, source, target, request.step, n_most))
            return cast("InputGradients", waiting.result(Job("trace", key, key, 2 * len(source), work)))

    def exact(self, request: ExactRequest, on_wait: OnWait | None = None) -> Iterator[LengthCount]:
        """Exact match length by length, in their order."""
        trained = self._table.get(request.model)
        data = trained.settings.data
        if data not in PAIR_SETS:
            told = Message("data that the playground draws, not your own pairs")
            raise BadValue(name="data", value=data, allowed=told)
        self._check_lengths(request.lengths, self._settings.max_pair_chars)
        check_limits(
            {
                "n_each": (request.n_each, 1, self._settings.max_network_pairs),
                "seed": (request.seed, 0, 2**32 - 1),
            }
        )
        with self._asking(request, on_wait) as waiting:
            for length in request.lengths:
                key = ("exact", request.model, length, request.n_each, request.seed)
                known = self._counts.get(key)
                if known is None:
                    known = _Count(self._counted(trained, length, request, key, waiting))
                    self._counts.put(key, known)
                yield known.value

    def _counted(
        self, trained: TrainedNetwork, length: int, request: ExactRequest, key: Hashable, waiting: Asking
    ) -> LengthCount:
        source, target = Vocabulary(trained.source_characters), Vocabulary(trained.target_characters)
        pairs = of_length(trained.settings.data, length, request.n_each, request.seed)
        if not pairs:
            return LengthCount(length, 0, 0)
        asked = [PairExample(source.ids(one.source), target.ids(one.target)) for one in pairs]
        work = _Work(
            lambda: n_right(trained.network, asked), n_forwards=max(len(one.target) for one in asked)
        )
        n_tokens = sum(one.n_tokens for one in asked)
        right = cast("int", waiting.result(Job("score", key, key, n_tokens, work)))
        return LengthCount(length, right, len(asked))

    def costs(self, request: CostRequest, on_wait: OnWait | None = None) -> Iterator[StepCost]:
        """Cost of one more step length by length, measured now."""
        trained = self._table.get(request.model)
        self._check_lengths(request.lengths, self._settings.max_tokens)
        with self._asking(request, on_wait) as waiting:
            for length in request.lengths:
                key, work = ("cost", request.model, length), _Work(_costing(trained, length))
                yield cast("StepCost", waiting.result(Job("score", key, key, 2 * length, work)))

    # ---- checks

    def _ids(self, trained: TrainedNetwork, source: str, target: str | None) -> tuple[Ids, Ids | None]:
        """Ids of both texts.

        Raises:
            EmptyText, TextTooLong, UnknownCharacters.
        """
        if not source:
            raise EmptyText
        ids = self._known(trained.source_characters, source)
        return ids, None if target is None else self._known(trained.target_characters, target)

    def _known(self, characters: str, text: str) -> Ids:
        limit, vocabulary = self._settings.max_pair_chars, Vocabulary(characters)
        if len(normal(text)) > limit:
            raise TextTooLong(limit=limit, got=len(normal(text)))
        if unknown := vocabulary.unknown(text):
            raise UnknownCharacters(characters=unknown, known=characters)
        return vocabulary.ids(text)

    def _check_lengths(self, lengths: tuple[int, ...], longest: int) -> None:
        check_limits({"lengths": (len(lengths), 1, self._settings.max_network_lengths)})
        for length in lengths:
            check_limits({"length": (length, 1, longest)})

    def _asking(self, request: Asked, on_wait: OnWait | None, *, supersedes: bool = False) -> Asking:
        topic = request.topic if supersedes else None
        return Asking(self._scheduler, request, "trace", topic, self._settings, on_wait)


def _costing(trained: TrainedNetwork, length: int) -> Callable[[], StepCost]:
    return lambda: step_cost(trained.network, length)
