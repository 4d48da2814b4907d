"""The part of the engine contract about trained networks: what they can be asked, what they answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from playground.core.pairs.vocabulary import Vocabulary
from playground.engine.contract.asked import Asked
from playground.engine.contract.pairs import PairSettings
from playground.engine.contract.waiting import OnWait

N_TOP = 5  # outputs that are told of each step


@dataclass(frozen=True, slots=True)
class LengthCount:
    """Exact matches among held-out pairs whose source has one length.

    Attributes:
        length: Characters of the source.
        n_right, n_asked: Pairs written exactly, free running and greedy, and all that were asked.
    """

    length: int
    n_right: int
    n_asked: int


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """A trained network that can be asked.

    Attributes:
        network_id: Id by which the engine uses it.
        settings: Settings of its run.
        step: Steps it was trained.
        run: Number of its run in the session, 0 for one that comes with the playground.
        n_parameters, size_bytes: Trained numbers, and memory they take.
        source_characters, target_characters: Characters it knows, in the order of their ids from 3 on.
        is_shipped: True if it comes with the playground; such a one belongs to nobody and stays.
        exact: Exact match by length, measured when it was made; only of one that comes with the playground.
    """

    network_id: str
    settings: PairSettings
    step: int
    run: int
    n_parameters: int
    size_bytes: int
    source_characters: str
    target_characters: str
    is_shipped: bool = False
    exact: tuple[LengthCount, ...] = ()

    @property
    def source(self) -> Vocabulary:
        """Ids of what it reads."""
        return Vocabulary(self.source_characters)

    @property
    def target(self) -> Vocabulary:
        """Ids of what it writes."""
        return Vocabulary(self.target_characters)


@dataclass(frozen=True, slots=True)
class UnrollRequest(Asked):
    """A request for everything that a network computes while it turns a source into a target.

    Attributes:
        model: Id of the network.
        source: Text to read.
        target: Teacher forcing: the text that the decoder reads, whatever it would write itself. None: free
            running, it reads what it wrote.
        n_beams: Beams of a free-running search; 1 is greedy.
    """

    source: str = ""
    target: str | None = None
    n_beams: int = 1
    topic: str = field(default="unroll", kw_only=True)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One text of a beam search.

    Attributes:
        ids: Ids as they were written, the end too where it ended.
        logprob: Their log-probability, nats.
        is_whole: True if it ended by itself.
    """

    ids: tuple[int, ...]
    logprob: float
    is_whole: bool


@dataclass(frozen=True, slots=True, eq=False)
class TransformerMaps:
    """The three attentions of a Transformer; rows sum to 1.

    Attributes:
        encoder: Source over source. Shape [layer, head, source, source].
        decoder: Decoder inputs over decoder inputs, none later. Shape [layer, head, step, step].
        cross: Decoder inputs over source. Shape [layer, head, step, source].
    """

    encoder: NDArray[np.float32]
    decoder: NDArray[np.float32]
    cross: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Unrolled:
    """All states of a network over one source, and of each step of its decoder.

    Attributes:
        source_ids: Ids of the source. Shape [source].
        input_ids: Ids that the decoder read, the start first. Shape [step].
        output_ids: The most probable id of each step; of a beam search what the best beam wrote. 2 is the
            end. Shape [step].
        is_whole: True if it ended by itself, False if it was stopped at the longest target that is allowed.
        encoder_states: State after each character; of a Transformer the encoder's output.
            Shape [source, d_hidden].
        encoder_cells: The second state of an LSTM after each character, else None. Shape [source, d_hidden].
        decoder_states: State after each step; of a Transformer its last layer's output.
            Shape [step, d_hidden].
        decoder_cells: The second state of an LSTM, else None. Shape [step, d_hidden].
        contexts: Context vector of each step: the mix of encoder states, without attention the last one of
            them each time; None of a Transformer. Shape [step, d_hidden].
        scores: How well each source state fits, before the softmax; None without attention and of a
            Transformer. Shape [step, source].
        weights: Softmax of the scores; of a Transformer the mean of the last layer's heads; None without
            attention. Shape [step, source].
        top_ids, top_probs: The most probable outputs of each step, best first. Shape [step, N_TOP].
        output_probs: Probability of `output_ids`. Shape [step].
        beams: The beams at the end, best first; empty unless they were asked for.
        maps: All maps of a Transformer, else None.
    """

    source_ids: NDArray[np.int64]
    input_ids: NDArray[np.int64]
    output_ids: NDArray[np.int64]
    is_whole: bool
    encoder_states: NDArray[np.float32]
    encoder_cells: NDArray[np.float32] | None
    decoder_states: NDArray[np.float32]
    decoder_cells: NDArray[np.float32] | None
    contexts: NDArray[np.float32] | None
    scores: NDArray[np.float32] | None
    weights: NDArray[np.float32] | None
    top_ids: NDArray[np.int64]
    top_probs: NDArray[np.float32]
    output_probs: NDArray[np.float32]
    beams: tuple[Hypothesis, ...] = ()
    maps: TransformerMaps | None = None


@dataclass(frozen=True, slots=True)
class GradientRequest(Asked):
    """A request for how much each character of the source still moves one output.

    Attributes:
        model: Id of the network.
        source, target: As in `UnrollRequest`.
        step: Step of the decoder, from 0; None is the last one.
    """

    source: str = ""
    target: str | None = None
    step: int | None = None
    topic: str = field(default="gradient", kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class InputGradients:
    """Effect of each character of the source on one output of a network.

    Attributes:
        norms: Euclidean norm of the derivative of the most probable output's logit with respect to each
            character's embedding. Shape [source].
        step: Step of the output.
        output_id: Id of the output.
    """

    norms: NDArray[np.float32]
    step: int
    output_id: int


@dataclass(frozen=True, slots=True)
class ExactRequest(Asked):
    """A request for exact match by length of the source, on held-out pairs of the network's data.

    Attributes:
        model: Id of the network.
        lengths: Characters of the source, each length once.
        n_each: Pairs of each length; fewer where the data has no more.
        seed: Seed of the pairs.
    """

    lengths: tuple[int, ...] = ()
    n_each: int = 50
    seed: int = 0
    topic: str = field(default="exact", kw_only=True)


@dataclass(frozen=True, slots=True)
class CostRequest(Asked):
    """A request for what one more step costs after a source and a target of some lengths.

    Attributes:
        model: Id of the network.
        lengths: Characters of the source, and as many written before the step.
    """

    lengths: tuple[int, ...] = ()
    topic: str = field(default="cost", kw_only=True)


@dataclass(frozen=True, slots=True)
class StepCost:
    """Cost of one more decoder step.

    Attributes:
        length: Characters of the source, and as many written before.
        state_bytes: Bytes that are kept from step to step: the state, with attention the encoder's states,
            of a Transformer all keys and values.
        step_s: Seconds of the step on this machine: the median of some.
    """

    length: int
    state_bytes: int
    step_s: float


class Networks(Protocol):
    """The part of the engine that knows trained networks; each belongs to the session that made it."""

    def shipped(self) -> tuple[NetworkInfo, ...]:
        """The networks that come with the playground."""
        ...

    def of(self, owner: str) -> list[NetworkInfo]:
        """The networks of a session, oldest first."""
        ...

    def info(self, network_id: str) -> NetworkInfo:
        """Facts about a network.

        Raises:
            NetworkGone: It is no longer here, or never was.
        """
        ...

    def belongs(self, network_id: str, owner: str) -> bool:
        """True if a session may use the network; it may from now on where all others have left."""
        ...

    def remove(self, network_id: str, owner: str) -> None:
        """Delete a network of this session."""
        ...

    def exported(self, network_id: str) -> bytes:
        """A network as a safetensors file: its weights by the names of `core.recurrent`, its facts as
        metadata.

        Raises:
            NetworkGone.
        """
        ...

    def unroll(self, request: UnrollRequest, on_wait: OnWait | None = None) -> Unrolled:
        """All states over one source.

        Raises:
            EmptyText: The source is empty.
            TextTooLong: It has too many characters.
            UnknownCharacters: The network has never seen some of them.
            BadValue: A setting is out of range.
            NetworkGone, BusyError.
        """
        ...

    def gradients(self, request: GradientRequest, on_wait: OnWait | None = None) -> InputGradients:
        """Effect of each character of the source on one output.

        Raises:
            As `unroll`.
        """
        ...

    def exact(self, request: ExactRequest, on_wait: OnWait | None = None) -> Iterator[LengthCount]:
        """Exact match length by length, in their order; closing the iterator stops it within a batch.

        Raises:
            BadValue: The network was trained on a reader's own pairs: there are no others of a length.
            NetworkGone, BusyError.
        """
        ...

    def costs(self, request: CostRequest, on_wait: OnWait | None = None) -> Iterator[StepCost]:
        """Cost of one more step length by length, measured now, in their order."""
        ...
