"""Names in a text as BIO labels of its tokens, and back.

Apple 은 캘 리 포 니아 에     tokens; a name ends before its particle
B-ORG O  B-LOC I-LOC I-LOC I-LOC O
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from playground.core.jobs.items import NamesItem, NameSpan
from playground.core.metrics.entities import entities

Span = tuple[int, int]
OUTSIDE = "O"


def bio_labels(kinds: Sequence[str]) -> tuple[str, ...]:
    """All labels of some kinds of names, that of no name first.

    Example:
        >>> bio_labels(["PER", "LOC"])
        ('O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC')
    """
    return (OUTSIDE, *(f"{side}-{kind}" for kind in kinds for side in "BI"))


def words_of_tokens(text: str, offsets: Sequence[Span]) -> tuple[Span, ...]:
    """The characters of each token that has any, without the space that some tokenizers put before a word.

    Args:
        text: The text.
        offsets: First character and the one behind the last of each token; (0, 0) of the marks that frame it.

    Example:
        >>> words_of_tokens("a cat", [(0, 0), (0, 1), (1, 5), (0, 0)])
        ((0, 1), (2, 5))
    """
    words: list[Span] = []
    for start, end in offsets:
        start = max(start, words[-1][1] if words else 0)  # tokens that share a character: the first has it
        start += len(text[start:end]) - len(text[start:end].lstrip())
        if start < end:
            words.append((start, end))
    return tuple(words)


def labels_of_words(words: Sequence[Span], names: Sequence[NameSpan]) -> tuple[str, ...]:
    """The BIO label of each word: a word that holds a character of a name belongs to it.

    So the last token of a Korean name may hold its particle: 민수|가 is sometimes one token.

    Args:
        words: Characters of each word, in order.
        names: Names of the text, in order.

    Example:
        >>> labels_of_words([(0, 3), (3, 5), (6, 9)], [NameSpan(0, 4, "PER")])
        ('B-PER', 'I-PER', 'O')
    """
    labels, before = [], None
    for start, end in words:
        name = next((one for one in names if one.start < end and start < one.end), None)
        side = "I" if name is before else "B"
        labels.append(OUTSIDE if name is None else f"{side}-{name.kind}")
        before = name
    return tuple(labels)


def names_of_labels(words: Sequence[Span], labels: Sequence[str]) -> tuple[NameSpan, ...]:
    """The names that BIO labels mark, as characters; an "I-" after another kind begins one (conlleval).

    Example:
        >>> names_of_labels([(0, 3), (3, 5), (6, 9)], ["B-PER", "I-PER", "O"])
        (NameSpan(start=0, end=5, kind='PER'),)
    """
    return tuple(NameSpan(words[one.start][0], words[one.stop - 1][1], one.kind) for one in entities(labels))


def known_names(train: Iterable[NamesItem], text: str) -> tuple[NameSpan, ...]:
    """The baseline of names: those that training texts have, marked wherever they stand; the longest first.

    A word that is a name of two kinds there is left alone.

    Args:
        train: Texts with their names.
        text: The text to mark; a name has to begin at the beginning of a word.

    Source:
        Tjong Kim Sang & De Meulder 2003, "Introduction to the CoNLL-2003 Shared Task", arXiv:cs/0306050: its
        baseline marks complete entities of the training data that have one class.
    """
    kinds: dict[str, set[str]] = {}
    for item in train:
        for name in item.names:
            kinds.setdefault(item.text[name.start : name.end], set()).add(name.kind)
    sure = sorted((word for word in kinds if len(kinds[word]) == 1), key=len, reverse=True)
    if not sure:
        return ()
    found = re.finditer(rf"(?<!\w)({'|'.join(map(re.escape, sure))})", text)
    return tuple(NameSpan(one.start(), one.end(), *kinds[one[1]]) for one in found)


def confused(right: Sequence[NameSpan], answered: Sequence[NameSpan]) -> tuple[tuple[str, str], ...]:
    """(right kind, answered kind) of every name of both; "O" where one side has none with the same borders.

    Example:
        >>> confused([NameSpan(0, 5, "ORG")], [NameSpan(0, 5, "PER"), NameSpan(9, 12, "LOC")])
        (('ORG', 'PER'), ('O', 'LOC'))
    """
    given = {(one.start, one.end): one.kind for one in answered}
    truth = {(one.start, one.end): one.kind for one in right}
    pairs = [(kind, given.get(span, OUTSIDE)) for span, kind in truth.items()]
    return (*pairs, *((OUTSIDE, kind) for span, kind in given.items() if span not in truth))
