"""The residual stream after every layer, read with the final norm and the vocabulary head, column by column.

A column is one position: the states after every layer. It is computed once for all who read the same text,
in jobs of a few columns, so that others get their turns in between.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from playground.core.byte_cache import ByteCache
from playground.core.residual import Lens
from playground.engine.forward.head import logits_of
from playground.engine.forward.weights import final_norm
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel

CHUNK_ROWS = 64  # 64 states times 49,152 tokens: 0.05 s on two cores, so nobody waits longer
Ids = tuple[int, ...]


class Columns:
    """The columns of one text that are known already.

    Args:
        loaded: A decoder.
        ids: Token ids of the text.
        n_top: Number of tokens wanted of each state.
        keep_logits: True if all logits are wanted.
        cache: Cache of columns.
    """

    def __init__(
        self, loaded: LoadedModel, ids: Ids, n_top: int, *, keep_logits: bool, cache: ByteCache[Any]
    ) -> None:
        info = loaded.info
        self.key: Hashable = ("lens", info.model_id, info.revision, info.dtype, ids)
        self.n_top, self.keep_logits, self._cache = n_top, keep_logits, cache

    def get(self, position: int) -> Lens | None:
        """One column, if it is known as far as it is wanted."""
        found = self._cache.get((self.key, position))
        if not isinstance(found, Lens) or found.top_ids.shape[-1] < self.n_top:
            return None
        if self.keep_logits and found.logits is None:
            return None
        return found

    def put(self, column: Lens) -> None:
        """Keep one column."""
        self._cache.put((self.key, column.positions[0]), column)


@dataclass(frozen=True)
class LensWork:
    """Payload of the job of a few columns; its result is a `Lens` of each.

    Attributes:
        loaded: A decoder.
        states: After every layer, the last one normed. Shape [layer + 1, position, d_model].
        positions: The columns, positions in `states`.
        columns: Cache of this text's columns: another request may have computed some in between.
    """

    loaded: LoadedModel
    states: NDArray[np.float32]
    positions: tuple[int, ...]
    columns: Columns
    n_forwards: int = 0

    def run(self) -> list[Lens]:
        """Norm, head and softmax of the columns that nobody has computed yet."""
        made = {position: self.columns.get(position) for position in self.positions}
        for column in self._read([position for position, known in made.items() if known is None]):
            self.columns.put(column)
            made[column.positions[0]] = column
        return [column for column in made.values() if column is not None]

    def _read(self, positions: Sequence[int]) -> list[Lens]:
        if not positions:
            return []
        loaded, n_layer, n_top = self.loaded, len(self.states), self.columns.n_top
        states = torch.from_numpy(self.states[:, positions]).to(loaded.device, loaded.dtype)
        states = torch.cat([final_norm(loaded)(states[:-1]), states[-1:]])
        logits = logits_of(loaded.model, states.flatten(0, 1))
        check_finite(loaded, logits)
        total = logits.logsumexp(-1, keepdim=True)
        top = logits.topk(n_top)
        shape = (n_layer, len(positions), -1)
        ids, probs = (part.cpu().numpy().reshape(shape) for part in (top.indices, (top.values - total).exp()))
        numbers = logits.cpu().numpy().reshape(shape)
        answers = np.broadcast_to(numbers[-1:].argmax(-1, keepdims=True), (n_layer, len(positions), 1))
        answer = np.take_along_axis(numbers, answers, axis=-1)
        answer_probs = np.exp(answer - total.cpu().numpy().reshape(shape))[..., 0]
        answer_ranks = np.count_nonzero(numbers > answer, axis=-1)  # ten times as fast as torch's sum
        return [
            Lens(
                positions=(position,),
                top_ids=ids[:, [at]],
                top_probs=probs[:, [at]],
                answer_probs=answer_probs[:, [at]],
                answer_ranks=answer_ranks[:, [at]],
                logits=numbers[:, at].copy() if self.columns.keep_logits else None,
            )
            for at, position in enumerate(positions)
        ]


def chunks(positions: Sequence[int], n_layer: int) -> Iterator[Ids]:
    """Positions in their order, as many together as one job may read.

    Args:
        positions: Columns wanted.
        n_layer: States of a column.
    """
    n_columns = max(1, CHUNK_ROWS // n_layer)
    for start in range(0, len(positions), n_columns):
        yield tuple(positions[start : start + n_columns])
