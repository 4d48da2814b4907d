"""Times of the products of a decode step, kept in the cache folder for the machine they were taken on."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import psutil
import torch
from pydantic import BaseModel, Field

from playground.settings import Settings

Shape = tuple[int, int]  # of a weight: out, in
Times = dict[tuple[Shape, int], dict[str, float]]  # weight and number of rows -> seconds of each way

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Dimension = Annotated[int, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything beside shape and rows that decides how long a product takes.

    Attributes:
        processor: Name of the processor.
        torch: Version of torch.
        n_threads: Threads of torch.
    """

    processor: str
    torch: str
    n_threads: int

    @classmethod
    def here(cls, settings: Settings) -> Machine:
        """The machine of this process."""
        return cls(_processor(), str(torch.__version__), n_threads(settings))

    def file(self, settings: Settings) -> Path:
        """The path of its times in the cache folder."""
        digest = hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()
        return settings.cache_dir / "products" / f"{digest[:16]}.json"


class _Product(BaseModel):
    shape: tuple[Dimension, Dimension]
    rows: Dimension
    seconds: dict[str, Seconds]


class _Kept(BaseModel):
    machine: Machine
    products: list[_Product]


def n_threads(settings: Settings) -> int:
    """Threads of torch: those that were set, or one for each physical core."""
    return settings.torch_threads or psutil.cpu_count(logical=False) or 1


def read(path: Path, machine: Machine) -> Times:
    """The times of a file; {} if there is none, it is damaged or tells of another machine."""
    try:
        kept = _Kept.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if kept.machine != machine:
        return {}
    return {(product.shape, product.rows): product.seconds for product in kept.products}


def write(path: Path, machine: Machine, times: Mapping[tuple[Shape, int], dict[str, float]]) -> None:
    """Keep times; whoever reads meanwhile finds the file as it was or as it will be.

    Raises:
        OSError: The file cannot be written.
    """
    products = [
        _Product(shape=shape, rows=rows, seconds=seconds) for (shape, rows), seconds in sorted(times.items())
    ]
    text = _Kept(machine=machine, products=products).model_dump_json(indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        whole.write_text(text + "\n", "utf-8")
        whole.replace(path)
    finally:
        with suppress(OSError):
            whole.unlink(missing_ok=True)


def fastest(seconds: Mapping[str, float]) -> str:
    """The way that took the shortest time."""
    return min(seconds, key=seconds.__getitem__)


def summary(times: Times) -> str:
    """The fastest ways in one line, by weight and, as far as they were timed, numbers of rows.

    Example:
        >>> times = {"torch": 2e-6, "onednn": 1e-6}
        >>> summary({((6, 4), 1): times, ((6, 4), 30): times | {"torch": 5e-7}})
        '6x4 onednn (1), torch (30)'
    """
    shapes = sorted({shape for shape, _rows in times})
    return "; ".join(
        f"{shape[0]}x{shape[1]} "
        + ", ".join(
            f"{fastest(seconds)} ({rows})"
            for (own, rows), seconds in sorted(times.items())
            if own == shape and seconds
        )
        for shape in shapes
    )


def _processor() -> str:
    """The name that the processor gives itself, with family, model and stepping where Linux tells them."""
    lines = ""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").split("\n\n", 1)[0]
    told = dict(line.split(":", 1) for line in lines.splitlines() if ":" in line)
    said = {name.strip(): value.strip() for name, value in told.items()}
    names = ("model name", "cpu family", "model", "stepping", "CPU implementer", "CPU part")
    parts = [said[name] for name in names if name in said]
    return " ".join([platform.machine(), *(parts or [platform.processor()])]).strip()
