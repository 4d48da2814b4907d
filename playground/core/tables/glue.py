"""Tables of GLUE in small: figures of nine tasks, answers to items, intervals against their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from playground.core.glue import TASKS, data_of
from playground.core.glue_answers import Told, Way, chance_of, figure_of, held_out, words_told
from playground.core.metrics.intervals import wilson_interval

WORDS, CHANCE = "words", "chance"
FIGURES = (
    "task", "name", "metric", "way", "model", "value", "low", "high", "n", "chance", "against", "seconds",
    "n_trained",
)  # fmt: skip
Series = Mapping[Way, Mapping[str, Told]]


def figures(series: Series, languages: tuple[str, ...]) -> pd.DataFrame:
    """Figures of every task by every way, of the bag of words, and chance; one row each.

    Args:
        series: The ways and what each told.
        languages: Codes of the languages that count.

    Returns:
        task, name, metric, way ("words" and "chance" too), model, value, low, high, n, chance, against
        ("above", "below" or "undecided": the interval and chance), seconds (of
        what was measured here), n_trained.
    """
    rows = []
    for task, about in TASKS.items():
        metric, guess = data_of(task).metric, chance_of(task, languages)
        told = [(way, each[task]) for way, each in series.items() if task in each]
        answers = [(way, one.answers, one) for way, one in told] + [(WORDS, words_told(task), None)]
        for way, answered, one in answers:
            found = figure_of(task, languages, answered)
            costs = (one.seconds or np.nan, one.n_trained) if one else (np.nan, np.nan)
            rows.append(
                (task, about.name, metric, way, one.model_id if one else "", found.value, found.low,
                 found.high, found.n, guess, found.against(guess), *costs)
            )  # fmt: skip
        rows.append(
            (task, about.name, metric, CHANCE, "", guess, np.nan, np.nan, 0, guess, "", np.nan, np.nan)
        )
    return pd.DataFrame(rows, columns=list(FIGURES))


def answers(task: str, series: Series, languages: tuple[str, ...]) -> pd.DataFrame:
    """The held-out items of a task and each way's answer.

    Args:
        task: Its id.
        series: The ways and what each told.
        languages: Codes of the languages that count.

    Returns:
        language, text, text_2 (where there are pairs), label, and the answers by the way's id.
    """
    items = held_out(task)
    table = pd.DataFrame(
        {"language": [one.language for one in items], "text": [one.texts[0] for one in items]}
    )
    if len(items[0].texts) > 1:
        table["text_2"] = [one.texts[1] for one in items]
    table["label"] = [one.label for one in items]
    for way, each in series.items():
        if task in each:
            table[way] = pd.Series(each[task].answers)
    table[WORDS] = pd.Series(words_told(task))
    return table[table["language"].isin(languages)].reset_index(drop=True)


def widths(shares: Sequence[float], most: int, n_points: int = 60) -> pd.DataFrame:
    """Wilson's 95 % interval of some shares of right answers against the number of items.

    Args:
        shares: The shares.
        most: Largest number of items.
        n_points: Numbers of items, evenly spread on a log axis from 10 on.

    Returns:
        share, n, low, high, half (half of the interval's width).
    """
    numbers = np.unique(np.geomspace(10, most, n_points).round().astype(int))
    rows = [(share, int(n), *wilson_interval(share * n, int(n))) for share in shares for n in numbers]
    table = pd.DataFrame(rows, columns=["share", "n", "low", "high"])
    table["half"] = (table["high"] - table["low"]) / 2
    return table
