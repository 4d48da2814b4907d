"""Recall, time and bytes of faiss's indexes over 100,000 vectors of chunks, on the machine that runs this."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from playground.core.indexes import measured
from playground.paths import site_root
from playground.trained.chunk_vectors import kept_vectors

NAME, FILE = "index-measurements", "points.json"
N_VECTORS = 100_000


def make(assets: Path, tell: Callable[[str], None], n: int = N_VECTORS) -> None:
    """Measure every index of the plan, and write the points below the folder `assets/trained/`.

    Args:
        assets: The folder.
        tell: Is told how far it is.
        n: Number of vectors.
    """
    folder = assets / NAME
    folder.mkdir(parents=True, exist_ok=True)
    vectors, questions = kept_vectors(site_root() / "build" / "chunk_vectors", n, tell)
    points = []
    for point in measured.measured(vectors, questions, measured.plan(*vectors.shape)):
        points.append(asdict(point))
        tell(f"{point.index} {dict(point.built)} {point.knob} {point.value}: recall {point.recall:.3f}")
    note = {
        "source": f"python -m playground.trained {NAME}",
        "n_vectors": n,
        "n_questions": len(questions),
        "processor": _processor(),
        "faiss": version("faiss-cpu"),
        "points": points,
    }
    (folder / FILE).write_text(json.dumps(note, indent=1) + "\n", "utf-8")


def _processor() -> str:
    """Name of the processor, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
