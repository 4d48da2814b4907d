"""Memory that the engine's thread allocates while something runs, as torch's own allocator counts it.

Every allocation and every release of a tensor is an event of the profiler, temporary ones within an operation
too; what a library takes past torch's allocator is not seen. On a GPU the allocator's own peak counts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.autograd.profiler import profile, record_function

from playground.engine.contract.memory import Phase

MARK = "memory of "
MAX_POINTS = 160  # of a line that is drawn
_ONE = threading.Lock()  # the profiler is one for the process


class Allocations:
    """The allocations of what runs within `counted`.

    Attributes:
        peak_bytes: The most that was allocated above the begin, at any moment.
        line: (milliseconds, bytes above the begin), at its changes; few points, the peak among them.
        phases: (phase, milliseconds at which it ended).
        levels: Phase -> bytes above the begin at its end.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.peak_bytes = 0
        self.line: tuple[tuple[float, int], ...] = ()
        self.phases: tuple[tuple[Phase, float], ...] = ()
        self.levels: dict[Phase, int] = {}

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what is allocated within."""
        is_cuda = self._device.type == "cuda"
        if is_cuda:
            torch.cuda.synchronize(self._device)
            torch.cuda.reset_peak_memory_stats(self._device)
            begin = torch.cuda.memory_allocated(self._device)
        with _ONE, profile(use_kineto=False, profile_memory=True) as profiler:
            yield
            if is_cuda:
                torch.cuda.synchronize(self._device)
        self._read(profiler)
        if is_cuda:
            self.peak_bytes = torch.cuda.max_memory_allocated(self._device) - begin

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """A part of what is counted."""
        with record_function(f"{MARK}{name}"):
            yield

    def _read(self, profiler: Any) -> None:  # noqa: ANN401  (of the library, untyped)
        """Take the events of this device in order, and the ends of the phases."""
        changes: list[tuple[int, int]] = []
        ends: list[tuple[Phase, int, int]] = []
        waiting = list(profiler.kineto_results.experimental_event_tree())
        while waiting:
            event = waiting.pop()
            waiting.extend(event.children)
            if event.tag.name == "Allocation":
                if event.extra_fields.device.type == self._device.type:
                    changes.append((event.start_time_ns, event.extra_fields.alloc_size))
            elif event.name.startswith(MARK):
                ends.append((event.name.removeprefix(MARK), event.start_time_ns, event.end_time_ns))
        changes.sort(key=lambda one: one[0])
        ends.sort(key=lambda one: one[1])
        begin = ends[0][1]
        level, levels = 0, []
        for at, size in changes:
            level += size
            levels.append((at, level))
        self.peak_bytes = max((one for _at, one in levels), default=0)
        self.phases = tuple((name, (end - begin) / 1e6) for name, _start, end in ends)
        for name, _start, end in ends:
            self.levels[name] = next((one for at, one in reversed(levels) if at <= end), 0)
        self.line = thinned([((at - begin) / 1e6, one) for at, one in levels])


def thinned(line: list[tuple[float, int]], most: int = MAX_POINTS) -> tuple[tuple[float, int], ...]:
    """A line of fewer points: of each stretch of time its lowest and its highest, in their order.

    Example:
        >>> thinned([(0.0, 1), (1.0, 9), (2.0, 2), (3.0, 5)], most=2)
        ((0.0, 1), (1.0, 9))
    """
    if len(line) <= most:
        return tuple(line)
    size = -(-2 * len(line) // most)
    kept: list[tuple[float, int]] = []
    for start in range(0, len(line), size):
        some = line[start : start + size]
        low, high = min(some, key=lambda one: one[1]), max(some, key=lambda one: one[1])
        kept.extend(dict.fromkeys(sorted((low, high))))
    return tuple(kept)
