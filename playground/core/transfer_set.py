"""Two jobs with few labels, to ask what a body that has read a text saves: form, and meaning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.core import transfer
from playground.core.labelled_sets import LabelledItem, LabelledSet

Job = Literal["backwards", "sentiment"]
JOBS: tuple[Job, ...] = ("backwards", "sentiment")
N_LABELS = (2, 4, 8, 16, 32, 64)
N_REPEATS = 10
BODIES = ("trained", "random")
Curve = tuple[tuple[int, float, int], ...]
"""Number of labels, mean accuracy over the draws, held-out texts."""


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text with its label.

    Attributes:
        text: The text.
        label: The label.
    """

    text: str
    label: str


def labelled_texts(
    reviews: LabelledSet, language: str, job: Job
) -> tuple[tuple[LabelledText, ...], tuple[LabelledText, ...]]:
    """The texts that labels are drawn from, and those that are asked; none is in both.

    "sentiment" keeps the labels of the reviews; for "backwards" every second text of each part has the
    letters of each word in reverse order. The letters are the same, so counting them does not help.

    Args:
        reviews: Short texts with a sentiment.
        language: Their language.
        job: The job.
    """
    drawn, asked = (reviews.part(split, [language]) for split in ("train", "held_out"))
    if job == "sentiment":
        return _as_they_are(drawn), _as_they_are(asked)
    return _every_second_backwards(drawn), _every_second_backwards(asked)


def points(
    vectors: NDArray[np.float32], drawn: Sequence[LabelledText], asked: Sequence[LabelledText]
) -> Curve:
    """Accuracy of a head on the vectors of one body against the number of labels.

    Args:
        vectors: Of the texts of `drawn`, then of `asked`. Shape [text, d_model].
        drawn, asked: From `labelled_texts`.
    """
    found = transfer.curve(
        vectors[: len(drawn)], [one.label for one in drawn], vectors[len(drawn) :],
        [one.label for one in asked], [n for n in N_LABELS if n <= len(drawn)], n_repeats=N_REPEATS,
    )  # fmt: skip
    return tuple((one.n_labels, one.mean, len(asked)) for one in found)


def backwards(text: str) -> str:
    """A text with the characters of each word in reverse order, its last sign where it was.

    Example:
        >>> backwards("The sea is calm.")
        'ehT aes si mlac.'
    """
    words = [word[::-1] for word in text.rstrip(".").split()]
    return " ".join(words) + "." * text.endswith(".")


def _as_they_are(items: Iterable[LabelledItem]) -> tuple[LabelledText, ...]:
    return tuple(LabelledText(one.texts[0], str(one.label)) for one in items)


def _every_second_backwards(items: Iterable[LabelledItem]) -> tuple[LabelledText, ...]:
    texts = [one.texts[0] for one in items]
    return tuple(
        LabelledText(backwards(text), "backwards") if place % 2 else LabelledText(text, "forwards")
        for place, text in enumerate(texts)
    )
