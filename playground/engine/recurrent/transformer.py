"""A small Transformer that reads a source and writes a target, on the same data as the recurrent networks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from playground.engine.contract.pairs import NetworkConfig
from playground.engine.recurrent.network import MASKED, Memory, State, Step

N_LAYERS, N_HEADS, WIDER = 2, 4, 2


class Attention(nn.Module):
    """Attention of several heads: softmax of scaled dot products, mixed values, one projection behind them.

    Args:
        d_model: Length of a vector.
    """

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.value, self.output = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)

    def keys_values(self, read: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of some vectors. Shape [row, place, d_model] -> [row, head, place, d_head]."""
        return _heads(self.key(read)), _heads(self.value(read))

    def forward(self, asks: Tensor, keys: Tensor, values: Tensor, may_see: Tensor) -> tuple[Tensor, Tensor]:
        """Mixed values, and weights of each head.

        Args:
            asks: Vectors that look. Shape [row, step, d_model].
            keys, values: Shape [row, head, place, d_head].
            may_see: Shape that fits [row, head, step, place].

        Returns:
            Shapes [row, step, d_model] and [row, head, step, place].
        """
        query = _heads(self.query(asks))
        scores = query @ keys.transpose(-1, -2) / math.sqrt(query.shape[-1])
        weights = scores.masked_fill(~may_see, MASKED).softmax(-1)
        mixed: Tensor = self.output((weights @ values).transpose(1, 2).flatten(2))
        return mixed, weights


def _heads(read: Tensor) -> Tensor:
    """Shape [row, place, d_model] -> [row, head, place, d_head]."""
    return read.view(*read.shape[:2], N_HEADS, -1).transpose(1, 2)


class Block(nn.Module):
    """One layer, norms first: self-attention, of a decoder also attention to the source, and an MLP."""

    def __init__(self, d_model: int, *, is_decoder: bool) -> None:
        super().__init__()
        self.norm, self.own = nn.LayerNorm(d_model), Attention(d_model)
        if is_decoder:
            self.cross_norm, self.cross = nn.LayerNorm(d_model), Attention(d_model)
        self.mlp_norm = nn.LayerNorm(d_model)
        self.up, self.down = nn.Linear(d_model, WIDER * d_model), nn.Linear(WIDER * d_model, d_model)

    def mlp(self, stream: Tensor) -> Tensor:
        """The stream with the MLP's part added. Shape [row, place, d_model]."""
        changed: Tensor = stream + self.down(torch.relu(self.up(self.mlp_norm(stream))))
        return changed


class TransformerNetwork(nn.Module):
    """Encoder and decoder of two layers with four heads, sinusoidal positions, norms before each part.

    Its state is all keys and values of the decoder's own attention; `Memory.fixed` are those of the source.

    Args:
        config: Its shape; `d_hidden` is the length of all vectors.
        n_source, n_target: Sizes of the vocabularies, marks included.
    """

    def __init__(self, config: NetworkConfig, n_source: int, n_target: int) -> None:
        super().__init__()
        self.config = config
        d_model = config.d_hidden
        self.source_embedding = nn.Embedding(n_source, d_model)
        self.target_embedding = nn.Embedding(n_target, d_model)
        self.encoder = nn.ModuleList(Block(d_model, is_decoder=False) for _ in range(N_LAYERS))
        self.decoder = nn.ModuleList(Block(d_model, is_decoder=True) for _ in range(N_LAYERS))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.output = nn.Linear(d_model, n_target)

    def embed(self, source: Tensor) -> Tensor:
        """Embeddings of source ids, without positions."""
        embedded: Tensor = self.source_embedding(source)
        return embedded

    def read(self, embedded: Tensor, lengths: Tensor) -> Memory:
        """Read a batch of sources; nothing looks at what a row is filled up with."""
        is_real = torch.arange(embedded.shape[1]) < lengths[:, None]
        stream, _maps = self.encoded(embedded, is_real)
        fixed = [part for block in self.decoder for part in _cross(block).keys_values(stream)]
        empty = stream.new_zeros(len(stream), N_HEADS, 0, stream.shape[2] // N_HEADS)
        return Memory(stream, is_real, (empty,) * (2 * N_LAYERS), tuple(fixed))

    def encoded(self, embedded: Tensor, is_real: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The encoder's output and the weights of its layers.

        Args:
            embedded: Shape [row, source, d_model].
            is_real: False where a row is filled up. Shape [row, source].

        Returns:
            Shapes [row, source, d_model], and of each layer [row, head, source, source].
        """
        stream, maps = embedded + positions(embedded.shape[1], embedded.shape[2]), []
        for block in self.encoder:
            assert isinstance(block, Block)
            normed = block.norm(stream)
            mixed, weights = block.own(normed, *block.own.keys_values(normed), is_real[:, None, None])
            stream = block.mlp(stream + mixed)
            maps.append(weights)
        return self.encoder_norm(stream), maps

    def step(self, ids: Tensor, state: State, memory: Memory) -> tuple[Step, State]:
        """One step: its keys and values join those of the steps before."""
        step, state, _maps = self.written(ids[:, None], state, memory)
        return step, state

    def forced(self, ids: Tensor, memory: Memory) -> Step:
        """All steps in one pass; none sees a later one."""
        return self.written(ids, memory.first, memory)[0]

    def written(
        self, ids: Tensor, state: State, memory: Memory
    ) -> tuple[Step, State, list[tuple[Tensor, Tensor]]]:
        """Some steps, the state after them, and of each layer the weights of both attentions.

        Args:
            ids: What the decoder reads. Shape [row, step].
            state: Keys and values of the steps before, of each layer.
            memory: The sources.
        """
        before, n_steps = state[0].shape[2], ids.shape[1]
        stream = self.target_embedding(ids)
        stream = stream + positions(before + n_steps, stream.shape[2])[before:]
        earlier = torch.ones(n_steps, before + n_steps, dtype=torch.bool).tril(before)
        kept, maps = [], []
        for layer, block in enumerate(self.decoder):
            assert isinstance(block, Block)
            normed = block.norm(stream)
            new = block.own.keys_values(normed)
            keys, values = (
                torch.cat(both, 2) for both in zip(state[2 * layer : 2 * layer + 2], new, strict=True)
            )
            mixed, own = block.own(normed, keys, values, earlier)
            stream = stream + mixed
            source = memory.fixed[2 * layer : 2 * layer + 2]
            mixed, cross = _cross(block)(block.cross_norm(stream), *source, memory.is_real[:, None, None])
            stream = block.mlp(stream + mixed)
            kept += [keys, values]
            maps.append((own, cross))
        hidden = self.decoder_norm(stream)
        return Step(self.output(hidden), hidden, weights=maps[-1][1].mean(1)), tuple(kept), maps


def _cross(block: nn.Module) -> Attention:
    assert isinstance(block, Block)
    return block.cross


def positions(n: int, d_model: int) -> Tensor:
    """Sinusoidal positions. Shape [n, d_model].

    Source:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.5.
    """
    rates = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10_000) / d_model))
    angles = torch.arange(n)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
