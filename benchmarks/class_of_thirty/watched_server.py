"""`llm-playground` that also writes its engine's counters to a file: `python -m … FILE run --port 8501`.

The report stays on this machine and needs no network endpoint.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

from playground import cli
from playground.engine import process
from playground.errors import PlaygroundError

EVERY_S = 1.0


def main() -> None:
    """Start both."""
    file = Path(sys.argv.pop(1))
    threading.Thread(target=_report, args=(file,), name="class-report", daemon=True).start()
    cli.main(prog_name="llm-playground")


def _report(file: Path) -> None:
    while process.startup().state != "ready":
        time.sleep(EVERY_S)
    while True:
        try:
            stats = process.shared_engine().stats()
        except PlaygroundError:
            return
        new = file.with_suffix(".new")
        new.write_text(json.dumps(asdict(stats)), "utf-8")
        new.replace(file)
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
