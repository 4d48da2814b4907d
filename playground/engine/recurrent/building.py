"""Networks from nothing, by a seed, and pairs as padded batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from playground.core.pairs.vocabulary import END, N_MARKS, PAD, START
from playground.engine.contract.pairs import NetworkConfig, PairExample
from playground.engine.recurrent.network import RecurrentNetwork
from playground.engine.recurrent.transformer import TransformerNetwork

AnyNetwork = RecurrentNetwork | TransformerNetwork


def empty_network(config: NetworkConfig, n_source: int, n_target: int) -> AnyNetwork:
    """A network whose numbers are not set yet.

    Args:
        config: Its shape.
        n_source, n_target: Numbers of characters it reads and writes.
    """
    kind = TransformerNetwork if config.kind == "transformer" else RecurrentNetwork
    with torch.device("meta"):  # without torch's own first values, which would come of a process-wide seed
        network = kind(config, N_MARKS + n_source, N_MARKS + n_target)
    return network.to_empty(device="cpu")


def new_network(config: NetworkConfig, n_source: int, n_target: int, seed: int) -> AnyNetwork:
    """A network with first values by a seed: uniform within 1 / sqrt(inputs), embeddings normal, biases 0."""
    network, drawn = empty_network(config, n_source, n_target), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if isinstance(module, nn.Embedding):
                    parameter.normal_(generator=drawn)
                elif parameter.ndim < 2:
                    parameter.fill_(float(isinstance(module, nn.LayerNorm) and name == "weight"))
                else:
                    bound = parameter.shape[1] ** -0.5
                    parameter.uniform_(-bound, bound, generator=drawn)
    return network


@dataclass(frozen=True)
class Batch:
    """Pairs side by side, filled up on the right.

    Attributes:
        source: Shape [row, source].
        lengths: Lengths of the sources. Shape [row].
        inputs: What the decoder reads under teacher forcing: the start, then the target. Shape [row, step].
        targets: What it should write: the target, then the end. Shape [row, step].
        counts: True where it counts. Shape [row, step].
    """

    source: Tensor
    lengths: Tensor
    inputs: Tensor
    targets: Tensor
    counts: Tensor


def batch_of(examples: Sequence[PairExample]) -> Batch:
    """Pairs as a batch."""
    source, lengths = padded([one.source for one in examples])
    inputs, _ = padded([(START, *one.target) for one in examples])
    targets, n_counted = padded([(*one.target, END) for one in examples])
    return Batch(source, lengths, inputs, targets, torch.arange(targets.shape[1]) < n_counted[:, None])


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows filled up on the right, and their lengths. Shapes [row, longest], [row]."""
    lengths = [len(row) for row in rows]
    longest = max(lengths)
    return (
        torch.tensor([[*row, *(PAD,) * (longest - len(row))] for row in rows]),
        torch.tensor(lengths),
    )
