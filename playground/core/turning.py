"""The turning point of a row of values that goes beyond both its ends, which "from ... to ..." would hide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def turn(values: Sequence[float], digits: int) -> int | None:
    """The index of the value that lies furthest above or below both ends.

    Args:
        values: Values in order, at least one.
        digits: Digits they are shown with: a turn that rounds away does not count.

    Returns:
        Its index; None where all lie between the ends.

    Example:
        >>> turn([-1.10, -0.42, -3.0, -6.81], 2), turn([0.5, 0.501, 0.502], 2), turn([1, 0, 2], 0)
        (1, None, 1)
    """
    shown = np.round(np.asarray(values, dtype=np.float64), digits)
    low, high = sorted((shown[0], shown[-1]))
    beyond = np.maximum(shown - high, low - shown)
    furthest = int(beyond.argmax())
    return furthest if beyond[furthest] > 0 else None
