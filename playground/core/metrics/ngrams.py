"""N-grams that a candidate shares with references: the counts of BLEU and ROUGE, and where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NgramCount:
    """Occurrences of one n-gram in a candidate and in its references.

    Attributes:
        tokens: Its tokens.
        n_candidate: Times in the candidate.
        n_reference: Times in the reference that has it most often.
    """

    tokens: tuple[str, ...]
    n_candidate: int
    n_reference: int

    @property
    def n_matched(self) -> int:
        """Times that count: no more often than a reference has it (clipping)."""
        return min(self.n_candidate, self.n_reference)

    @property
    def n_clipped(self) -> int:
        """Times in the candidate beyond that, if a reference has it at all."""
        return self.n_candidate - self.n_reference if 0 < self.n_reference < self.n_candidate else 0


@dataclass(frozen=True, slots=True)
class NgramMatches:
    """The n-grams of one length in a candidate, and their matches.

    Attributes:
        order: Tokens of an n-gram.
        counts: Each n-gram of the candidate once, in the order of its first place.
        in_candidate: Places (first token) whose n-gram counts: the first n_matched of each.
        in_references: The same in each reference: the first places of what the candidate has too.
        n_references: N-grams of each reference.
    """

    order: int
    counts: tuple[NgramCount, ...]
    in_candidate: tuple[int, ...]
    in_references: tuple[tuple[int, ...], ...]
    n_references: tuple[int, ...]

    @property
    def n_matched(self) -> int:
        """Matches: what BLEU's precision counts."""
        return sum(each.n_matched for each in self.counts)

    @property
    def n_candidate(self) -> int:
        """N-grams of the candidate: what BLEU's precision divides by."""
        return sum(each.n_candidate for each in self.counts)


def ngrams(tokens: Sequence[str], order: int) -> list[tuple[str, ...]]:
    """The n-grams of some tokens, in order.

    Example:
        >>> ngrams(["a", "b", "c"], 2)
        [('a', 'b'), ('b', 'c')]
    """
    return [tuple(tokens[at : at + order]) for at in range(len(tokens) - order + 1)]


def ngram_matches(candidate: Sequence[str], references: Sequence[Sequence[str]], order: int) -> NgramMatches:
    """The n-grams of a candidate, each with how often it counts.

    Args:
        candidate: Tokens of the candidate.
        references: Tokens of each reference.
        order: Tokens of an n-gram.

    Example:
        >>> found = ngram_matches(["the"] * 7, ["the cat is on the mat".split()], 1)
        >>> found.n_matched, found.n_candidate, found.in_candidate, found.in_references
        (2, 7, (0, 1), ((0, 4),))

    Source:
        Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation", 2.1.
    """
    own = ngrams(candidate, order)
    theirs = [ngrams(each, order) for each in references]
    counted = [Counter(each) for each in theirs]
    n_own = Counter(own)
    most = {ngram: max((each[ngram] for each in counted), default=0) for ngram in n_own}
    counts = tuple(NgramCount(ngram, n, most[ngram]) for ngram, n in n_own.items())
    return NgramMatches(
        order,
        counts,
        _first_places(own, most),
        tuple(_first_places(each, n_own) for each in theirs),
        tuple(map(len, theirs)),
    )


def _first_places(
    found: Sequence[tuple[str, ...]], at_most: Mapping[tuple[str, ...], int]
) -> tuple[int, ...]:
    seen: Counter[tuple[str, ...]] = Counter()
    places = []
    for at, ngram in enumerate(found):
        if seen[ngram] < at_most.get(ngram, 0):
            seen[ngram] += 1
            places.append(at)
    return tuple(places)


def common_subsequence(reference: Sequence[str], candidate: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """A longest common subsequence: tokens that both have in the same order, gaps allowed; ROUGE-L counts it.

    Where there are several, the one that rouge-score finds.

    Args:
        reference, candidate: Tokens.

    Returns:
        Places in the reference and in the candidate, in order.

    Example:
        >>> common_subsequence("police killed the gunman".split(), "the gunman police killed".split())
        ((0, 2), (1, 3))

    Source:
        Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", 3.1.
    """
    width = len(candidate) + 1
    table = [[0] * width]
    for token in reference:
        above, row = table[-1], [0] * width
        for at, other in enumerate(candidate, 1):
            row[at] = above[at - 1] + 1 if token == other else max(above[at], row[at - 1])
        table.append(row)
    pairs, i, j = [], len(reference), len(candidate)
    while i and j:
        if reference[i - 1] == candidate[j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif table[i][j - 1] > table[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return tuple(reversed(pairs))
