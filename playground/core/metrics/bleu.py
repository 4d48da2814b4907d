"""BLEU, by sacrebleu: the share of a candidate's n-grams that a reference has, less if it is short.

BLEU = brevity penalty x (p1 x p2 x p3 x p4)^(1/4), p_n = matched n-grams / n-grams of the candidate

A tokenizer belongs to every BLEU: with another one the same texts have another score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from playground.core.canonical import canonical
from playground.core.metrics.intervals import N_RESAMPLES, percentile_interval

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU

BleuTokenizer = Literal["13a", "intl", "char"]
BLEU_TOKENIZERS: tuple[BleuTokenizer, ...] = get_args(BleuTokenizer)
MAX_ORDER = 4


@dataclass(frozen=True, slots=True)
class Bleu:
    """A BLEU score and the factors it is the product of.

    Attributes:
        score: BLEU, 0 to 100.
        precisions: Precision of 1- to 4-grams, 0 to 100; where nothing matched, smoothed ("exp" of sacrebleu:
            1/2, 1/4, ... of a match); 0 for n-grams longer than the candidate, and where no token matched.
        n_matched: Matched n-grams of 1 to 4 tokens.
        n_total: N-grams of the candidate of 1 to 4 tokens.
        brevity_penalty: 1, or less where the candidate is shorter than the reference.
        n_candidate, n_reference: Tokens of the candidate, and of the reference nearest in length.
        signature: sacrebleu's: how the score was made.
    """

    score: float
    precisions: tuple[float, ...]
    n_matched: tuple[int, ...]
    n_total: tuple[int, ...]
    brevity_penalty: float
    n_candidate: int
    n_reference: int
    signature: str

    @property
    def mean_precision(self) -> float:
        """BLEU without its penalty: the geometric mean of the precisions that are in it, 0 to 100."""
        counted = [precision for precision, n in zip(self.precisions, self.n_total, strict=True) if n]
        if not counted or not all(counted):
            return 0.0
        return math.exp(sum(map(math.log, counted)) / len(counted))


def bleu_tokens(text: str, tokenizer: BleuTokenizer) -> tuple[str, ...]:
    """The tokens that BLEU counts, by a tokenizer of sacrebleu; the text in its canonical form (NFC).

    "13a" splits off ASCII punctuation and is the default of the field; "intl" splits off the punctuation and
    symbols of all scripts; "char" takes every character for itself, the choice for Korean without a
    morphological analyser, since a word with another particle is another word.

    Example:
        >>> bleu_tokens("고양이가 잔다.", "13a"), bleu_tokens("고양이", "char")
        (('고양이가', '잔다', '.'), ('고', '양', '이'))
    """
    split: str = _metric(tokenizer, sentence=True).tokenizer(canonical(text).rstrip())
    return tuple(split.split())


def sentence_bleu(candidate: str, references: Sequence[str], tokenizer: BleuTokenizer = "13a") -> Bleu:
    """BLEU of one candidate: n-grams longer than it are left out, those without a match are smoothed.

    Args:
        candidate: The text that is scored; an empty one scores 0.
        references: Right texts, one or more.
        tokenizer: Cuts all of them.

    Raises:
        ValueError: There is no reference.

    Example:
        >>> found = sentence_bleu("the the the the the the the", ["the cat is on the mat"])
        >>> found.n_matched[0], found.n_total[0]
        (2, 7)

    Source:
        Papineni et al. 2002; Post 2018, "A Call for Clarity in Reporting BLEU Scores", arXiv:1804.08771.
    """
    return _scored([candidate], [references], tokenizer, sentence=True)


def corpus_bleu(
    candidates: Sequence[str], references: Sequence[Sequence[str]], tokenizer: BleuTokenizer = "13a"
) -> Bleu:
    """BLEU of many candidates: their counts added up, which is not the mean of their scores.

    Args:
        candidates: The texts that are scored.
        references: The right texts of each; not all need have as many.
        tokenizer: Cuts all of them.

    Raises:
        ValueError: There is no candidate, or one without a reference.
    """
    return _scored(candidates, references, tokenizer, sentence=False)


def bleu_interval(rows: Sequence[Bleu], *, seed: int = 0) -> tuple[float, float]:
    """The bootstrap's 95 % interval of the BLEU of a corpus.

    Args:
        rows: BLEU of each candidate, whose counts are added up.
        seed: Of the resamples.

    Source:
        Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation".
    """
    from sacrebleu.metrics.bleu import BLEU

    counts = np.array([(*row.n_matched, *row.n_total, row.n_candidate, row.n_reference) for row in rows])
    shares = np.full(len(rows), 1 / len(rows))
    picks = np.random.default_rng(seed).multinomial(len(rows), shares, size=N_RESAMPLES)
    scores = [
        BLEU.compute_bleu(each[:MAX_ORDER], each[MAX_ORDER:-2], each[-2], each[-1], "exp").score
        for each in (picks @ counts).tolist()
    ]
    return percentile_interval(np.array(scores))


def brevity_penalty(n_candidate: int, n_reference: int) -> float:
    """BLEU's factor for a candidate that is too short: 1, or e^(1 - n_reference / n_candidate).

    Example:
        >>> brevity_penalty(12, 10), round(brevity_penalty(5, 10), 3), brevity_penalty(0, 10)
        (1.0, 0.368, 0.0)
    """
    if n_candidate >= n_reference:
        return 1.0
    return math.exp(1 - n_reference / n_candidate) if n_candidate else 0.0


def _scored(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]],
    tokenizer: BleuTokenizer,
    *,
    sentence: bool,
) -> Bleu:
    if not candidates or len(candidates) != len(references) or not all(references):
        raise ValueError(f"{len(candidates)} candidates, references: {[*map(len, references)]}")
    metric = _metric(tokenizer, sentence=sentence)
    texts = [canonical(each) for each in candidates]
    streams = zip_longest(*([canonical(each) for each in right] for right in references))
    score = metric.corpus_score(texts, [[*each] for each in streams])
    return Bleu(
        score.score,
        tuple(score.precisions),
        tuple(score.counts),
        tuple(score.totals),
        score.bp,
        score.sys_len,
        score.ref_len,
        metric.get_signature().format(),
    )


def _metric(tokenizer: BleuTokenizer, *, sentence: bool) -> BLEU:
    """One for each score, since it notes the number of references."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(tokenize=tokenizer, effective_order=sentence, force=True)
    cut: Any = metric.tokenizer
    if hasattr(cut, "_post_tokenizer"):
        cut._post_tokenizer = _uncached(cut._post_tokenizer)
    metric.tokenizer = _uncached(cut)
    return metric


def _uncached(tokenizer: Any) -> Callable[[str], str]:  # noqa: ANN401 - sacrebleu's, without types
    """The tokenizer without its cache, which keeps 65,536 texts of readers."""
    call = type(tokenizer).__call__
    return partial(getattr(call, "__wrapped__", call), tokenizer)
