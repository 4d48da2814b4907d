"""Several continuations as tidy tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from playground.core.diversity import distinct, repeated
from playground.core.predictions import perplexity


@dataclass(slots=True)
class WrittenText:
    """One continuation, as far as it is written.

    Attributes:
        temperature, seed: Temperature and seed it was drawn with.
        token_ids: Ids of the new tokens.
        logprobs: Log-probability of each under the model itself, nats.
        text: The text of these tokens.
        prompt: The text they continue, "" where all continue the same text.
    """

    temperature: float
    seed: int
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    text: str = ""
    prompt: str = ""


def continuations(written: Sequence[WrittenText]) -> pd.DataFrame:
    """Continuations that have a token, one row each.

    Returns:
        prompt, temperature, seed, text, n_tokens, mean_logprob (nats), perplexity (exp of minus that),
        repeated_4 (share of 4-grams that came before; NaN below 4 tokens).
    """
    rows = [
        {
            "prompt": text.prompt,
            "temperature": text.temperature,
            "seed": text.seed,
            "text": text.text,
            "n_tokens": len(text.token_ids),
            "mean_logprob": float(np.mean(text.logprobs)),
            "perplexity": perplexity(text.logprobs),
            "repeated_4": repeated(text.token_ids),
        }
        for text in written
        if text.token_ids
    ]
    columns = [
        "prompt",
        "temperature",
        "seed",
        "text",
        "n_tokens",
        "mean_logprob",
        "perplexity",
        "repeated_4",
    ]
    return pd.DataFrame(rows, columns=columns)


def by_temperature(written: Sequence[WrittenText]) -> pd.DataFrame:
    """Quality against diversity, one row per temperature.

    Returns:
        temperature, n_texts, mean_logprob (nats per token, over all tokens), distinct_1, distinct_2,
        repeated_4 (mean over the texts).
    """
    rows = []
    for temperature in sorted({text.temperature for text in written}):
        texts = [text for text in written if text.temperature == temperature and text.token_ids]
        if not texts:
            continue
        token_ids = [text.token_ids for text in texts]
        shares = [repeated(ids) for ids in token_ids if len(ids) >= 4]
        rows.append(
            {
                "temperature": temperature,
                "n_texts": len(texts),
                "mean_logprob": float(np.mean([p for text in texts for p in text.logprobs])),
                "distinct_1": distinct(token_ids, 1),
                "distinct_2": distinct(token_ids, 2),
                "repeated_4": float(np.mean(shares)) if shares else np.nan,
            }
        )
    columns = ["temperature", "n_texts", "mean_logprob", "distinct_1", "distinct_2", "repeated_4"]
    return pd.DataFrame(rows, columns=columns)
