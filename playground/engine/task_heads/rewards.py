"""Reward models: a row of weights on a frozen decoder's last state, one number for a prompt with an answer.

A text ends with the mark of its end, and the state of that mark is what the weights read: the reward of what
stands before it. Texts that begin alike are read as one tree, so a prompt is read once for all its answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.core.prefix_tree import PrefixTree
from playground.engine.contract.reward_models import RewardHeadInfo, RewardScores, RewardSettings
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.owned import Departures, Owned
from playground.errors import HeadGone, TooManyHeads
from playground.settings import Settings

Ids = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class RewardHead:
    """A reward model that was trained.

    Attributes:
        settings: Settings of its run; `model` is its base.
        step, run: Steps it was trained, and number of its run in the session.
        weight: Reward of a state: w · state. Shape [d_model].
    """

    settings: RewardSettings
    step: int
    run: int
    weight: Tensor

    @property
    def size_bytes(self) -> int:
        """Memory of its numbers."""
        return self.weight.nbytes

    def named(self, settings: RewardSettings, number: int) -> RewardHead:
        """The same, as learned by an equal run; it shares the memory."""
        return replace(self, settings=settings, run=number)

    def is_finite(self) -> bool:
        """True if all its numbers are numbers."""
        return bool(self.weight.isfinite().all())

    def info(self, head_id: str) -> RewardHeadInfo:
        """Facts that readers see."""
        return RewardHeadInfo(
            head_id, self.settings, self.step, self.run, self.weight.numel(), self.size_bytes
        )


def score(head: RewardHead, loaded: LoadedModel, texts: Sequence[Ids]) -> NDArray[np.float64]:
    """Rewards of texts, from one forward pass; only the engine's thread asks.

    Args:
        head: The reward model.
        loaded: Its base, as it is without any adapter.
        texts: Token ids of each: prompt, answer and the mark that ends it, as of a `PairExample`. An answer
            that was cut before its end gets the mark all the same (`end_mark`).

    Returns:
        Nats of odds, as a difference of two; a number alone means nothing. Shape [text].
    """
    rewards = last_states(loaded, texts) @ head.weight.to(loaded.device)
    return rewards.double().cpu().numpy()


def score_tokens(head: RewardHead, loaded: LoadedModel, prompt: Ids, answer: Ids) -> RewardScores:
    """The reward of each beginning of an answer, as if it ended there, from one forward pass.

    Args:
        head: The reward model.
        loaded: Its base, as it is without any adapter.
        prompt: Token ids of all that stands before the answer.
        answer: Those of the answer, with the mark of its end.
    """
    end = answer[-1:]
    words = answer[:-1] if end[0] in loaded.tokenizer.eos_ids else answer
    mark = end if words != answer else end_mark(loaded)
    beginnings = [(*prompt, *words[:n], *mark) for n in range(1, len(words) + 1)]
    values = score(head, loaded, [*beginnings, (*prompt, *answer)] if words != answer else beginnings)
    pieces = tuple(map(loaded.tokenizer.token_bytes, answer))
    return RewardScores(answer, pieces, values.astype(np.float32))


def end_mark(loaded: LoadedModel) -> Ids:
    """The token that ends an answer of this model, () where it knows none."""
    return tuple(sorted(loaded.tokenizer.eos_ids))[:1]


@torch.no_grad()
def last_states(loaded: LoadedModel, texts: Sequence[Ids]) -> Tensor:
    """The last layer's state of the last token of each text. Shape [text, d_model], float32.

    Args:
        loaded: A decoder.
        texts: Token ids of each, at least one.
    """
    tree, device = PrefixTree(), loaded.device
    ends = [tree.add(text)[-1] for text in texts]
    n = len(tree)
    output = loaded.model.base_model(
        input_ids=torch.tensor([tree.token_ids], device=device),
        position_ids=torch.tensor([tree.depths], device=device),
        attention_mask=torch.from_numpy(tree.visible(0, n)).to(device)[None, None],
        use_cache=False,
    )
    states: Tensor = output.last_hidden_state[0, torch.tensor(ends, device=device)].float()
    check_finite(loaded, states)
    return states


def in_chunks(texts: Sequence[Ids], max_tokens: int) -> Iterator[list[Ids]]:
    """Texts in their order, as many together as have so many tokens, a common beginning once.

    Example:
        >>> [len(chunk) for chunk in in_chunks([(1, 2, 3), (1, 2, 4), (5, 6)], max_tokens=4)]
        [2, 1]
    """
    tree, chunk = PrefixTree(), list[Ids]()
    for text in texts:
        if chunk and len(tree) + tree.n_new(text) > max_tokens:
            yield chunk
            tree, chunk = PrefixTree(), []
        tree.add(text)
        chunk.append(text)
    if chunk:
        yield chunk


class RewardTable:
    """Reward models of all sessions. Safe to share between threads.

    Args:
        settings: The limits.
        departures: The sessions that have left.
        on_orphan: Called when one comes whose session has left meanwhile.
    """

    def __init__(self, settings: Settings, departures: Departures, on_orphan: Callable[[], None]) -> None:
        most = settings.max_heads_per_session
        self.owned = Owned[RewardHead](
            departures,
            lambda head: head.size_bytes,
            most=most,
            most_bytes=settings.max_head_bytes,
            too_many=lambda: TooManyHeads(limit=most),
            on_orphan=on_orphan,
            memory_of=lambda head: id(head.weight),
        )

    def get(self, head_id: str) -> RewardHead:
        """A reward model by its id.

        Raises:
            HeadGone: It is no longer here, or never was.
        """
        head = self.owned.get(head_id)
        if head is None:
            raise HeadGone(head_id=head_id)
        return head


@dataclass(frozen=True)
class RewardWork:
    """Payload of the job that scores one answer token by token.

    Attributes:
        head: The reward model.
        loaded: Its base.
        prompt, answer: Token ids.
    """

    head: RewardHead
    loaded: LoadedModel
    prompt: Ids
    answer: Ids
    n_forwards: int = 1

    def run(self) -> RewardScores:
        """One forward pass."""
        return score_tokens(self.head, self.loaded, self.prompt, self.answer)
