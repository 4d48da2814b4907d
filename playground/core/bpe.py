r"""Byte pair encoding: learn merges from a text, cut new text with them.

Source:
    Sennrich, Haddow & Birch 2016, "Neural Machine Translation of Rare Words with Subword Units",
    arXiv:1508.07909, section 3.2, over bytes and with the word pattern of Radford et al. 2019 (GPT-2).

Example:
    >>> trained = train("aaabdaaabac", 3)
    >>> [step.token for step in trained.steps]
    [b'aa', b'ab', b'aaab']
    >>> trained.decode(trained.encode("aaab 안녕"))
    'aaab 안녕'
"""

from __future__ import annotations

import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import regex

Pair = tuple[int, int]

# A word keeps the space before it; letters, digits and signs never share a word. No word is longer than 64
# characters (GPT-2 has no such bound), so that a text without spaces is trained as fast as any other.
WORDS = regex.compile(
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}{1,64}| ?\p{N}{1,64}| ?[^\s\p{L}\p{N}]{1,64}|\s{1,64}(?!\S)|\s{1,64}"
)
_PRINTABLE = (*range(33, 127), *range(161, 173), *range(174, 256))
_OTHERS = tuple(byte for byte in range(256) if byte not in _PRINTABLE)
BYTES = bytes(_PRINTABLE + _OTHERS)  # token id -> byte, in GPT-2's order
LETTERS = dict(
    zip(BYTES, map(chr, (*_PRINTABLE, *range(256, 256 + len(_OTHERS)))), strict=True)
)  # in its files
N_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One merge of the training.

    Attributes:
        pair: The two token ids that become one.
        token_id: The id they become: a new one, or that of a token with the same bytes.
        token: Bytes of the new token.
        count: Number of times the pair stood in the text.
        n_tied: Number of pairs that were as frequent, itself included.
        candidates: The most frequent pairs before the merge with their counts, in the order they would win.
        n_tokens: Length of the text in tokens after the merge.
    """

    pair: Pair
    token_id: int
    token: bytes
    count: int
    n_tied: int
    candidates: tuple[tuple[Pair, int], ...]
    n_tokens: int


@dataclass(frozen=True)
class BytePairEncoding:
    """A trained byte pair encoding.

    Attributes:
        vocab: Bytes of each token id; the first 256 are the single bytes in GPT-2's order.
        steps: The merges in the order they were learned.
        n_bytes: Length of the training text, which is its length in tokens before the first merge.
        n_words: Words of the training text.
    """

    vocab: tuple[bytes, ...]
    steps: tuple[Step, ...]
    n_bytes: int
    n_words: int

    @property
    def merges(self) -> tuple[tuple[bytes, bytes], ...]:
        """The merged pairs as bytes, in order."""
        return tuple((self.vocab[left], self.vocab[right]) for left, right in (s.pair for s in self.steps))

    def first(self, n_merges: int) -> BytePairEncoding:
        """The encoding as it was after `n_merges` merges."""
        steps = self.steps[:n_merges]
        n_vocab = max([256, *(step.token_id + 1 for step in steps)])
        return BytePairEncoding(self.vocab[:n_vocab], steps, self.n_bytes, self.n_words)

    def encode(self, text: str) -> tuple[int, ...]:
        """Cut `text` into words, the words into bytes, and merge in the order the merges were learned."""
        ids_of: dict[str, list[int]] = {}
        ids: list[int] = []
        for word in words(text):
            if word not in ids_of:
                ids_of[word] = self._encode_word(byte_ids(word))
            ids += ids_of[word]
        return tuple(ids)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; bytes that are not a whole character become U+FFFD."""
        return b"".join(self.vocab[token_id] for token_id in ids).decode("utf-8", errors="replace")

    def merges_txt(self) -> str:
        """The merges in the file format of GPT-2, which the `tokenizers` library reads."""
        lines = [f"{_letters(left)} {_letters(right)}\n" for left, right in self.merges]
        return "".join(["#version: 0.2\n", *lines])

    def vocab_json(self) -> str:
        """The vocabulary in the file format of GPT-2."""
        ids = {_letters(token): token_id for token_id, token in enumerate(self.vocab)}
        return json.dumps(ids, ensure_ascii=False)

    def _encode_word(self, word: list[int]) -> list[int]:
        while len(word) > 1:
            earliest = min(pairwise(word), key=self._rank)
            if earliest not in self._ranks:
                break
            word, _changes = merge(word, earliest, self.steps[self._ranks[earliest]].token_id)
        return word

    def _rank(self, pair: Pair) -> int:
        return self._ranks.get(pair, len(self.steps))

    @cached_property
    def _ranks(self) -> dict[Pair, int]:
        return {step.pair: rank for rank, step in enumerate(self.steps)}


def words(text: str) -> list[str]:
    """Cut a text where no token may reach across.

    Example:
        >>> words("Don't stop, 2 cats")
        ['Don', "'t", ' stop', ',', ' 2', ' cats']
    """
    # As `core.tokens.well_formed`, which this file, shown on its page as it is, does not import.
    parts: list[str] = WORDS.findall(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    return parts


def byte_ids(word: str) -> list[int]:
    """Token ids of the single UTF-8 bytes of a word."""
    return [_ID_OF_BYTE[byte] for byte in word.encode()]


def train(text: str, n_merges: int) -> BytePairEncoding:
    """Merge the most frequent pair of neighbouring tokens, `n_merges` times.

    Of equally frequent pairs the one with the smaller ids wins, the left token's first: the rule of the
    `tokenizers` library. A pair never reaches across two words. Only the words that hold the merged pair are
    counted anew.

    Args:
        text: Training text.
        n_merges: Number of merges to learn; fewer come back when no pair is left.
    """
    return train_words(words(text), n_merges)


def train_words(text: Iterable[str], n_merges: int) -> BytePairEncoding:
    """`train` on a text that is already cut into words."""
    pairs = _Pairs(Counter(text))
    n_bytes, n_words = pairs.n_tokens, sum(pairs.counts)
    vocab = [bytes([byte]) for byte in BYTES]
    ids = {token: token_id for token_id, token in enumerate(vocab)}
    steps: list[Step] = []
    while len(steps) < n_merges and (candidates := pairs.most_frequent(N_CANDIDATES)):
        pair, count = candidates[0]
        n_tied = pairs.n_with(count)
        token = vocab[pair[0]] + vocab[pair[1]]
        token_id = ids.setdefault(token, len(vocab))
        if token_id == len(vocab):
            vocab.append(token)
        pairs.merge(pair, token_id)
        steps.append(Step(pair, token_id, token, count, n_tied, candidates, pairs.n_tokens))
    return BytePairEncoding(tuple(vocab), tuple(steps), n_bytes, n_words)


def merge(word: list[int], pair: Pair, token_id: int) -> tuple[list[int], list[tuple[Pair, int]]]:
    """Replace `pair` by one token, from left to right.

    Returns:
        The new word, and the pairs that vanished (-1) or came into being (+1) beside each merge.

    Example:
        >>> merge([1, 2, 3], (1, 2), 9)
        ([9, 3], [((2, 3), -1), ((9, 3), 1)])
    """
    left, right = pair
    merged: list[int] = []
    changes: list[tuple[Pair, int]] = []
    i, last = 0, len(word) - 1
    while i <= last:
        if word[i] == left and i < last and word[i + 1] == right:
            if merged:
                changes += [((merged[-1], left), -1), ((merged[-1], token_id), 1)]
            if i + 1 < last:
                changes += [((right, word[i + 2]), -1), ((token_id, word[i + 2]), 1)]
            merged.append(token_id)
            i += 2
        else:
            merged.append(word[i])
            i += 1
    return merged, changes


def _letters(token: bytes) -> str:
    return "".join(LETTERS[byte] for byte in token)


class _Pairs:
    """All neighbouring pairs of a text, with their counts and the words they occur in.

    The queue may hold an outdated count; it is put right when the pair comes to the top.
    """

    def __init__(self, text: Counter[str]) -> None:
        self.counts = list(text.values())
        self._words = [byte_ids(word) for word in text]
        self.n_tokens = sum(n * len(word) for n, word in zip(self.counts, self._words, strict=True))
        self._n: defaultdict[Pair, int] = defaultdict(int)
        self._where: defaultdict[Pair, set[int]] = defaultdict(set)
        for i, word in enumerate(self._words):
            for pair in pairwise(word):
                self._n[pair] += self.counts[i]
                self._where[pair].add(i)
        self._n_with = Counter(self._n.values())
        self._queue = [(-n, pair) for pair, n in self._n.items()]
        heapq.heapify(self._queue)

    def n_with(self, count: int) -> int:
        """Number of different pairs that stand in the text `count` times."""
        return self._n_with[count]

    def most_frequent(self, n: int) -> tuple[tuple[Pair, int], ...]:
        """The `n` most frequent pairs with their counts; ties in the order of their ids."""
        frequent: dict[Pair, int] = {}
        while self._queue and len(frequent) < n:
            count, pair = heapq.heappop(self._queue)
            count_now = self._n.get(pair, 0)
            if count_now == -count:
                frequent[pair] = count_now
            elif count_now > 0:
                heapq.heappush(self._queue, (-count_now, pair))
        for pair, count_now in frequent.items():
            heapq.heappush(self._queue, (-count_now, pair))
        return tuple(frequent.items())

    def merge(self, pair: Pair, token_id: int) -> None:
        """Merge one pair everywhere and put the counts right."""
        created: set[Pair] = set()
        for i in self._where.pop(pair):
            before = len(self._words[i])
            self._words[i], changes = merge(self._words[i], pair, token_id)
            self.n_tokens -= (before - len(self._words[i])) * self.counts[i]
            for changed, by in changes:
                self._count(changed, by * self.counts[i])
                if by > 0:
                    self._where[changed].add(i)
                    created.add(changed)
        self._n_with[self._n.pop(pair)] -= 1
        for changed in created - {pair}:
            if self._n[changed] > 0:
                heapq.heappush(self._queue, (-self._n[changed], changed))

    def _count(self, pair: Pair, by: int) -> None:
        before = self._n[pair]
        self._n[pair] = before + by
        self._n_with[before] -= 1
        self._n_with[before + by] += 1


_ID_OF_BYTE = {byte: token_id for token_id, byte in enumerate(BYTES)}
