"""All that a network computes over one source: states, contexts, weights, outputs; gradients; costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.core.pairs.vocabulary import END, START
from playground.engine.contract.networks import (
    N_TOP,
    Hypothesis,
    InputGradients,
    StepCost,
    TransformerMaps,
    Unrolled,
)
from playground.engine.recurrent.building import AnyNetwork, padded
from playground.engine.recurrent.network import Memory, RecurrentNetwork, State, Step, joined, lstm_cell
from playground.engine.recurrent.transformer import TransformerNetwork
from playground.engine.recurrent.writing import beams, greedy

_MEASURED = 9  # steps of which the median is told


@dataclass(frozen=True)
class Forced:
    """A decoder that has read what it was given.

    Attributes:
        step: Its steps. One row.
        states: State after each step, without that of a Transformer.
        memory: The source.
    """

    step: Step
    states: list[State]
    memory: Memory


@torch.no_grad()
def unrolled(
    network: AnyNetwork, source: Sequence[int], target: Sequence[int] | None, n_beams: int, n_most: int
) -> Unrolled:
    """All states over one source.

    Args:
        network: The network.
        source: Ids of the source.
        target: Ids that the decoder reads; None: those it writes.
        n_beams: Beams of a free-running search; 1 is greedy.
        n_most: Most steps of a free run.
    """
    found: tuple[Hypothesis, ...] = ()
    if target is None and n_beams > 1:
        found = beams(network, source, n_beams, n_most)
    ids = _read(network, source, target, found, n_most)
    forced = _forced(network, source, ids)
    logits = forced.step.logits[0]
    outputs = torch.tensor(found[0].ids) if found else logits.argmax(-1)
    probs = logits.softmax(-1)
    top = probs.topk(min(N_TOP, probs.shape[1]))
    cells = _cells(network, source, forced)
    return Unrolled(
        source_ids=np.array(source, dtype=np.int64),
        input_ids=np.array(ids, dtype=np.int64),
        output_ids=outputs.numpy(),
        is_whole=bool(outputs[-1] == END),
        encoder_states=_array(forced.memory.states[0]),
        encoder_cells=cells[0],
        decoder_states=_array(forced.step.hidden[0]),
        decoder_cells=cells[1],
        contexts=_row(forced.step.context),
        scores=_row(forced.step.scores),
        weights=_row(forced.step.weights),
        top_ids=top.indices.numpy(),
        top_probs=top.values.numpy(),
        output_probs=probs.gather(1, outputs[:, None])[:, 0].numpy(),
        beams=found,
        maps=_maps(network, source, ids),
    )


def _read(
    network: AnyNetwork,
    source: Sequence[int],
    target: Sequence[int] | None,
    found: Sequence[Hypothesis],
    n_most: int,
) -> tuple[int, ...]:
    """Ids that the decoder reads: the start, then the target, or what it wrote but for the last."""
    if target is not None:
        return START, *target
    written = found[0].ids if found else greedy(network, [source], n_most)[0]
    return START, *written[:-1]


def _forced(network: AnyNetwork, source: Sequence[int], ids: Sequence[int]) -> Forced:
    """The decoder step by step, as when it runs freely."""
    row, lengths = padded([source])
    memory = network.read(network.embed(row), lengths)
    state, steps, states = memory.first, list[Step](), list[State]()
    for one in ids:
        step, state = network.step(torch.tensor([one]), state, memory)
        steps.append(step)
        states.append(state if isinstance(network, RecurrentNetwork) else ())
    return Forced(joined(steps), states, memory)


def _cells(
    network: AnyNetwork, source: Sequence[int], forced: Forced
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """The second states of an LSTM: of the encoder, of the decoder."""
    if not isinstance(network, RecurrentNetwork) or network.config.kind != "lstm":
        return None, None
    row, _ = padded([source])
    embedded = network.embed(row)
    state: State = (torch.zeros(1, network.config.d_hidden),) * 2
    cells = list[Tensor]()
    for column in embedded.unbind(1):
        state = lstm_cell(network.encoder, column, state)
        cells.append(state[1])
    return _array(torch.cat(cells)), _array(torch.cat([one[1] for one in forced.states]))


def _maps(network: AnyNetwork, source: Sequence[int], ids: Sequence[int]) -> TransformerMaps | None:
    if not isinstance(network, TransformerNetwork):
        return None
    row, lengths = padded([source])
    embedded = network.embed(row)
    _stream, own = network.encoded(embedded, torch.ones_like(row, dtype=torch.bool))
    memory = network.read(embedded, lengths)
    _step, _state, maps = network.written(torch.tensor([list(ids)]), memory.first, memory)
    decoder, cross = zip(*maps, strict=True)
    return TransformerMaps(*(_array(torch.cat(list(one))) for one in (own, decoder, cross)))


def _array(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.detach().numpy().copy()
    return array


def _row(values: Tensor | None) -> NDArray[np.float32] | None:
    return None if values is None else _array(values[0])


# ---- gradients


def input_gradients(
    network: AnyNetwork, source: Sequence[int], target: Sequence[int] | None, step: int | None, n_most: int
) -> InputGradients:
    """Effect of each character of the source on one output: |d logit / d embedding|.

    Args:
        network, source, target, n_most: As of `unrolled`.
        step: Step of the output; None is the last one. One that the decoder does not reach counts as that.
    """
    ids = _read(network, source, target, (), n_most)
    place = len(ids) - 1 if step is None else min(step, len(ids) - 1)
    row, lengths = padded([source])
    with torch.enable_grad():
        embedded = network.embed(row).detach().requires_grad_()
        memory = network.read(embedded, lengths)
        logits = network.forced(torch.tensor([ids[: place + 1]]), memory).logits[0, place]
        best = logits.argmax()
        (gradient,) = torch.autograd.grad(logits[best], embedded)
    return InputGradients(_array(gradient[0].norm(dim=-1)), place, int(best))


# ---- costs


@torch.no_grad()
def step_cost(network: AnyNetwork, length: int) -> StepCost:
    """Cost of one more step after `length` characters were read and as many were written.

    Which characters they are does not matter for it: all are the first one.
    """
    ids = torch.full((1, length), END + 1)
    memory = network.read(network.embed(ids), torch.tensor([length]))
    state, last = memory.first, ids[:, 0]
    if isinstance(network, TransformerNetwork):
        _step, state, _maps = network.written(ids, state, memory)
    else:
        _step, state = network.step(last, state, memory)  # its size does not depend on the number of steps
    taken = []
    for _ in range(_MEASURED):
        started = time.perf_counter()
        network.step(last, state, memory)
        taken.append(time.perf_counter() - started)
    return StepCost(length, _kept_bytes(network, state, memory), median(taken))


def _kept_bytes(network: AnyNetwork, state: State, memory: Memory) -> int:
    """Bytes that are kept from step to step."""
    kept = [*state, *memory.fixed]
    if isinstance(network, RecurrentNetwork):
        kept.append(memory.first[0] if network.config.attention == "none" else memory.states)
    return sum(one.nbytes for one in kept)
