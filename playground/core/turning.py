"""The turning point of a row of values that goes beyond both its ends, which "from ... to ..." would hide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def turning_point(values: Sequence[float], digits: int) -> int | None:
    """The index of the value that lies furthest above or below both ends.

    Args:
        values: Values in order, at least one.
        digits: Digits they are shown with: a turn that rounds away does not count.

    Returns:
        Its index; None where all lie between the ends.

    Example:
        >>> turning_point([-1.10, -0.42, -3.0, -6.81], 2), turning_point([1, 0, 2], 0)
        (1, 1)
        >>> turning_point([0.5, 0.501, 0.502], 2) is None
        True
    """
    shown = np.round(np.asarray(values, dtype=np.float64), digits)
    low, high = sorted((shown[0], shown[-1]))
    beyond = np.maximum(shown - high, low - shown)
    furthest = int(beyond.argmax())
    return furthest if beyond[furthest] > 0 else None
