"""Five ways to adapt one frozen model: how many numbers each trains, what was measured of each.

last_block   the weights of the last block        prompt   embeddings before the text
lora         a product beside some weights        prefix   keys and values before it in every layer
bottleneck   a small network behind every part
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from statistics import median
from types import MappingProxyType
from typing import Any

from playground.paths import site_root

WAYS = ("lora", "last_block", "bottleneck", "prompt", "prefix")
FOLDER, FILE = "adapters", "points.json"
DATA, LANGUAGE = "pirate", "en"  # rows that all ways learn from, of our own
N_STEPS, BATCH_SIZE, SEED, N_TESTED = 30, 4, 0, 8
SIZE = 8  # rank, width or virtual positions that a way is first shown with
SIZES = (1, 4, 8, 16, 32)
RATES: Mapping[str, float] = MappingProxyType(
    {"lora": 2e-3, "last_block": 3e-4, "bottleneck": 3e-3, "prompt": 2e-2, "prefix": 2e-2}
)
CONTEXT, N_TIMED = 64, 32  # tokens of the text whose continuation is timed, and of that


@dataclass(frozen=True, slots=True)
class WayPoint:
    """One way, trained.

    Attributes:
        method: Its name in the engine.
        size: Rank, width or virtual positions; 0 where there is none.
        learning_rate: Of its run.
        n_trained: Numbers that were trained.
        first, held_out: Loss on held-out rows before and after, nats a token.
        step: Steps after which it was least.
        token_s: Time of a token relative to the model without it, 1 for the same; None while not measured.
    """

    method: str
    size: int
    learning_rate: float
    n_trained: int
    first: float
    held_out: float
    step: int
    token_s: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """The shipped measurement.

    Attributes:
        model_id, revision: The model.
        base: Loss on held-out rows without any training, nats a token.
        points: A way each.
        times: Way -> seconds of the processor per token in each round; "base" is the model without any.
    """

    model_id: str
    revision: str
    base: float
    points: tuple[WayPoint, ...]
    times: Mapping[str, tuple[float, ...]]


def n_trained(
    method: str, size: int, *, n_layer: int, d_model: int, d_keys: int, shapes: Sequence[tuple[int, int]]
) -> int:
    """Numbers that a way trains.

    Args:
        method: Name of the way.
        size: Rank, width or virtual positions.
        n_layer, d_model: Of the model.
        d_keys: Numbers of all keys of a token in one layer.
        shapes: (d_out, d_in) of every layer that LoRA corrects, or that is trained in full.

    Example:
        >>> sizes = dict(n_layer=30, d_model=576, d_keys=192, shapes=[(576, 576)])
        >>> [n_trained(one, 8, **sizes) for one in WAYS]
        [9216, 331776, 552960, 4608, 92160]

    Source:
        Hu et al. 2021, arXiv:2106.09685, section 5.1; Houlsby et al. 2019, arXiv:1902.00751, section 2.1;
        Lester et al. 2021, arXiv:2104.08691, section 2; Li & Liang 2021, arXiv:2101.00190, section 4.2.
    """
    if method == "lora":
        return sum(size * (d_out + d_in) for d_out, d_in in shapes)
    if method == "last_block":
        return sum(d_out * d_in for d_out, d_in in shapes)
    each = {
        "bottleneck": n_layer * 2 * 2 * size * d_model,
        "prompt": size * d_model,
        "prefix": size * n_layer * 2 * d_keys,
    }
    return each[method]


def relative_times(times: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, float, float]]:
    """Way -> (median, least, most) of its time a token relative to the base's in the same round.

    Rounds are compared one by one: what slows the machine for a while slows both.

    Example:
        >>> relative_times({"base": [1.0, 2.0, 1.0], "lora": [1.1, 2.4, 1.0]})
        {'lora': (1.1, 1.0, 1.2)}
    """
    base, found = times.get("base", ()), {}
    for name, each in times.items():
        if name != "base" and each:
            shares = [own / of for own, of in zip(each, base, strict=True)]
            found[name] = (median(shares), min(shares), max(shares))
    return found


def written(one: Measured) -> str:
    """The measurement as the text of a JSON file."""
    return json.dumps(asdict(one) | {"times": dict(one.times)}, indent=1)


def read(text: str) -> Measured:
    """The measurement of such a text, each point with its time."""
    told: dict[str, Any] = json.loads(text)
    times = {name: tuple(each) for name, each in told["times"].items()}
    known = relative_times(times)
    points = tuple(
        WayPoint(**(point | {"token_s": known[point["method"]][0] if point["method"] in known else None}))
        for point in told["points"]
    )
    return Measured(told["model_id"], told["revision"], told["base"], points, times)


@lru_cache(maxsize=1)
def shipped() -> Measured:
    """The measurement that comes with the page."""
    return read((site_root() / "assets" / "trained" / FOLDER / FILE).read_text("utf-8"))
