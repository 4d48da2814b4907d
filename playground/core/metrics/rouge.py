"""ROUGE: the share of a reference that a summary has, in n-grams or as a common subsequence. By rouge-score.

recall = matches / n-grams of the reference, precision = matches / n-grams of the candidate

rouge-score's own tokenizer drops all that is not a-z or 0-9, so that Korean texts have no tokens and score 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import regex

from playground.core.canonical import canonical

RougeTokenizer = Literal["words", "syllables", "ascii"]
ROUGE_TOKENIZERS: tuple[RougeTokenizer, ...] = get_args(RougeTokenizer)
RougeKind = Literal["rouge1", "rouge2", "rougeL"]
ROUGE_KINDS: tuple[RougeKind, ...] = get_args(RougeKind)

_WORD = r"[\p{L}\p{M}\p{N}]"
_SYLLABLE = r"[[\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}]&&\p{L}]"
_PATTERNS = {
    "words": regex.compile(f"{_WORD}+"),
    "syllables": regex.compile(rf"{_SYLLABLE}\p{{M}}*|[{_WORD}--{_SYLLABLE}]+", regex.VERSION1),
}


@dataclass(frozen=True, slots=True)
class Rouge:
    """A ROUGE score.

    Attributes:
        kind: "rouge1" and "rouge2" count 1- and 2-grams, "rougeL" the longest common subsequence.
        precision, recall, f1: 0 to 1.
        n_matched: Shared n-grams, or tokens of the longest common subsequence.
        n_candidate, n_reference: N-grams (tokens for "rougeL") of the candidate and of the reference.
        reference: Number of the reference it is of: the first of those with the highest F1.
    """

    kind: RougeKind
    precision: float
    recall: float
    f1: float
    n_matched: int
    n_candidate: int
    n_reference: int
    reference: int


def rouge_tokens(text: str, tokenizer: RougeTokenizer = "words") -> tuple[str, ...]:
    """The tokens that ROUGE counts, in lower case; punctuation and emoji are left out.

    "words" are runs of letters and digits of any script, in ASCII texts those of rouge-score's own tokenizer.
    "syllables" also takes each Hangul syllable and each Chinese or Japanese character for itself, so that a
    Korean word with another particle still matches. "ascii" is rouge-score's own.

    Example:
        >>> rouge_tokens("서울은 수도다.", "words"), rouge_tokens("서울은", "syllables")
        (('서울은', '수도다'), ('서', '울', '은'))
        >>> rouge_tokens("서울은 BTS의 도시다.", "ascii")
        ('bts',)
    """
    text = canonical(text)
    if tokenizer == "ascii":
        from rouge_score.tokenize import tokenize

        return tuple(tokenize(text, None))
    return tuple(_PATTERNS[tokenizer].findall(text.lower()))


def rouge(
    candidate: str, references: Sequence[str], tokenizer: RougeTokenizer = "words"
) -> dict[RougeKind, Rouge]:
    """ROUGE-1, -2 and -L of a candidate, each against the reference it fits best.

    Args:
        candidate: The text that is scored; one without tokens scores 0.
        references: Right texts, one or more.
        tokenizer: Cuts all of them.

    Raises:
        ValueError: There is no reference.

    Example:
        >>> found = rouge("police kill the gunman", ["police killed the gunman"])
        >>> found["rouge2"].recall, found["rougeL"].recall
        (0.3333333333333333, 0.75)

    Source:
        Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries".
    """
    if not references:
        raise ValueError("no reference to compare with")
    from rouge_score.rouge_scorer import RougeScorer  # 1 s to import

    scorer = RougeScorer([*ROUGE_KINDS], tokenizer=_Tokenizer(tokenizer))
    each = [scorer.score(reference, candidate) for reference in references]
    own = rouge_tokens(candidate, tokenizer)
    found = {}
    for kind in ROUGE_KINDS:
        best = max(range(len(each)), key=lambda at: each[at][kind].fmeasure)
        score = each[best][kind]
        order = 1 if kind == "rougeL" else int(kind[-1])
        n_candidate, n_reference = (
            max(len(tokens) - order + 1, 0) for tokens in (own, rouge_tokens(references[best], tokenizer))
        )
        found[kind] = Rouge(
            kind,
            precision=float(score.precision),
            recall=float(score.recall),
            f1=float(score.fmeasure),
            n_matched=round(score.recall * n_reference),
            n_candidate=n_candidate,
            n_reference=n_reference,
            reference=best,
        )
    return found


class _Tokenizer:
    """A tokenizer as rouge-score asks for one."""

    def __init__(self, name: RougeTokenizer) -> None:
        self._name = name

    def tokenize(self, text: str) -> list[str]:
        return [*rouge_tokens(text, self._name)]
