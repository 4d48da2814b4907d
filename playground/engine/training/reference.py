"""The reference of a policy: the base without an adapter, read once a text, and the distance from it.

The base's tensors are only read: the policy's tree and this one share them, so a run needs no second model in
memory. Kept are the states before the vocabulary head, which are 85 times smaller than its distributions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from playground.core.byte_cache import ByteCache
from playground.engine.contract.training import TrainingText
from playground.engine.forward.head import logits_of
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel, template_over
from playground.engine.training.learner import GiveWay
from playground.engine.training.packing import packed
from playground.engine.training.yield_points import yield_between

T = TypeVar("T")
CHUNK = 64  # tokens whose whole distributions are in memory at once


@dataclass(frozen=True, slots=True)
class Known:
    """A text under the reference.

    Attributes:
        states: Residual stream after the final norm where each trained token is predicted. Shape [token,
            d_model].
        logprobs: Log-probability of each trained token, nats. Shape [token].
    """

    states: Tensor
    logprobs: Tensor

    @property
    def size_bytes(self) -> int:
        """Memory of both."""
        return self.states.nbytes + self.logprobs.nbytes


class Reference:
    """The base without an adapter. Only the engine's thread calls it.

    Args:
        loaded: The base.
        known: Texts that have been read, of this and other bases.
        give_way: Called between two layers: others may use the engine there.
        chunk_tokens: Most tokens that are read together.
    """

    def __init__(
        self, loaded: LoadedModel, known: ByteCache[Known], give_way: GiveWay, chunk_tokens: int = 512
    ) -> None:
        self._loaded, self._known, self._chunk_tokens = loaded, known, chunk_tokens
        self.tree: Any = template_over(loaded.template)
        yield_between(replace(loaded, model=self.tree), give_way)

    @torch.no_grad()
    def of(self, texts: Sequence[TrainingText]) -> list[Known]:
        """Each text under the reference; read where it is not known."""
        keys = [self._key(text) for text in texts]
        found = {key: known for key in keys if (known := self._known.get(key)) is not None}
        left = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        sized = [(one, one[1].n_tokens) for one in left.items()]
        for chunk in chunks(sized, self._chunk_tokens):
            for (key, _text), known in zip(chunk, self._read([text for _key, text in chunk]), strict=True):
                found[key] = known
                self._known.put(key, known)
        return [found[key] for key in keys]

    def _key(self, text: TrainingText) -> Hashable:
        info = self._loaded.info
        return info.model_id, info.revision, text.input_ids, text.is_trained

    def _read(self, texts: Sequence[TrainingText]) -> list[Known]:
        batch = packed([texts])
        ids, positions, visible, nodes, labels = (
            torch.from_numpy(part).to(self._loaded.device)
            for part in (batch.input_ids, batch.position_ids, batch.visible, batch.nodes, batch.labels)
        )
        output = self.tree.base_model(
            input_ids=ids, position_ids=positions, attention_mask=visible, use_cache=False
        )
        states = output.last_hidden_state[0, nodes]
        logprobs = torch.cat(
            [
                logits_of(self.tree, states[part]).log_softmax(-1).gather(-1, labels[part, None])[:, 0]
                for part in parts(len(nodes))
            ]
        )
        check_finite(self._loaded, logprobs)
        counts = [text.n_trained for text in texts]
        each = zip(torch.split(states, counts), torch.split(logprobs, counts), strict=True)
        return [Known(own.clone(), told.clone()) for own, told in each]


@torch.no_grad()
def kl_from(reference: Reference, tree: Any, states: Tensor, ref_states: Tensor) -> Tensor:  # noqa: ANN401
    """KL divergence of a policy's next-token distribution from the reference's at each place, nats.

    Args:
        reference: The reference.
        tree: The policy's tree of modules, which has the vocabulary head.
        states, ref_states: The residual streams after the final norm of both. Shape [token, d_model].

    Returns:
        Exact: summed over the whole vocabulary. Shape [token].

    Source:
        As `core.policy.leash.kl_divergence`.
    """
    found = [states.new_zeros(0, dtype=torch.float32)]
    for part in parts(len(states)):
        own = logits_of(tree, states[part]).log_softmax(-1)
        theirs = logits_of(reference.tree, ref_states[part]).log_softmax(-1)
        found.append((own.exp() * (own - theirs)).sum(-1).clamp_(min=0))  # rounding alone makes it negative
    return torch.cat(found)


def parts(n: int) -> Iterator[slice]:
    """So many tokens in parts whose distributions fit in memory together."""
    return (slice(start, start + CHUNK) for start in range(0, n, CHUNK))


def chunks(sized: Sequence[tuple[T, int]], max_tokens: int) -> Iterator[list[T]]:
    """Things in their order, at most so many tokens together.

    Args:
        sized: Each with its number of tokens.
        max_tokens: Most tokens; a larger thing is alone.

    Example:
        >>> list(chunks([("a", 3), ("b", 3), ("c", 9)], max_tokens=6))
        [['a', 'b'], ['c']]
    """
    chunk: list[T] = []
    n = 0
    for one, n_tokens in sized:
        if chunk and n + n_tokens > max_tokens:
            yield chunk
            chunk, n = [], 0
        chunk.append(one)
        n += n_tokens
    if chunk:
        yield chunk
