"""Sentences that a masked-LM head learns from, and which of their tokens are masked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Tokenizer

MAX_TOKENS = 64
SHARE_MASKED = 0.2  # of the tokens, or of the words, of a sentence; at least one
SHARE_OF_WHOLE_WORDS = 0.3  # of the sentences, whose masks are all tokens of some words


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as token ids.

    Attributes:
        text: The sentence.
        ids: Its tokens with their frame, at most `MAX_TOKENS`. Shape [token].
        words: Number of the word, between spaces, that each token belongs to, -1 in the frame. Shape [token].
    """

    text: str
    ids: tuple[int, ...]
    words: tuple[int, ...]

    @property
    def language(self) -> str:
        """ "ko" where there is Hangul, otherwise "en"."""
        return "ko" if re.search("[가-힣]", self.text) else "en"


def is_held_out(text: str) -> bool:
    """True for one sentence of eight, by its SHA-256: no other sentence moves it to the other side."""
    return hashlib.sha256(text.encode()).digest()[3] % 16 < 2


def cut(texts: Iterable[str], tokenizer: Tokenizer) -> tuple[Sentence, ...]:
    """The texts as token ids, longest last: neighbours share a batch with little padding."""
    sentences = [_cut(text, tokenizer.encode(text)) for text in texts]
    return tuple(sorted(sentences, key=lambda one: (len(one.ids), one.text)))


def _cut(text: str, encoding: Any) -> Sentence:  # noqa: ANN401  (a tokenizers.Encoding, which is not exported)
    starts = [match.start() for match in re.finditer(r"\S+", text)]
    words = [
        -1 if start == end else sum(begin < end for begin in starts) - 1 + text[end - 1].isspace()
        for start, end in encoding.offsets
    ]
    return Sentence(text, tuple(encoding.ids[:MAX_TOKENS]), tuple(words[:MAX_TOKENS]))


def some_masked(sentence: Sentence, drawn: np.random.Generator) -> list[int]:
    """Positions to mask: single tokens, now and then whole words."""
    inner = [position for position, word in enumerate(sentence.words) if word >= 0]
    if not inner:
        return []
    if drawn.random() >= SHARE_OF_WHOLE_WORDS:
        return sorted(drawn.choice(inner, _n_masked(len(inner)), replace=False).tolist())
    words = sorted({sentence.words[position] for position in inner})
    chosen = set(drawn.choice(words, _n_masked(len(words)), replace=False).tolist())
    return [position for position in inner if sentence.words[position] in chosen]


def one_word_masked(sentence: Sentence, drawn: np.random.Generator) -> list[int]:
    """All positions of one word with a letter in it; none where the sentence has fewer than three such."""
    words = [number for number, word in enumerate(sentence.text.split()) if re.search(r"[^\W\d_]", word)]
    if len(words) < 3:
        return []
    chosen = int(drawn.choice(words))
    return [position for position, word in enumerate(sentence.words) if word == chosen]


def _n_masked(n: int) -> int:
    return max(1, round(SHARE_MASKED * n))
