"""Models trained from zero as tidy tables; column names stand here only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.core.metrics.intervals import wilson_interval

Points = Sequence[tuple[int, float]]
NATS_A_BIT = math.log(2)
ALL_EQUAL = 8.0  # bits of a byte when all 256 are equally probable


def curves(runs: Mapping[str, tuple[Points, Points]], counted: Mapping[int, float]) -> pd.DataFrame:
    """Losses of runs, one row per point, and the lines of count models, one row each.

    Args:
        runs: Name of each run -> (step, loss) in training and held-out, nats per byte.
        counted: Bytes that a count model looks at, the next one included -> its held-out bits per byte.

    Returns:
        series, data (train, held_out, line), step, bits, order (0 for runs, and for the line of no model at
        all). A loss that is not finite is missing.
    """
    rows = [
        (name, data, step, loss / NATS_A_BIT, 0)
        for name, both in runs.items()
        for data, points in zip(("train", "held_out"), both, strict=True)
        for step, loss in points
    ]
    rows += [("", "line", 0, bits, order) for order, bits in {0: ALL_EQUAL, **counted}.items()]
    table = pd.DataFrame(rows, columns=["series", "data", "step", "bits", "order"])
    table = table.astype({"step": np.int64, "bits": np.float64, "order": np.int64})
    return table.assign(bits=table["bits"].where(np.isfinite(table["bits"])))


def word_shares(runs: Mapping[str, Sequence[tuple[int, int, int]]]) -> pd.DataFrame:
    """Share of written words that are words of the text read, one row per run and milestone.

    Args:
        runs: Name of each run -> step, written words that are words of the text, written words.

    Returns:
        series, step, share, low, high (Wilson's 95 % interval), n_words, n. Milestones without a word are
        left out: there is nothing to share.
    """
    rows = [
        (name, step, n_words / n, *wilson_interval(n_words, n), n_words, n)
        for name, points in runs.items()
        for step, n_words, n in points
        if n
    ]
    table = pd.DataFrame(rows, columns=["series", "step", "share", "low", "high", "n_words", "n"])
    return table.astype({"step": np.int64, "share": np.float64, "n": np.int64, "n_words": np.int64})


def samples(runs: Mapping[str, Sequence[tuple[int, str, str]]]) -> pd.DataFrame:
    """Texts written at milestones.

    Args:
        runs: Name of each run -> step, prompt, text.

    Returns:
        series, step, prompt, text.
    """
    rows = [(name, *one) for name, points in runs.items() for one in points]
    return pd.DataFrame(rows, columns=["series", "step", "prompt", "text"])


def byte_map(ids: Sequence[int], points: NDArray[np.float64]) -> pd.DataFrame:
    """Embeddings of bytes on two axes.

    Args:
        ids: The bytes.
        points: Shape [byte, 2].

    Returns:
        byte, label, kind, x, y, is_named (True where the label is a character by itself).
    """
    rows = [
        (one, byte_label(one), byte_kind(one), float(x), float(y), 32 < one < 127)
        for one, (x, y) in zip(ids, points.tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["byte", "label", "kind", "x", "y", "is_named"])


def byte_label(byte: int) -> str:
    """A byte as it is shown: its ASCII character, a space as ␣, any other in hexadecimal.

    Example:
        >>> [byte_label(one) for one in (97, 32, 10, 0xEC)]
        ['a', '␣', '0A', 'EC']
    """
    if byte == 32:
        return "␣"
    return chr(byte) if 32 < byte < 127 else f"{byte:02X}"


def byte_kind(byte: int) -> str:
    """The kind of a byte: what it is in ASCII, else the first or a next byte of a UTF-8 character.

    Example:
        >>> [byte_kind(ord(one)) for one in "aBc1."]
        ['vowel', 'capital', 'consonant', 'digit', 'sign']
        >>> [byte_kind(one) for one in "가".encode()]
        ['first', 'next', 'next']

    Source:
        Yergeau 2003, RFC 3629, "UTF-8, a transformation format of ISO 10646", section 3.
    """
    if byte >= 0x80:
        return "first" if byte >= 0xC0 else "next"
    letter = chr(byte)
    if letter.isdigit():
        return "digit"
    if not letter.isalpha():
        return "sign"
    if letter.isupper():
        return "capital"
    return "vowel" if letter in "aeiou" else "consonant"


def halves(parts: Mapping[str, Points]) -> pd.DataFrame:
    """Bits per byte of the parts of a text by step.

    Args:
        parts: read, held_out, unread -> (step, loss) in nats per byte.

    Returns:
        data, step, bits.
    """
    rows = [(part, step, loss / NATS_A_BIT) for part, points in parts.items() for step, loss in points]
    table = pd.DataFrame(rows, columns=["data", "step", "bits"])
    return table.astype({"step": np.int64, "bits": np.float64})


def transfer(bodies: Mapping[str, Sequence[tuple[int, float, int]]]) -> pd.DataFrame:
    """Accuracy of a head on each body against the number of labels.

    Args:
        bodies: Name of each body -> number of labels, right answers (a mean over draws need not be whole),
            held-out items.

    Returns:
        series, n_labels, accuracy, low, high (Wilson's 95 % interval), n.
    """
    rows = [
        (name, n_labels, n_right / n, *wilson_interval(n_right, n), n)
        for name, points in bodies.items()
        for n_labels, n_right, n in points
    ]
    return pd.DataFrame(rows, columns=["series", "n_labels", "accuracy", "low", "high", "n"])
