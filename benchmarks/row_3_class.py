"""Rows 3 and 10: a class of thirty on all pages for five minutes, and the same class on a stock app.

The report with all figures is `benchmarks/reports/class_local.md`.
"""

from __future__ import annotations

from typing import Any

from benchmarks.class_of_thirty.measure import Options, measure
from benchmarks.class_of_thirty.report import write
from benchmarks.class_of_thirty.targets import rows


def run() -> list[dict[str, Any]]:
    """Every target of the class, and of its memory."""
    found = measure(Options(with_peer=True, with_person=True))
    write(found, "class_local")
    return rows(found)
