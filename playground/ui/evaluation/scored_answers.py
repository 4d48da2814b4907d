"""Scores of the answers on a board: BLEU, ROUGE-L, and the cosine of an encoder; each computed once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.core.byte_cache import ByteCache
from playground.core.metrics.bleu import BleuTokenizer, sentence_bleu
from playground.core.metrics.rouge import RougeTokenizer, rouge
from playground.core.scripts import script_of
from playground.core.sentences import Vectors, sentence_vector
from playground.core.trace import Trace
from playground.engine.contract.models import ModelInfo
from playground.ui import compute
from playground.ui.state import PageContext

_WITHOUT_BLANKS = {"HANGUL", "HIRAGANA", "KATAKANA", "CJK", "THAI"}  # or where a word carries its particle


@dataclass(frozen=True, slots=True)
class Scores:
    """BLEU, 0 to 100, and F1 of ROUGE-L, 0 to 1, of an answer."""

    bleu: float
    rouge_l: float

    @property
    def size_bytes(self) -> int:
        """Bytes kept alive, with the texts of the key."""
        return 2_000


@dataclass(frozen=True, slots=True)
class _Vector:
    """Vector of length 1 of a text. Shape [d_model]."""

    values: Vectors

    @property
    def size_bytes(self) -> int:
        """Bytes kept alive, with the text of the key."""
        return self.values.nbytes + 1_000


_scores: ByteCache[Scores] = ByteCache(2**20)
_vectors: ByteCache[_Vector] = ByteCache(2 * 2**20)


def tokenizers_of(reference: str) -> tuple[BleuTokenizer, RougeTokenizer]:
    """Tokenizers of BLEU and ROUGE for a reference: by characters where its words say little."""
    return ("char", "syllables") if script_of(reference) in _WITHOUT_BLANKS else ("13a", "words")


def scores(answer: str, reference: str) -> Scores:
    """BLEU and ROUGE-L of an answer."""
    known = _scores.get((answer, reference))
    if known is None:
        by_bleu, by_rouge = tokenizers_of(reference)
        bleu = sentence_bleu(answer, [reference], by_bleu).score
        known = Scores(bleu, rouge(answer, [reference], by_rouge)["rougeL"].f1)
        _scores.put((answer, reference), known)
    return known


def cosines(
    context: PageContext, model: ModelInfo | None, answers: Sequence[str], reference: str
) -> list[float]:
    """Cosine of each answer's vector with the reference's; NaN where the model cannot read it, or is None."""
    if model is None:
        return [math.nan] * len(answers)
    texts = [*answers, reference]
    found = {text: _vectors.get((model.model_id, model.revision, text)) for text in texts}
    missing = [text for text in dict.fromkeys(texts) if found[text] is None]
    if missing:
        reads = compute.traces(
            context, model.model_id, [model.prefixes.text + text for text in missing],
            hidden_states=(model.n_layer,), max_tokens=model.max_seq_length,
        )  # fmt: skip
        for at, one in reads:
            if isinstance(one, Trace):
                found[missing[at]] = made = _Vector(sentence_vector(one))
                _vectors.put((model.model_id, model.revision, missing[at]), made)
    right = found[reference]
    return [_cosine(found[text], right) for text in answers]


def _cosine(one: _Vector | None, other: _Vector | None) -> float:
    if one is None or other is None:
        return math.nan
    return float(np.clip(one.values @ other.values, -1, 1))
