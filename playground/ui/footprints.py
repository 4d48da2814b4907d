"""Memory of models: the door to the part of the engine that counts and measures it, and bytes in words."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from playground.core.memory import ModelSizes
from playground.engine.contract.memory import (
    CacheRequest,
    MachineMemory,
    MeasuredCache,
    MeasuredStep,
    StepRequest,
    WeightRow,
)
from playground.engine.contract.models import AdapterName
from playground.ui.compute import engine
from playground.ui.state import PageContext
from playground.ui.stepwise import until_click
from playground.ui.waiting import WaitingLine

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def told(n_bytes: float) -> str:
    """Bytes with three digits, in powers of a thousand, as the notes count them.

    Example:
        >>> told(538_060_032), told(31.4e9), told(46_080), told(999.6e6), told(0)
        ('538 MB', '31.4 GB', '46.1 kB', '1.00 GB', '0 B')
    """
    at, value = 0, float(n_bytes)
    while value >= 999.5 and at < len(_UNITS) - 1:
        value, at = value / 1000, at + 1
    digits = 0 if at == 0 or value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {_UNITS[at]}"


def base_of(context: PageContext) -> str:
    """The chosen model without its adapter, which counts for nothing here."""
    return AdapterName.of(context.model.model_id).base_id


def machine() -> MachineMemory:
    """Memory of the machine that computes."""
    return engine().memory.machine()


def sizes(context: PageContext) -> ModelSizes:
    """Sizes of the chosen model, counted on the model in memory.

    Raises:
        PlaygroundError: As the engine raises it.
    """
    return engine().memory.sizes(base_of(context))


def step(context: PageContext, request: StepRequest) -> MeasuredStep:
    """One real step, measured; waits with a progress line.

    Raises:
        PlaygroundError: As the engine raises it.
    """
    with WaitingLine(engine(), request, ends_run=False) as line:
        found = engine().memory.step(request, line)
        line.remember()
        return found


def caches(context: PageContext, lengths: Sequence[int]) -> Generator[MeasuredCache]:
    """Bytes of a real cache that grows, length by length, until the reader clicks."""
    request = CacheRequest(base_of(context), lengths=tuple(lengths), owner=context.owner)
    return until_click(request, engine().memory.caches, ends_at_click=False)


def row(context: PageContext, tensor: str, number: int) -> WeightRow:
    """One row of a tensor of the chosen model.

    Raises:
        PlaygroundError: As the engine raises it.
    """
    return engine().memory.row(base_of(context), tensor, number)
