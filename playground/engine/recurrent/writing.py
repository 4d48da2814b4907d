"""Targets written by a network: greedily, many sources at once, or by a beam search over one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from playground.core.pairs.vocabulary import END, START
from playground.engine.contract.networks import Hypothesis
from playground.engine.contract.pairs import PairExample
from playground.engine.recurrent.building import AnyNetwork, padded

MARGIN = 10  # steps beyond the longest target that is right


def n_right(
    network: AnyNetwork, examples: Sequence[PairExample], between: Callable[[], None] = lambda: None
) -> int:
    """Number of pairs whose target is written exactly, free running and greedy.

    Args:
        network: The network.
        examples: At least one.
        between: Called between two steps.
    """
    longest = max(len(one.target) for one in examples) + 1
    written = greedy(network, [one.source for one in examples], longest, between)
    return sum((*one.target, END) == row for one, row in zip(examples, written, strict=True))


@torch.no_grad()
def greedy(
    network: AnyNetwork,
    sources: Sequence[Sequence[int]],
    n_most: int,
    between: Callable[[], None] = lambda: None,
) -> list[tuple[int, ...]]:
    """Ids that are written for each source, up to its end or `n_most`; the end is part of it.

    Args:
        network: The network.
        sources: Ids of the sources, none empty.
        n_most: Most steps.
        between: Called between two steps.
    """
    source, lengths = padded(sources)
    memory = network.read(network.embed(source), lengths)
    state, last = memory.first, torch.full((len(sources),), START)
    columns: list[Tensor] = []
    has_ended = torch.zeros(len(sources), dtype=torch.bool)
    while len(columns) < n_most and not bool(has_ended.all()):
        step, state = network.step(last, state, memory)
        last = step.logits[:, 0].argmax(-1)
        columns.append(last)
        has_ended |= last == END
        between()
    return [_up_to_end(row) for row in torch.stack(columns, 1).tolist()]


def _up_to_end(ids: list[int]) -> tuple[int, ...]:
    return tuple(ids[: ids.index(END) + 1] if END in ids else ids)


@torch.no_grad()
def beams(network: AnyNetwork, source: Sequence[int], n_beams: int, n_most: int) -> tuple[Hypothesis, ...]:
    """Texts of a beam search, the most probable first; no penalty for length.

    It ends when the most probable text of all has ended: none that goes on can become more probable.

    Args:
        network: The network.
        source: Ids of the source.
        n_beams: Texts that are followed.
        n_most: Most steps.
    """
    ids, lengths = padded([source])
    memory = network.read(network.embed(ids), lengths)
    open_ones, ended = [Hypothesis((), 0.0, False)], list[Hypothesis]()
    state = memory.first
    for _ in range(n_most):
        rows = memory.rows(torch.zeros(len(open_ones), dtype=torch.long))
        last = torch.tensor([one.ids[-1] if one.ids else START for one in open_ones])
        step, state = network.step(last, state, rows)
        logprobs = step.logits[:, 0].log_softmax(-1)
        total = logprobs + torch.tensor([[one.logprob] for one in open_ones])
        best = total.flatten().topk(min(2 * n_beams, total.numel()))
        going, parents = list[Hypothesis](), list[int]()
        for rank, (value, place) in enumerate(zip(best.values.tolist(), best.indices.tolist(), strict=True)):
            parent, new = divmod(place, total.shape[1])
            one = Hypothesis((*open_ones[parent].ids, new), value, new == END)
            if one.is_whole and rank < n_beams:
                ended.append(one)
            elif not one.is_whole and len(going) < n_beams:
                going.append(one)
                parents.append(parent)
        ended = sorted(ended, key=_logprob, reverse=True)[:n_beams]
        if not going or (len(ended) == n_beams and ended[-1].logprob >= going[0].logprob):
            open_ones = []
            break
        open_ones = going
        state = tuple(one[torch.tensor(parents)] for one in state)
    return tuple(sorted((*ended, *open_ones), key=_logprob, reverse=True)[:n_beams])


def _logprob(one: Hypothesis) -> float:
    return one.logprob
