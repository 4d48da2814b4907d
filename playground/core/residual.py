"""The residual stream read with the model's own last steps: logit lens and direct logit attribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64] | NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Unembedding:
    """The final norm of a model and the rows of its vocabulary head for some tokens.

    Attributes:
        norm: "rms" (Zhang & Sennrich 2019) or "layer" (Ba et al. 2016).
        weight: Scale of the norm. Shape [d_model].
        bias: Shift of the norm, zeros for "rms". Shape [d_model].
        epsilon: Added to the mean square before the root.
        token_ids: The tokens. Length [n].
        rows: Rows of the head for these tokens. Shape [n, d_model].
        row_bias: Biases of the head, zeros where it has none. Shape [n].
    """

    norm: Literal["rms", "layer"]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    epsilon: float
    token_ids: tuple[int, ...]
    rows: NDArray[np.float32]
    row_bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Lens:
    """The logit lens: the model's answer if it stopped after each layer.

    Attributes:
        positions: The positions of the text that were read. Length [position].
        top_ids: The most probable tokens after each layer, best first; layer 0 is the embedding, the last
            is the model's own answer. Shape [layer + 1, position, n_top].
        top_probs: Their probabilities. Same shape.
        answer_probs: Probability of the model's own answer after each layer. Shape [layer + 1, position].
        answer_ranks: Rank of that answer, 0 = first. Shape [layer + 1, position].
        logits: Logits at one position, float32, nats; None unless asked for. Shape [layer + 1, d_vocab].

    Source:
        nostalgebraist 2020, "interpreting GPT: the logit lens", lesswrong.com/posts/AcKRB8wDpdaN6v6ru.
    """

    positions: tuple[int, ...]
    top_ids: NDArray[np.int64]
    top_probs: NDArray[np.float32]
    answer_probs: NDArray[np.float32]
    answer_ranks: NDArray[np.int64]
    logits: NDArray[np.float32] | None = None

    @property
    def answer_ids(self) -> NDArray[np.int64]:
        """The model's own answer at each position. Shape [position]."""
        ids: NDArray[np.int64] = self.top_ids[-1, :, 0]
        return ids

    def beside(self, other: Lens, n_top: int) -> Lens:
        """These positions and those of another lens of the same text, with the first tokens of each state."""
        return joined([self, other], n_top) if other.positions else joined([self], n_top)

    @property
    def size_bytes(self) -> int:
        """Size of the arrays it keeps alive, in bytes."""
        arrays = (self.top_ids, self.top_probs, self.answer_probs, self.answer_ranks, self.logits)
        return sum(array.nbytes for array in arrays if array is not None)


def joined(parts: Sequence[Lens], n_top: int) -> Lens:
    """One lens of the positions of several, at least one, of the same text.

    Args:
        parts: In the order of their positions; each has at least `n_top` tokens of each state.
        n_top: Tokens of each state to keep.

    Returns:
        The joined lens, without logits unless there is a single part.
    """
    return Lens(
        positions=tuple(position for part in parts for position in part.positions),
        top_ids=np.concatenate([part.top_ids[..., :n_top] for part in parts], axis=1),
        top_probs=np.concatenate([part.top_probs[..., :n_top] for part in parts], axis=1),
        answer_probs=np.concatenate([part.answer_probs for part in parts], axis=1),
        answer_ranks=np.concatenate([part.answer_ranks for part in parts], axis=1),
        logits=parts[0].logits if len(parts) == 1 else None,
    )


def normed(states: FloatArray, unembedding: Unembedding) -> NDArray[np.float64]:
    """The final norm of a model, as it applies it to the state after its last block.

    Args:
        states: Residual stream before the norm. Shape [..., d_model].
        unembedding: Final norm and head rows of the model.

    Returns:
        Same shape, float64.
    """
    centred = np.asarray(states, dtype=np.float64)
    if unembedding.norm == "layer":
        centred = centred - centred.mean(axis=-1, keepdims=True)
    scale = np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + unembedding.epsilon)
    result: NDArray[np.float64] = centred / scale * unembedding.weight + unembedding.bias
    return result


def attribution(parts: FloatArray, final_state: FloatArray, unembedding: Unembedding) -> NDArray[np.float64]:
    """Direct logit attribution: the share of each part of the residual stream in the logit of each token.

    The norm is linear once its scale is known, and the scale is that of the whole state: so the parts of
    the state are the parts of the logit, and they sum to it.

    Args:
        parts: The vectors that the embedding and every block added at one position; they sum to
            `final_state`. Shape [part, d_model].
        final_state: The state after the last block, before the final norm. Shape [d_model].
        unembedding: Final norm and head rows of n tokens.

    Returns:
        Nats. Shape [part + 1, n]; the last part is the share of the biases, 0 for most models.

    Source:
        Direct logit attribution: Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits",
        section "Path expansion"; Nanda 2022, TransformerLens.
    """
    added = np.asarray(parts, dtype=np.float64)
    whole = np.asarray(final_state, dtype=np.float64)
    if unembedding.norm == "layer":
        added = added - added.mean(axis=-1, keepdims=True)
        whole = whole - whole.mean()
    scale = np.sqrt(np.mean(whole**2) + unembedding.epsilon)
    rows = unembedding.rows.astype(np.float64)
    biases = rows @ unembedding.bias + unembedding.row_bias
    return np.vstack([added / scale * unembedding.weight @ rows.T, biases])
