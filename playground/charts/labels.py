"""Placement of names beside the points of a map: deterministic, no name on another.

Greedy, after Christensen, Marks & Shieber 1995, "An empirical study of algorithms for point-feature label
placement": each label takes the first free place of a list that begins right beside its point.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_RINGS = (0, 12, 24, 38, 54, 72, 92)  # pixels from the nearest place
_TURNS = 16


def place_labels(
    points: Array, labels: Sequence[str], *, size: tuple[float, float], font: float, gap: float = 8
) -> Array:
    """Left middle of each label, in pixels.

    Args:
        points: The points, in pixels. Shape [n, 2].
        labels: One per point.
        size: Width and height of the picture: labels stay inside.
        font: Height of the letters in pixels.
        gap: Distance from the middle of a point to its label, in pixels.

    Returns:
        Shape [n, 2].

    Example:
        >>> points = np.array([[50.0, 50.0], [52.0, 50.0]])
        >>> place_labels(points, ["a", "b"], size=(100, 100), font=10).tolist()
        [[58.0, 50.0], [38.2, 50.0]]
    """
    points = np.asarray(points, np.float64)
    high, half = font * 1.15, gap * 0.7
    dots = np.hstack([points - half, points + half])
    taken = np.zeros((0, 4))
    left_middles = np.zeros((len(points), 2))
    for row, ((x, y), label) in enumerate(zip(points, labels, strict=True)):
        wide = width(label, font)
        tried = np.array(_candidates(x, y, wide, high, gap))
        tried[:, 0] = tried[:, 0].clip(0, max(size[0] - wide, 0))
        tried[:, 1] = tried[:, 1].clip(high / 2, size[1] - high / 2)
        edge = np.array([0, high / 2])
        boxes = np.hstack([tried - edge, tried + edge + np.array([wide, 0])])
        cost = 4 * _shared(boxes, taken) + _shared(boxes, dots)
        best = int(cost.argmin())
        taken = np.vstack([taken, boxes[best]])
        left_middles[row] = tried[best]
    return left_middles


def leaders(
    points: Array, left_middles: Array, labels: Sequence[str], *, font: float, gap: float = 8
) -> Array:
    """End of a thin line from each point to its label; the point itself where they stand together.

    Args:
        points, labels, font, gap: As in `place_labels`.
        left_middles: From `place_labels`. Shape [n, 2].

    Returns:
        Shape [n, 2], in pixels.
    """
    wide = np.array([width(label, font) for label in labels]).reshape(-1)
    half = font * 1.15 / 2
    x = np.clip(points[:, 0], left_middles[:, 0], left_middles[:, 0] + wide)
    y = np.clip(points[:, 1], left_middles[:, 1] - half, left_middles[:, 1] + half)
    ends = np.stack([x, y], axis=1)
    far = np.linalg.norm(ends - points, axis=1) > gap + 2
    shown_ends: Array = np.where(far[:, None], ends, points)
    return shown_ends


def width(label: str, font: float) -> float:
    """About how wide a label is drawn, in pixels; Hangul and the like are as wide as high."""
    return sum(font * (1.0 if unicodedata.east_asian_width(c) in "WF" else 0.58) for c in label)


def _candidates(x: float, y: float, wide: float, high: float, gap: float) -> list[tuple[float, float]]:
    """Left middles: right, left, above, below, then on wider and wider rings."""
    candidates = [(x + gap, y), (x - gap - wide, y), (x - wide / 2, y - gap - high / 2)]
    candidates += [(x - wide / 2, y + gap + high / 2)]
    for ring in _RINGS:
        for turn in range(_TURNS):
            angle = 2 * np.pi * turn / _TURNS
            middle_x = x + np.cos(angle) * (gap + wide / 2 + ring)
            middle_y = y - np.sin(angle) * (gap + high / 2 + ring)
            candidates.append((float(middle_x - wide / 2), float(middle_y)))
    return candidates


def _shared(boxes: Array, others: Array) -> Array:
    """Area each box (left, top, right, bottom) shares with all others. Shape [n]."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    areas: Array = np.prod((high - low).clip(0), axis=-1).sum(axis=-1)
    return areas
