"""Runs that make a point of a scaling law: tiny decoders of any size on a part of the same text.

All points are measured on the same held-out bytes, whatever part of the text a run was given, and the
learning rate stays where it is after the warm-up: then a run of n steps is the beginning of a longer one, and
every measurement on its way is that of a shorter run (Hoffmann et al. 2022, section 3, on schedules that end
too late).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from playground.core.pretraining import bits, parts, windows_to_learn
from playground.core.scaling_runs import Measured, TinyRun
from playground.engine.contract.pretraining import (
    PretrainingRequest,
    PretrainingSettings,
    pretraining_request,
)
from playground.engine.contract.training import TrainingState

BATCH_SIZE, WINDOW, N_STEPS, WARM_UP = 16, 128, 200, 20
TOKENS_PER_STEP = BATCH_SIZE * WINDOW
LEAST_RATE, RATE_OF_WIDTH = 2.2e-3, 1.2
DATA = "en"


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of a tiny decoder.

    Attributes:
        d_model, n_layers, n_heads: As in `PretrainingSettings`.
    """

    d_model: int
    n_layers: int
    n_heads: int

    @property
    def learning_rate(self) -> float:
        """Falls with the width, as the best one of a few that were tried did, down to a least one.

        Example:
            >>> Shape(16, 1, 2).learning_rate, Shape(128, 3, 4).learning_rate
            (0.01875, 0.0022)
        """
        return max(LEAST_RATE, round(RATE_OF_WIDTH / math.pow(self.d_model, 1.5), 5))

    @property
    def n_parameters(self) -> int:
        """Trained numbers: layers of a Llama with an MLP four times as wide, two tables of 257 rows.

        Example:
            >>> Shape(128, 2, 4).n_parameters
            590720
        """
        d = self.d_model
        return self.n_layers * (16 * d * d + 2 * d) + d + 2 * 257 * d


SHAPES: Mapping[str, Shape] = {
    "d16": Shape(16, 1, 2),
    "d24": Shape(24, 2, 2),
    "d40": Shape(40, 2, 4),
    "d64": Shape(64, 2, 4),
    "d96": Shape(96, 3, 4),
    "d128": Shape(128, 3, 4),
}
BETWEEN: Mapping[str, Shape] = {  # sizes that no shipped run has
    "d32": Shape(32, 2, 4),
    "d48": Shape(48, 2, 4),
    "d80": Shape(80, 2, 4),
}


def scaling_request(
    text: str, shape: Shape, owner: str, *, share: float = 1.0, n_steps: int = N_STEPS, seed: int = 0
) -> PretrainingRequest:
    """The request of a run.

    Args:
        text: The whole text; its end is held out.
        shape: Shape of the model.
        owner: The session.
        share: Part of the text to learn from, its beginning.
        n_steps: Training steps.
        seed: Seed of the first values and of the order.

    Raises:
        InputError: As of `pretraining_request`.
    """
    settings = PretrainingSettings(
        n_steps=n_steps, learning_rate=shape.learning_rate, batch_size=BATCH_SIZE, seed=seed, data=DATA,
        d_model=shape.d_model, n_layers=shape.n_layers, n_heads=shape.n_heads, window=WINDOW,
        warm_up=min(WARM_UP, n_steps), decays=False,
    )  # fmt: skip
    whole = pretraining_request(settings, owner, text)
    return replace(whole, train=windows_to_learn(part_of(text, share), WINDOW))


def part_of(text: str, share: float) -> bytes:
    """The beginning of what there is to learn from: this share of it, a window at least."""
    train = parts(text).train
    return train[: max(WINDOW, round(share * len(train)))]


def tiny_run(
    name: str,
    text: str,
    share: float,
    state: TrainingState,
    n_parameters: int,
    seconds: Mapping[int, float],
    *,
    is_own: bool = False,
) -> TinyRun:
    """A run as it is kept.

    Args:
        name: Its name.
        text, share: As in `scaling_request`.
        state: The run, with its held-out losses.
        n_parameters: Trained numbers.
        seconds: Step -> time since its training began; where one is missing, its share of the whole time.
        is_own: As in `TinyRun`.
    """
    settings = state.settings
    assert isinstance(settings, PretrainingSettings)
    per_step = settings.batch_size * settings.window
    measured = tuple(
        Measured(
            step, step * per_step, bits(loss), seconds.get(step, state.elapsed_s * step / max(1, state.step))
        )
        for step, loss in state.held_out
    )
    return TinyRun(
        name, settings.d_model, settings.n_layers, settings.n_heads, n_parameters, share,
        len(part_of(text, share)), settings.batch_size, settings.window, settings.learning_rate,
        settings.seed, measured, is_own,
    )  # fmt: skip
