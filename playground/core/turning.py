"""Where a row of values goes beyond both its ends: the turn that "from ... to ..." would not tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def turn(values: Sequence[float], digits: int) -> int | None:
    """The place of the value that lies furthest above or below both ends.

    Args:
        values: In order, at least one.
        digits: As they are shown: a turn that rounds away is none.

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
