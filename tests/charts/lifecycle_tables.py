"""Small tables for the pictures of the page lifecycle."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from playground.core.drift import Shift
from playground.core.lifecycle import BRANCHES, Branch, Evidence, decide
from playground.core.run_rows import RunRow
from playground.core.tables import lifecycle


def _evidence() -> pd.DataFrame:
    measured: dict[Branch, Evidence] = {
        "prompt": Evidence(0.2, 40, 0.1), "retrieval": Evidence(0.8, 10, is_own=False),
    }  # fmt: skip
    names: dict[Branch, str] = dict.fromkeys(BRANCHES, "둘") | {"prompt": "it's"}
    return lifecycle.evidence(measured, decide(measured, 0.8), names)


def _logged() -> pd.DataFrame:
    def row(number: int, thumb: str) -> RunRow:
        settings = {"temperature": 1.0, "seed": 0}
        return RunRow(
            number, "sampling", "m", "", "it's", "둘", settings, "length", 2, 3.5, None, 0.0, 0.1, 0.2, thumb
        )  # fmt: skip

    return lifecycle.runs([row(1, ""), row(2, "up")])


TABLES: Mapping[str, Callable[[], pd.DataFrame]] = {
    "lifecycle.drift": lambda: lifecycle.shifts([Shift("it's", "a", "둘", 1.0, 2.5, 3)]),
    "lifecycle.evidence": _evidence,
    "lifecycle.runs": _logged,
    "lifecycle.signs": lambda: lifecycle.signs({"loop": ("it's", 1, 3), "cut": ("둘", 0, 0)}),
}
