"""Options of a poll that a model gives: next tokens, and heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.core.classroom.polls import Poll
from playground.core.heads import head_name

Head = tuple[int, int]


def candidates(logits: NDArray[np.floating[Any]], n: int) -> dict[int, float]:
    """The most probable tokens and their probabilities, best first; of equal ones the smaller id.

    Args:
        logits: Of the next token, nats. Shape [d_vocab].
        n: Number of tokens.

    Example:
        >>> candidates(np.log([0.25, 0.5, 0.25]), 2)
        {1: 0.5, 0: 0.25}
    """
    scores = logits.astype(np.float64)
    weights = np.exp(scores - scores.max())
    probs = weights / weights.sum()
    ids = np.argsort(-probs, kind="stable")[:n]
    return {int(token): round(float(probs[token]), 12) for token in ids}


def token_poll(text: str, options: Mapping[str, float], model: str) -> Poll:
    """A poll on the next token; the options stand in the order of the alphabet, which tells nothing.

    Args:
        text: The text before it.
        options: Token as it is shown -> the model's probability.
        model: The model.

    Example:
        >>> poll = token_poll("It is", {"·so": 0.2, "·a": 0.5}, "m")
        >>> poll.options, poll.measures, poll.right
        (('·a', '·so'), (0.5, 0.2), 0)
    """
    names = sorted(options)
    measures = tuple(options[name] for name in names)
    return Poll("next", text, tuple(names), measures, _first(measures), model)


def choose_heads(bits: Mapping[Head, float], links: NDArray[np.float32], n: int) -> list[Head]:
    """The head that is needed most, and beside it the strongest links of the others, in the order of layers.

    So the most needed head need not be the one that looks hardest.

    Args:
        bits: Head -> bits that the next token changes by without it.
        links: Strongest weight of each head from the last token to one before it. Shape [layer, head].
        n: Number of heads.

    Example:
        >>> bits = {(0, 0): 0.1, (0, 1): 0.9, (1, 0): 0.0, (1, 1): 0.2}
        >>> choose_heads(bits, np.array([[0.9, 0.1], [0.8, 0.3]], dtype=np.float32), 3)
        [(0, 0), (0, 1), (1, 0)]
    """
    needed = max(bits, key=bits.__getitem__)
    others = sorted((head for head in bits if head != needed), key=lambda head: -float(links[head]))
    return sorted([needed, *others[: n - 1]])


def head_poll(
    text: str, bits: Mapping[Head, float], links: Mapping[Head, tuple[float, str]], model: str
) -> Poll:
    """A poll on the head that the next token needs most.

    Args:
        text: The text before it.
        bits: Head -> bits lost without it, of the heads to choose from.
        links: Head -> its strongest weight from the last token, and the token it looks at.
        model: The model.

    Example:
        >>> bits, links = {(0, 1): 0.9, (1, 0): 0.1}, {(0, 1): (0.3, "·cat"), (1, 0): (0.8, "·sat")}
        >>> poll = head_poll("The cat sat", bits, links, "m")
        >>> poll.options, poll.right
        (('1.2 · 30 % → ·cat', '2.1 · 80 % → ·sat'), 0)
    """
    heads = sorted(bits)
    names = [
        f"{head_name(*head)} · {links[head][0]:.0%} → {links[head][1]}".replace("%", " %") for head in heads
    ]
    measures = tuple(bits[head] for head in heads)
    return Poll("head", text, tuple(names), measures, _first(measures), model)


def _first(measures: tuple[float, ...]) -> int | None:
    """Place of the largest value; None where two are the largest."""
    top = max(measures, default=0.0)
    return measures.index(top) if measures.count(top) == 1 else None
