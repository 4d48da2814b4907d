"""The tables of the tokenization page; their column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from playground.core import pieces
from playground.core.bpe import BytePairEncoding
from playground.core.tokenization import Rung
from playground.core.tokens import Tokenization


def side_by_side(rows: Sequence[Tokenization]) -> pd.DataFrame:
    """Every token of every tokenizer, one row each.

    Returns:
        tokenizer, position (from 1), token, token_id, bytes (hexadecimal), start and stop (characters of the
        text as Python counts them; `start <= i < stop`).
    """
    table = [
        (row.model_id, i, label.label, token_id, piece.hex(" ").upper(), start, stop)
        for row in rows
        for i, (label, token_id, piece, (start, stop)) in enumerate(
            zip(pieces.pieces(row), row.input_ids, row.token_bytes, row.offsets, strict=True), start=1
        )
    ]
    columns = ["tokenizer", "position", "token", "token_id", "bytes", "start", "stop"]
    return pd.DataFrame(table, columns=columns)


def ladder(rungs: Sequence[Rung]) -> pd.DataFrame:
    """The granularity ladder, one row per granularity.

    Returns:
        granularity, d_vocab, n_units, oov_rate (share of the text's units the vocabulary lacks), lost
        (share of the text's units that are gone after one typing error), oov_rate_after (the error).
    """
    table = [
        (
            rung.granularity,
            rung.d_vocab,
            rung.n_units,
            rung.n_unknown / max(rung.n_units, 1),
            rung.n_lost / max(rung.n_units, 1),
            rung.n_unknown_after / max(rung.n_units, 1),
        )
        for rung in rungs
    ]
    columns = ["granularity", "d_vocab", "n_units", "oov_rate", "lost", "oov_rate_after"]
    return pd.DataFrame(table, columns=columns)


def language_bill(counts: Mapping[str, Mapping[str, int]], texts: Mapping[str, str]) -> pd.DataFrame:
    """Tokens of the same sentence in each language.

    Args:
        counts: Tokenizer -> language -> number of tokens.
        texts: Language -> the sentence; English (`en`) is the reference.

    Returns:
        tokenizer, language, n_tokens, n_characters, tokens_per_character, ratio_to_english.
    """
    table = [
        (
            tokenizer,
            language,
            n_tokens,
            len(pieces.characters(texts[language])),
            n_tokens / len(pieces.characters(texts[language])),
            n_tokens / of["en"],
        )
        for tokenizer, of in counts.items()
        for language, n_tokens in of.items()
    ]
    columns = [
        "tokenizer", "language", "n_tokens", "n_characters", "tokens_per_character", "ratio_to_english",
    ]  # fmt: skip
    return pd.DataFrame(table, columns=columns)


def merges(trained: BytePairEncoding) -> pd.DataFrame:
    """The merges of a training, one row each.

    Returns:
        step (from 1), left, right, token (as shown), token_id, count, n_tied (how many of all pairs were
        as frequent, itself included), n_tokens (length of the training text afterwards).
    """
    shown = [pieces.token_label(token) for token in trained.vocab]
    table = [
        (
            i,
            shown[step.pair[0]],
            shown[step.pair[1]],
            shown[step.token_id],
            step.token_id,
            step.count,
            step.n_tied,
            step.n_tokens,
        )
        for i, step in enumerate(trained.steps, start=1)
    ]
    columns = ["step", "left", "right", "token", "token_id", "count", "n_tied", "n_tokens"]
    return pd.DataFrame(table, columns=columns)


def vocabulary_curve(trained: BytePairEncoding) -> pd.DataFrame:
    """Length of the training text as the vocabulary grows.

    Returns:
        n_merges, d_vocab, tokens_per_word. The first row is before any merge.
    """
    d_vocab, n_words = 256, max(trained.n_words, 1)
    table = [(0, d_vocab, trained.n_bytes / n_words)]
    for i, step in enumerate(trained.steps, start=1):
        d_vocab = max(d_vocab, step.token_id + 1)
        table.append((i, d_vocab, step.n_tokens / n_words))
    return pd.DataFrame(table, columns=["n_merges", "d_vocab", "tokens_per_word"])
