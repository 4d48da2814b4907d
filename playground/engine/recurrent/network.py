"""An encoder and a decoder of one recurrent layer each, and the attention between them, in torch.

Reading     a source -> its `Memory`: a state per character
Writing     a `State`, a character -> the next `State` and a `Step`: logits and how they came about
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from playground.engine.contract.pairs import NetworkConfig

MASKED = float("-inf")
State = tuple[Tensor, ...]  # what the decoder keeps from step to step; rows of the batch come first


@dataclass(frozen=True)
class Memory:
    """A batch of sources that have been read.

    Attributes:
        states: State after each character. Shape [row, source, d_hidden].
        is_real: False where a row is filled up. Shape [row, source].
        first: State with which the decoder begins.
        fixed: Tensors that every step uses again, derived from the states (keys); rows first.
    """

    states: Tensor
    is_real: Tensor
    first: State
    fixed: tuple[Tensor, ...] = ()

    def rows(self, index: Tensor) -> Memory:
        """The memory of some rows."""
        return Memory(
            self.states[index],
            self.is_real[index],
            tuple(one[index] for one in self.first),
            tuple(one[index] for one in self.fixed),
        )


@dataclass(frozen=True)
class Step:
    """One or more steps of the decoder; without attention there are no scores and weights.

    Attributes:
        logits: Shape [row, step, d_vocab].
        hidden: State after the step; of a Transformer its last layer's output. Shape [row, step, d_hidden].
        context: Mix of the encoder's states; None of a Transformer. Shape [row, step, d_hidden].
        scores: Fit of each source state, of a Transformer none. Shape [row, step, source].
        weights: Their softmax; of a Transformer the mean of its last layer's heads.
            Shape [row, step, source].
    """

    logits: Tensor
    hidden: Tensor
    context: Tensor | None = None
    scores: Tensor | None = None
    weights: Tensor | None = None


class Network(Protocol):
    """Both kinds of networks: recurrent and Transformer."""

    config: NetworkConfig

    def embed(self, source: Tensor) -> Tensor:
        """Embeddings of source ids. Shape [row, source] -> [row, source, d_embedding]."""

    def read(self, embedded: Tensor, lengths: Tensor) -> Memory:
        """Read a batch of sources.

        Args:
            embedded: Shape [row, source, d_embedding], filled up on the right.
            lengths: Length of each source. Shape [row].
        """

    def step(self, ids: Tensor, state: State, memory: Memory) -> tuple[Step, State]:
        """One step. `ids` are the last characters. Shape [row]."""

    def forced(self, ids: Tensor, memory: Memory) -> Step:
        """All steps at once, if the decoder reads these. Shape [row, step]."""


class RecurrentNetwork(nn.Module):
    """Encoder and decoder of one RNN, GRU or LSTM layer; see `core.recurrent` for the same in NumPy.

    Args:
        config: Its shape.
        n_source, n_target: Sizes of the vocabularies, marks included.
    """

    def __init__(self, config: NetworkConfig, n_source: int, n_target: int) -> None:
        super().__init__()
        self.config = config
        d_hidden, d_embedding = config.d_hidden, config.d_embedding
        layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[config.kind]
        d_read = d_embedding + (0 if config.attention == "dot" else d_hidden)
        self.source_embedding = nn.Embedding(n_source, d_embedding)
        self.target_embedding = nn.Embedding(n_target, d_embedding)
        self.encoder: nn.RNNBase = layer(d_embedding, d_hidden, batch_first=True)
        self.decoder: nn.RNNBase = layer(d_read, d_hidden, batch_first=True)
        if config.attention == "additive":
            self.query = nn.Linear(d_hidden, d_embedding, bias=False)
            self.key = nn.Linear(d_hidden, d_embedding, bias=False)
            self.fit = nn.Linear(d_embedding, 1, bias=False)
        self.readout = nn.Linear(2 * d_hidden, d_hidden)
        self.output = nn.Linear(d_hidden, n_target)

    # ---- reading

    def embed(self, source: Tensor) -> Tensor:
        """Embeddings of source ids."""
        embedded: Tensor = self.source_embedding(source)
        return embedded

    def read(self, embedded: Tensor, lengths: Tensor) -> Memory:
        """Read a batch of sources; what a row is filled up with comes after its last state."""
        if self.config.kind == "lstm":  # of its second state only the last one is told
            packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
            outputs, (_h, cells) = self.encoder(packed)
            states, _ = pad_packed_sequence(outputs, batch_first=True, total_length=embedded.shape[1])
            second: State = (cells[0],)
        else:
            states, second = self.encoder(embedded)[0], ()
        first = states[torch.arange(len(lengths)), lengths - 1]
        is_real = torch.arange(embedded.shape[1]) < lengths[:, None]
        fixed = (self.key(states),) if self.config.attention == "additive" else ()
        return Memory(states, is_real, (first, *second), fixed)

    # ---- writing

    def step(self, ids: Tensor, state: State, memory: Memory) -> tuple[Step, State]:
        """One step: with additive attention it looks before the cell, with dot attention after it."""
        embedded = self.target_embedding(ids)
        scores = weights = None
        if self.config.attention == "dot":
            state = self._cell(embedded, state)
            scores, weights, context = self._looked(state[0][:, None], memory)
        elif self.config.attention == "additive":
            scores, weights, context = self._looked(state[0][:, None], memory)
            state = self._cell(torch.cat([embedded, context[:, 0]], -1), state)
        else:
            context = memory.first[0][:, None]
            state = self._cell(torch.cat([embedded, context[:, 0]], -1), state)
        return self._read_out(state[0][:, None], context, scores, weights), state

    def forced(self, ids: Tensor, memory: Memory) -> Step:
        """All steps; where no step needs the one before but for the cell, in one call of the layer."""
        if self.config.attention == "additive":
            return _loop(self, ids, memory)
        embedded, scores, weights = self.target_embedding(ids), None, None
        if self.config.attention == "none":
            context = memory.first[0][:, None].expand(-1, ids.shape[1], -1)
            embedded = torch.cat([embedded, context], -1)
        first = tuple(one[None] for one in memory.first)
        hidden, _ = self.decoder(embedded, first if len(first) > 1 else first[0])
        if self.config.attention == "dot":
            scores, weights, context = self._looked(hidden, memory)
        return self._read_out(hidden, context, scores, weights)

    def _cell(self, read: Tensor, state: State) -> State:
        if self.config.kind == "lstm":
            return lstm_cell(self.decoder, read, state)
        cell: Callable[..., Tensor] = torch.gru_cell if self.config.kind == "gru" else torch.rnn_tanh_cell
        return (cell(read, state[0], *self.decoder._flat_weights),)

    def _looked(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, weights and context of some queries. Shape [row, step, d_hidden]."""
        if self.config.attention == "dot":
            scores = query @ memory.states.transpose(1, 2)
        else:
            both = self.query(query)[:, :, None] + memory.fixed[0][:, None]
            scores = self.fit(torch.tanh(both))[..., 0]
        scores = scores.masked_fill(~memory.is_real[:, None], MASKED)
        weights = scores.softmax(-1)
        return scores, weights, weights @ memory.states

    def _read_out(
        self, hidden: Tensor, context: Tensor, scores: Tensor | None, weights: Tensor | None
    ) -> Step:
        read = torch.tanh(self.readout(torch.cat([hidden, context], -1)))
        return Step(self.output(read), hidden, context, scores, weights)


def lstm_cell(layer: nn.RNNBase, read: Tensor, state: State) -> State:
    """One step of an LSTM layer: its two states. Each has the shape [row, d_hidden]."""
    cell: Callable[..., State] = torch.lstm_cell
    return cell(read, state, *layer._flat_weights)


def _loop(network: Network, ids: Tensor, memory: Memory) -> Step:
    """Step after step, each reading the next of the given ids."""
    state, steps = memory.first, []
    for column in ids.unbind(1):
        step, state = network.step(column, state, memory)
        steps.append(step)
    return joined(steps)


def joined(steps: Sequence[Step]) -> Step:
    """Several steps as one."""

    def all_of(name: str) -> Tensor | None:
        parts = [getattr(one, name) for one in steps]
        return None if parts[0] is None else torch.cat(parts, 1)

    logits, hidden = all_of("logits"), all_of("hidden")
    assert logits is not None
    assert hidden is not None
    return Step(logits, hidden, all_of("context"), all_of("scores"), all_of("weights"))
