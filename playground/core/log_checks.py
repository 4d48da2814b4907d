"""Signs in written texts that somebody who runs a model watches: loops, personal data, ends that were cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

N_GRAM, N_LEAST = 4, 12  # words of a repeated run, and words of a text that is judged
LOOP_SHARE = 0.5
_PERSONAL = {
    "email": re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"),
    "phone": re.compile(r"(?<!\d)(?:\+\d{1,3}[ -])?\(?0?\d{2,4}\)?[ -]\d{3,4}[ -]\d{4}(?!\d)"),
    "registration": re.compile(r"(?<!\d)\d{6}-[1-4]\d{6}(?!\d)"),
}
_MOST_CHARS = 20_000


def repeated_share(text: str) -> float:
    """Share of the runs of four words that stood in the text before; 0 for a short one.

    Example:
        >>> round(repeated_share("one two three four " * 6), 2)
        0.81
        >>> repeated_share("each of these words stands in this text only once and no more")
        0.0
    """
    words = text[:_MOST_CHARS].split()
    if len(words) < N_LEAST:
        return 0.0
    runs = Counter(zip(*(words[at:] for at in range(N_GRAM)), strict=False))
    return 1 - len(runs) / runs.total()


def personal(text: str) -> tuple[str, ...]:
    """Kinds of personal data that a text seems to hold: email, phone, registration (a Korean number).

    A pattern, no proof: it says where somebody should look.

    Example:
        >>> personal("write to kim@school.kr or 010-1234-5678"), personal("the year 1945-1950")
        (('email', 'phone'), ())
    """
    return tuple(kind for kind, pattern in _PERSONAL.items() if pattern.search(text[:_MOST_CHARS]))


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 95th percentile of some times; NaN twice without any.

    Args:
        seconds: Times, in any unit. Shape [n].

    Example:
        >>> percentiles([1.0, 2.0, 3.0])
        (2.0, 2.9)
    """
    if not seconds:
        return float("nan"), float("nan")
    middle, late = np.percentile(np.asarray(seconds, dtype=float), (50, 95))
    return float(middle), round(float(late), 9)
