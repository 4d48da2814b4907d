"""`llm-playground` that also writes its engine's counters to a file: `python -m … FILE run --port 8501`.

The report stays on this machine and needs no network endpoint. Where `FILE` with the ending `.count` is put
beside it, the next report also counts what the collector finds alive, and takes that file away.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streamlit.runtime import Runtime

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
    asked, counted = file.with_suffix(".count"), dict[str, int]()
    while True:
        try:
            stats = process.shared_engine().stats()
        except PlaygroundError:
            return
        was_asked = asked.exists()
        if was_asked:  # not each time: a collection stops every thread
            counted = _alive()
        new = file.with_suffix(".new")
        new.write_text(json.dumps(asdict(stats) | counted), "utf-8")
        new.replace(file)
        if was_asked:
            asked.unlink()
        time.sleep(EVERY_S)


def _alive() -> dict[str, int]:
    gc.collect()
    sessions: Any = Runtime.instance()._session_mgr
    awake, asleep = sessions._active_session_info_by_id, sessions._session_storage._asleep
    return {"n_objects": len(gc.get_objects()), "n_sessions": len(awake), "n_asleep": len(asleep)}


if __name__ == "__main__":
    main()
