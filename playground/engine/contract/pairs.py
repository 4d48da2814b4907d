"""The part of the engine contract about training networks on pairs of sequences, from nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.core.pairs.pair import Pair
from playground.core.pairs.sets import OWN, PAIR_SETS, pairs, vocabularies
from playground.core.pairs.vocabulary import Vocabulary
from playground.engine.contract.training import Observation, RunSettings, TrainingRequest
from playground.errors import BadUpload, BadValue, Message, UnknownCharacters

NetworkKind = Literal["rnn", "gru", "lstm", "transformer"]
AttentionKind = Literal["none", "dot", "additive"]
KINDS: tuple[NetworkKind, ...] = ("rnn", "gru", "lstm", "transformer")
ATTENTIONS: tuple[AttentionKind, ...] = ("none", "dot", "additive")
N_TRAIN, N_HELD_OUT = 6_000, 200  # pairs that are drawn of known data; the same for everybody
DATA_SEED = 0
MIN_OWN = 2


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Shape of an encoder and a decoder.

    Attributes:
        kind: Cell of both (one layer each), or a Transformer of two layers each with four heads.
        attention: "dot" as in Luong et al. 2015 (after the cell), "additive" as in Bahdanau et al. 2015
            (before the cell), "none": every step gets the encoder's last state (Cho et al. 2014). A
            Transformer has its own: there it is always "dot".
        d_hidden: Length of a state.
        d_embedding: Length of a character's embedding; in a Transformer it is `d_hidden`.
    """

    kind: NetworkKind = "gru"
    attention: AttentionKind = "additive"
    d_hidden: int = 128
    d_embedding: int = 64


@dataclass(frozen=True, slots=True)
class PairSettings(RunSettings):
    """Settings of a run that trains such a network from nothing.

    Attributes:
        network: Shape of the network.
        data: Id of its data (`core.pairs.sets.PAIR_SETS`), or "own".
        max_length: Longest source it is trained on, characters.
        teacher_forcing: Share of the decoder's inputs that are the true last character; the others are
            what the network itself would have written (Bengio et al. 2015, "Scheduled Sampling").
    """

    model: str = ""
    name: str = ""
    n_steps: int = 300
    learning_rate: float = 2e-3
    batch_size: int = 32
    keep_best: bool = False
    objective: str = "pairs"
    network: NetworkConfig = field(default_factory=NetworkConfig)
    data: str = "dates"
    max_length: int = 40
    teacher_forcing: float = 1.0


@dataclass(frozen=True, slots=True)
class PairExample:
    """A pair as ids of characters, without marks.

    Attributes:
        source, target: Ids; neither is empty.
    """

    source: tuple[int, ...]
    target: tuple[int, ...]

    @property
    def n_tokens(self) -> int:
        """Characters that are read, and the end of the target."""
        return len(self.source) + len(self.target) + 1

    @property
    def n_trained(self) -> int:
        """Characters of the target, and its end; 0 where a side is empty."""
        return len(self.target) + 1 if self.source and self.target else 0


@dataclass(frozen=True, slots=True)
class PairsRequest(TrainingRequest):
    """A run that trains such a network.

    Attributes:
        shown: The pair whose alignment is told at every milestone.
        source_characters, target_characters: Characters of ids 3 and up, of both sides.
    """

    settings: PairSettings
    train: tuple[PairExample, ...]
    held_out: tuple[PairExample, ...]
    general: tuple[PairExample, ...] = ()
    shown: PairExample = field(kw_only=True)
    source_characters: str = field(kw_only=True)
    target_characters: str = field(kw_only=True)


def pairs_request(
    settings: PairSettings, owner: str, *, shown: Pair | None = None, own: Sequence[Pair] = ()
) -> PairsRequest:
    """The request of a run on known data, or on a reader's own pairs (a tenth of them is held out).

    Args:
        settings: The settings; `data` names the data.
        owner: The session.
        shown: Pair whose alignment is told; None takes the first that is held out.
        own: The reader's pairs, where `data` is "own".

    Raises:
        BadUpload: A side of an own pair is empty.
        BadValue: There is no such data, none of it is that short, or there are too few own pairs.
        UnknownCharacters: The shown pair has characters that are not in the data.
    """
    if settings.data == OWN:
        pairs_of_both = split(own)
        source = Vocabulary.of(one.source for one in own)
        target = Vocabulary.of(one.target for one in own)
        train, held_out = (_examples(some, source, target) for some in pairs_of_both)
    else:
        pairs_of_both = drawn(settings.data, settings.max_length)
        source, target = vocabularies(settings.data)
        train, held_out = _known_examples(settings.data, settings.max_length)
    shown = shown or pairs_of_both[1][0]
    for vocabulary, text in ((source, shown.source), (target, shown.target)):
        if unknown := vocabulary.unknown(text):
            raise UnknownCharacters(characters=unknown, known=vocabulary.characters)
    return PairsRequest(
        settings,
        train,
        held_out,
        owner=owner,
        shown=_examples([shown], source, target)[0],
        source_characters=source.characters,
        target_characters=target.characters,
    )


def _examples(some: Sequence[Pair], source: Vocabulary, target: Vocabulary) -> tuple[PairExample, ...]:
    return tuple(PairExample(source.ids(one.source), target.ids(one.target)) for one in some)


@lru_cache(maxsize=8)
def _known_examples(data: str, max_length: int) -> tuple[tuple[PairExample, ...], tuple[PairExample, ...]]:
    """The examples of known data: a class that trains on the same ones holds them once."""
    both = vocabularies(data)
    train, held_out = drawn(data, max_length)
    return _examples(train, *both), _examples(held_out, *both)


def drawn(data: str, max_length: int) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """(pairs to train on, held-out pairs) of known data, the same for everybody.

    Raises:
        BadValue: There is no such data, or none of it is that short.
    """
    if data not in PAIR_SETS:
        raise BadValue(name="data", value=repr(data), allowed=", ".join((*PAIR_SETS, OWN)))
    shortest = PAIR_SETS[data].lengths[0]
    if max_length < shortest:
        raise BadValue(
            name="max_length", value=max_length, allowed=Message("{n} or more", (("n", shortest),))
        )
    train = pairs(data, N_TRAIN, DATA_SEED, max_length)
    return train, pairs(data, N_HELD_OUT, DATA_SEED, max_length, held_out=True)


def split(own: Sequence[Pair]) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """(pairs to train on, held-out pairs) of a reader's own: a tenth, by the hash of the source.

    Raises:
        BadUpload: A side is empty.
        BadValue: Too few different sources.
    """
    for row, pair in enumerate(own, 1):
        for side, name in (
            (pair.source, Message("the source is empty.")),
            (pair.target, Message("the target is empty.")),
        ):
            if not side.strip():
                raise BadUpload(row=row, reason=name)
    sources = sorted({one.source for one in own}, key=lambda one: hashlib.sha256(one.encode()).digest())
    if len(sources) < MIN_OWN:
        raise BadValue(name="pairs", value=len(sources), allowed=Message("2 or more different sources"))
    held_out = set(sources[: max(1, len(sources) // 10)])
    return (
        tuple(one for one in own if one.source not in held_out),
        tuple(one for one in own if one.source in held_out),
    )


@dataclass(frozen=True, slots=True)
class PairsObservation(Observation):
    """A network as it is at a milestone.

    Attributes:
        n_right, n_asked: Held-out pairs that it writes exactly, free running and greedy, of a fixed sample.
        written: Ids it would write for the shown pair at each step, if it reads the true target (the last
            one is after its end). Shape [step].
        weights: Attention of the shown pair's true target over its source; None without attention. Of a
            Transformer the mean of the last layer's heads. Shape [step, source].
    """

    n_right: int
    n_asked: int
    written: tuple[int, ...]
    weights: NDArray[np.float32] | None
