"""A beam search as tidy tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from playground.core.beams import Candidate, Hypothesis
from playground.core.diversity import repeated
from playground.core.pieces import bytes_of, open_bytes, piece

TREE = (
    "step", "place", "parent_step", "parent_place", "token", "probability", "logprob", "fate", "on_best",
)  # fmt: skip
TEXTS = ("kind", "text", "n_tokens", "is_cut", "logprob", "score", "bits", "repeated_4")
PROBABILITIES = ("kind", "step", "token", "probability")


def tree(
    steps: Sequence[Sequence[Candidate]], tokens: Mapping[int, str], best: Hypothesis | None
) -> pd.DataFrame:
    """Every candidate of every step, one row each.

    Args:
        steps: From `BeamSearch.step`.
        tokens: Token id -> its readable form.
        best: The text whose path is marked.

    Returns:
        step (from 1), place (1 = most probable of its step), parent_step and parent_place (0 and 1 for the
        text itself), token (bytes with those its beam has begun), probability (of the token after its beam),
        logprob (of the continuation, nats),
        fate (kept, ended, cut, dropped), on_best.
    """
    rows: list[dict[str, object]] = []
    parents = [(1, b"")]  # places of the beams that the step before kept, bytes that begin a character
    for step, candidates in enumerate(steps, 1):
        kept: list[tuple[int, bytes]] = []
        for place, candidate in enumerate(candidates, 1):
            parent_place, begun = parents[candidate.parent]
            token = tokens[candidate.token_id]
            if candidate.fate == "kept":
                kept.append((place, open_bytes(begun + bytes_of(token))))
            on_best = best is not None and step <= len(best.path) and best.path[step - 1] == place - 1
            rows.append(
                {
                    "step": step,
                    "place": place,
                    "parent_step": step - 1,
                    "parent_place": parent_place,
                    "token": piece(token, begun).label,
                    "probability": math.exp(candidate.token_logprob),
                    "logprob": candidate.logprob,
                    "fate": candidate.fate,
                    "on_best": on_best,
                }
            )
        parents = kept
    return pd.DataFrame(rows, columns=list(TREE))


def texts(rows: Iterable[tuple[str, str, Sequence[int], bool, float]], length_penalty: float) -> pd.DataFrame:
    """Texts found in several ways, one row each.

    Args:
        rows: Kind, text, token ids, True if it was cut at the length, and log-probability (nats) of each.
        length_penalty: As in `core.beams`.

    Returns:
        kind (beam 1, beam 2, ..., greedy, sampled), text, n_tokens, is_cut, logprob (nats), score, bits
        (surprisal per token), repeated_4 (share of 4-grams that came before; NaN below 4 tokens).
    """
    table = [
        (
            kind, text, len(ids), is_cut, logprob, logprob / len(ids) ** length_penalty,
            -logprob / len(ids) / math.log(2), repeated(ids),
        )
        for kind, text, ids, is_cut, logprob in rows
    ]  # fmt: skip
    return pd.DataFrame(table, columns=list(TEXTS))


def probabilities(
    logprobs: Mapping[str, Sequence[float]], labels: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Probability of each token of several texts under the model.

    Args:
        logprobs: Kind of text -> log-probability of each of its tokens, nats.
        labels: Kind of text -> its tokens.

    Returns:
        kind, step (from 1), token, probability.
    """
    rows = [
        (kind, step, label, math.exp(logprob))
        for kind, each in logprobs.items()
        for step, (logprob, label) in enumerate(zip(each, labels[kind], strict=True), 1)
    ]
    return pd.DataFrame(rows, columns=list(PROBABILITIES))


def unsteadiness(table: pd.DataFrame) -> dict[str, float]:
    """Mean absolute change of the probability from one token of a text to the next.

    Args:
        table: From `probabilities`.

    Returns:
        Kind of text -> mean change, a share of 1; a text of one token has none and is left out.

    Example:
        >>> table = probabilities({"a": [0.0, math.log(0.5), 0.0], "b": [0.0]}, {"a": "xyz", "b": "x"})
        >>> unsteadiness(table)
        {'a': 0.5}
    """
    changes = {
        kind: rows["probability"].diff().abs().mean() for kind, rows in table.groupby("kind", sort=False)
    }
    return {str(kind): round(float(mean), 12) for kind, mean in changes.items() if not math.isnan(mean)}
