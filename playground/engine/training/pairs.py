"""The kind of training that makes a network from nothing: one sequence is turned into another."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.pairs.sets import OWN, PAIR_SETS
from playground.core.pairs.vocabulary import N_MARKS
from playground.engine.contract.limits import check_limits
from playground.engine.contract.pairs import ATTENTIONS, KINDS, PairExample, PairsRequest
from playground.engine.contract.training import TrainingRequest
from playground.engine.recurrent.building import empty_network
from playground.engine.recurrent.trained import NetworkTable, TrainedNetwork
from playground.engine.recurrent.transformer import N_HEADS
from playground.engine.training.learner import GiveWay, NewSlot, RunLimits, Sampled
from playground.engine.training.pair_learner import PairLearner, PairSlot
from playground.errors import BadValue, Message, TextTooLong
from playground.settings import Settings


class TrainingOnPairs:
    """Networks that learn to write the target of a source: cross entropy, nats per character and end.

    Args:
        settings: The limits.
        networks: Store of trained networks.
    """

    def __init__(self, settings: Settings, networks: NetworkTable) -> None:
        self._settings, self._networks = settings, networks

    @property
    def limits(self) -> RunLimits:
        """The most that a run may ask for; each network is trained alone, so nothing is fused."""
        most = self._settings
        n_tokens = 2 * most.max_pair_chars + 1
        return RunLimits(
            most.max_pair_steps, most.max_pair_batch, most.max_pairs,
            n_tokens, most.max_pair_tokens, most.max_pair_tokens * most.max_training_slots,
        )  # fmt: skip

    def prepare(self, request: TrainingRequest) -> NewSlot[PairSlot]:
        """Check a request."""
        assert isinstance(request, PairsRequest)
        check(request, self._settings)
        network = empty_network(
            request.settings.network, len(request.source_characters), len(request.target_characters)
        )
        size_bytes = sum(one.nbytes for one in network.parameters())
        return NewSlot(size_bytes, lambda: PairSlot(request))

    def check_room(self, owner: str, size_bytes: int, n_coming: int) -> None:
        """Refuse a run for whose network there is no room."""
        self._networks.owned.check_room(owner, size_bytes, n_coming)

    def learner(self, slots: Sequence[PairSlot], give_way: GiveWay) -> PairLearner:
        """Networks that are trained in turn."""
        return PairLearner(slots, give_way)

    def sample(self, request: TrainingRequest, slot: PairSlot, step: int, sampled: Sampled) -> None:
        """No prompts: what such a network writes is an observation."""
        for prompt in range(len(request.prompts)):
            sampled(prompt, "", "cut")

    def keep(self, snapshot: TrainedNetwork, owner: str) -> str:
        """Keep a network; gives its id."""
        return self._networks.owned.add(snapshot, owner)


def check(request: PairsRequest, settings: Settings) -> None:
    """Refuse a run whose network or pairs cannot be.

    Raises:
        BadValue: A setting is out of range, or NaN, or an id is not in the vocabulary.
        TextTooLong: A side has too many characters.
    """
    asked, shape = request.settings, request.settings.network
    check_limits(
        {
            "teacher_forcing": (asked.teacher_forcing, 0.0, 1.0),
            "d_hidden": (shape.d_hidden, 1, settings.max_hidden),
            "d_embedding": (shape.d_embedding, 1, settings.max_hidden),
        }
    )
    chosen = {
        "kind": (shape.kind, KINDS),
        "attention": (shape.attention, ATTENTIONS),
        "data": (asked.data, (*PAIR_SETS, OWN)),
    }
    for name, (value, allowed) in chosen.items():
        if value not in allowed:
            raise BadValue(name=name, value=repr(value), allowed=", ".join(allowed))
    if shape.kind == "transformer" and shape.d_hidden % (2 * N_HEADS):
        multiple = Message("a multiple of {n}", (("n", 2 * N_HEADS),))
        raise BadValue(name="d_hidden", value=shape.d_hidden, allowed=multiple)
    pairs = (*request.train, *request.held_out, *request.general, request.shown)
    _check_ids([one.source for one in pairs], len(request.source_characters), settings)
    _check_ids([one.target for one in pairs], len(request.target_characters), settings)
    if not isinstance(request.shown, PairExample) or not request.shown.n_trained:
        raise BadValue(name="shown", value="", allowed=Message("1 character or more"))


def _check_ids(sides: Sequence[tuple[int, ...]], n_characters: int, settings: Settings) -> None:
    longest = max(map(len, sides))
    if longest > settings.max_pair_chars:
        raise TextTooLong(limit=settings.max_pair_chars, got=longest)
    last = N_MARKS + n_characters - 1
    known = range(N_MARKS, last + 1)
    for side in sides:
        if not all(one in known for one in side):
            raise BadValue(name="ids", value=str(side[:8]), allowed=f"{N_MARKS}-{last}")
