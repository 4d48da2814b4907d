"""x Wᵀ for the few rows of a decode step, in the way that is fastest on this processor.

Torch has MKL's product and oneDNN's, and MKL takes other kernels for (W xᵀ)ᵀ. The fastest differs from one
make of processor to another, with the shape and with the number of rows. Microseconds for a weight of
576 x 1536 and one row, MKL, oneDNN, the other way round, on an Intel Xeon: 41, 173, 59. Milliseconds of all
products of SmolLM2, one row and thirty, on an AMD EPYC: 48, 30, 47 and 93, 72, 115. So they are timed, in a
quiet moment, once for a machine.
"""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import Final

import torch

from playground.engine.decoding import product_times
from playground.engine.decoding.product_times import Machine, Shape, Times, fastest
from playground.settings import Settings

log = logging.getLogger(__name__)

Way = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]

TIMED_ROWS: Final = (1, 4, 12, 30)  # on an Intel Xeon MKL's own way is the fastest below ten rows, not above
MAX_ROWS: Final = 32  # more are multiplied as so many
MIN_WEIGHTS: Final = 2**16  # a smaller product takes no longer than its call
BUDGET_S: Final = 1.0  # of a quiet moment
QUIET_MOMENTS: Final = 5
MIN_ROUNDS: Final = 5
AGREEMENT: Final = 1.1  # between the two shortest times of a way: a busy machine seldom gives a time twice


def by_torch(x: torch.Tensor, _weight: torch.Tensor, turned: torch.Tensor) -> torch.Tensor:
    """Torch's own, which is MKL's where torch was built with it. Shape [row, in] -> [row, out]."""
    return torch.mm(x, turned)


def by_onednn(x: torch.Tensor, weight: torch.Tensor, _turned: torch.Tensor) -> torch.Tensor:
    """oneDNN's. Shape [row, in] -> [row, out]."""
    y: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
    return y


def the_other_way_round(x: torch.Tensor, weight: torch.Tensor, _turned: torch.Tensor) -> torch.Tensor:
    """(W xᵀ)ᵀ, a view. Shape [row, in] -> [row, out]."""
    return torch.mm(weight, x.t()).t()


def ways_of_cpu() -> dict[str, Way]:
    """The ways that this build of torch has on the CPU in float32, by name; first the one taken untimed."""
    ways: dict[str, Way] = {"torch": by_torch, "turned": the_other_way_round}
    if torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        ways = {"onednn": by_onednn, **ways}
    return ways


class Products:
    """The fastest way known for each shape of weight and number of rows. Only the engine thread touches it.

    Args:
        settings: Place of the times that are kept, threads of torch.
        ways: All ways, by name; those of this build of torch if None.
        clock: Seconds.
    """

    def __init__(
        self,
        settings: Settings,
        ways: Mapping[str, Way] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._settings = settings
        self._ways = ways_of_cpu() if ways is None else ways
        self._clock = clock
        self._machine: Machine | None = None
        self._times: Times = {}
        self._by_rows: dict[Shape, list[Way]] = {}
        self._timings: dict[tuple[Shape, int], Timing] = {}  # those that are not over
        self._weights: dict[Shape, dict[int, weakref.ref[torch.Tensor]]] = {}  # what they multiply by
        self._n_moments = QUIET_MOMENTS

    def for_weight(self, weight: torch.Tensor) -> list[Way]:
        """The way for each number of rows up to `MAX_ROWS`; the list changes when times are known.

        Args:
            weight: Shape [out, in]. On a GPU or in half precision the way is torch's own and is not timed.
        """
        if weight.device.type != "cpu" or weight.dtype != torch.float32:
            return [by_torch] * (MAX_ROWS + 1)
        shape = (weight.shape[0], weight.shape[1])
        if shape not in self._by_rows:
            self._by_rows[shape] = [next(iter(self._ways.values()))] * (MAX_ROWS + 1)
            if weight.numel() >= MIN_WEIGHTS:
                self._begin(shape)
        if any(own == shape for own, _rows in self._timings):
            self._weights.setdefault(shape, {})[id(weight)] = weakref.ref(weight)
        return self._by_rows[shape]

    @property
    def is_waiting(self) -> bool:
        """True if there is something to time in a quiet moment."""
        return bool(self._timings)

    def use_quiet(self, over: Callable[[], bool]) -> None:
        """Time what is not known yet, for at most a second and until `over`.

        Times that a busy machine blurs are taken again in the next quiet moments; in the end the way stays as
        it is, and nothing of them is kept.
        """
        try:
            done = self._run(over)
        except Exception:
            log.exception("the products of a decode step could not be timed")
            self._timings.clear()
        else:
            self._n_moments -= not over()
            if done:
                self._take(done)
        if self._n_moments <= 0:
            self._timings.clear()
        if not self._timings:
            self._weights.clear()

    def _begin(self, shape: Shape) -> None:
        """Take the times that are kept; the others are to be taken."""
        if self._machine is None:
            self._machine = Machine.here(self._settings)
            self._times = product_times.read(self._machine.file(self._settings), self._machine)
        for rows in TIMED_ROWS:
            if self._times.get((shape, rows), {}).keys() != self._ways.keys():
                self._timings[shape, rows] = Timing(self._ways, self._clock)
                self._n_moments = QUIET_MOMENTS
        self._choose(shape)

    def _run(self, over: Callable[[], bool]) -> Times:
        """A round of each timing in turn; the times of those that are over now."""
        end, done = self._clock() + BUDGET_S, Times()
        alive = {shape: _alive(weights) for shape, weights in self._weights.items()}
        for key in [key for key in self._timings if not alive.get(key[0])]:
            del self._timings[key]  # the model has left
        inputs = {key: _input(key[1], key[0][1]) for key in self._timings}
        turn = {shape: cycle(weights) for shape, weights in alive.items()}  # each comes cold, as in a step
        for key in cycle(list(self._timings)):
            if over() or self._clock() >= end or not self._timings:
                break
            if timing := self._timings.get(key):
                timing.round(inputs[key], turn[key[0]])
                if timing.is_clear:
                    done[key] = timing.seconds
                    del self._timings[key]
        return done

    def _take(self, done: Times) -> None:
        """Go the ways found; keep their times beside those another process has kept meanwhile."""
        machine = self._machine or Machine.here(self._settings)
        path = machine.file(self._settings)
        self._times = product_times.read(path, machine) | self._times | done
        for shape in {shape for shape, _rows in done}:
            self._choose(shape)
        try:
            product_times.write(path, machine, self._times)
        except OSError as error:
            log.warning("the times of the products of a decode step are not kept: %s", error)

    def _choose(self, shape: Shape) -> None:
        for rows in range(MAX_ROWS + 1):
            nearest = min(TIMED_ROWS, key=lambda timed: abs(timed - rows))
            seconds = self._times.get((shape, nearest), {})
            if seconds.keys() == self._ways.keys():
                self._by_rows[shape][rows] = self._ways[fastest(seconds)]


class Timing:
    """The least times of all ways for one shape and number of rows, taken in turn."""

    def __init__(self, ways: Mapping[str, Way], clock: Callable[[], float]) -> None:
        self._ways = ways
        self._clock = clock
        self._least: dict[str, list[float]] = {name: [] for name in ways}  # two each
        self._n_rounds = 0

    def round(self, x: torch.Tensor, weights: Iterator[torch.Tensor]) -> None:
        """Each way once, in turning order. Shape of `x` [row, in], of the weights [out, in]."""
        names = list(self._ways)
        for name in names if self._n_rounds % 2 else reversed(names):
            weight = next(weights)
            turned = weight.t()
            started = self._clock()
            self._ways[name](x, weight, turned)
            spent = self._clock() - started
            self._least[name] = sorted([*self._least[name], spent])[:2]
        self._n_rounds += 1

    @property
    def is_clear(self) -> bool:
        """True if the shortest time of each way has come twice."""
        enough = self._n_rounds >= MIN_ROUNDS
        return enough and all(second <= AGREEMENT * first for first, second in self._least.values())

    @property
    def seconds(self) -> dict[str, float]:
        """The shortest time of each way."""
        return {name: least[0] for name, least in self._least.items()}


def _alive(weights: Mapping[int, weakref.ref[torch.Tensor]]) -> list[torch.Tensor]:
    return [weight for ref in weights.values() if (weight := ref()) is not None]


def _input(n_rows: int, width: int) -> torch.Tensor:
    """Numbers from -1 to 1. Shape [row, in]."""
    return torch.linspace(-1, 1, n_rows * width).view(n_rows, width)
