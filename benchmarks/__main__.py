"""`python -m benchmarks [row_2 ...]`: each row in a process of its own, one table, one JSON file."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER / "results.json"
COLUMNS = ("row", "metric", "ours", "peer", "unit", "ratio", "target", "limit", "ok")


def main(arguments: Sequence[str]) -> int:
    """Run the rows whose names start with an argument; all when there is none."""
    if len(arguments) == 3 and arguments[0] == "--write":
        rows = importlib.import_module(f"benchmarks.{arguments[1]}").run()
        Path(arguments[2]).write_text(json.dumps(rows), "utf-8")
        return 0
    names = sorted((path.stem for path in FOLDER.glob("row_*.py")), key=lambda name: int(name.split("_")[1]))
    wanted = [name for name in names if not arguments or name.startswith(tuple(arguments))]
    results = [figure for name in wanted for figure in _run_alone(name)]
    print(_table(results))
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


def _run_alone(name: str) -> list[dict[str, Any]]:
    """A row in a fresh process: no row inherits another's threads, caches or heap."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.json"
        subprocess.run([sys.executable, "-m", "benchmarks", "--write", name, str(path)], check=True)
        figures: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return figures


def _table(figures: list[dict[str, Any]]) -> str:
    lines = [[_cell(figure.get(column)) for column in COLUMNS] for figure in figures]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *lines, strict=True)]
    rows = [COLUMNS, ["-" * width for width in widths], *lines]
    return "\n".join("  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)) for row in rows)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
