"""The order experiment: the same tokens in another order, and the change of each token's vector."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from playground.core.tokens import Tokenization

Order = tuple[int, ...]


def words(tokenization: Tokenization) -> list[tuple[int, ...]]:
    """The tokens of each word (what spaces separate), or each token alone where there are fewer than 3 words.

    Tokens that share a character stay together. Tokens the tokenizer added belong to no word.

    Example:
        >>> spans = ((0, 0), (0, 3), (4, 7), (7, 9), (10, 13), (13, 13))
        >>> special = (True, False, False, False, False, True)
        >>> words(Tokenization("m", "The catty sat", (1,) * 6, ("",) * 6, (b"",) * 6, spans, special))
        [(1,), (2, 3), (4,)]
    """
    text = tokenization.text
    by_space: list[list[int]] = []
    alone: list[list[int]] = []
    reach, opened_at = -1, 0
    for token, (start, end) in enumerate(tokenization.offsets):
        if tokenization.special[token]:
            continue
        new = start >= reach
        after_space = text[:start][-1:].isspace() or text[start : start + 1].isspace()
        opens_word = new and after_space and text[opened_at:start].strip() != ""
        opened_at = start if opens_word else opened_at
        for groups, opens in ((by_space, opens_word), (alone, new)):
            if opens or not groups:
                groups.append([token])
            else:
                groups[-1].append(token)
        reach = max(reach, end)
    return [tuple(group) for group in (by_space if len(by_space) > 2 else alone)]


def shuffled(groups: list[tuple[int, ...]], n_tokens: int, seed: int, *, keep_last: bool) -> Order | None:
    """Another order of the words; all other tokens stay where they are.

    Args:
        groups: Tokens of each word, from `words`.
        n_tokens: Length of the whole text.
        seed: Seed of the random order.
        keep_last: Leave the last word at the end.

    Returns:
        For each position, the token that stands there now; None where there is only one order.

    Example:
        >>> shuffled([(1,), (2, 3)], 5, 0, keep_last=False)
        (0, 2, 3, 1, 4)
    """
    n = len(groups) - keep_last
    if n < 2:
        return None
    random = np.random.Generator(np.random.Philox(seed))
    permuted = random.permutation(n)
    while (permuted == np.arange(n)).all():
        permuted = random.permutation(n)
    moved = [token for index in (*permuted, *range(n, len(groups))) for token in groups[index]]
    order = list(range(n_tokens))
    for index, token in zip(sorted(moved), moved, strict=True):
        order[index] = token
    return tuple(order)


def differences(
    before: NDArray[np.float32], after: NDArray[np.float32], order: Order, *, position: int | None = None
) -> NDArray[np.float64]:
    """Relative change of each layer's vectors when the tokens were put into another order.

    Args:
        before: Hidden states of the text. Shape [layer, position, d_model].
        after: Those of the reordered text, token `order[i]` at position i. Same shape.
        order: From `shuffled`.
        position: Look at the token at this position only; None looks at all.

    Returns:
        The largest |after - before| / |before| of any token; 0 = the same set of vectors. Shape [layer].
    """
    same = before[:, list(order)].astype(np.float64)
    moved = np.linalg.norm(after - same, axis=-1) / np.linalg.norm(same, axis=-1)
    largest: NDArray[np.float64] = moved.max(axis=-1) if position is None else moved[:, position]
    return largest
