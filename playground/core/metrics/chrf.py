"""chrF: F over the character n-grams of candidate and reference, which needs no tokenizer. By sacrebleu."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.canonical import canonical


def chrf(candidate: str, references: Sequence[str]) -> float:
    """chrF of one candidate, 0 to 100: 1- to 6-grams of characters without blanks, recall weighing twice.

    Args:
        candidate: The text that is scored, in its canonical form (NFC); an empty one scores 0.
        references: Right texts, one or more; the one it fits best counts.

    Raises:
        ValueError: There is no reference.

    Example:
        >>> round(chrf("고양이는 잔다", ["고양이가 잔다"]), 1)
        28.1

    Source:
        Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation".
    """
    if not references:
        raise ValueError("no reference to compare with")
    from sacrebleu.metrics.chrf import CHRF

    return float(CHRF().sentence_score(canonical(candidate), [*map(canonical, references)]).score)
