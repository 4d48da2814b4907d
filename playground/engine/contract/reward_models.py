"""The part of the engine contract about reward models: a linear layer on a decoder's last state."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from playground.engine.contract.asked import Asked
from playground.engine.contract.limits import check_limits
from playground.engine.contract.training import RunSettings

REWARD = "reward"  # name of the kind of training
MAX_SCORED_ANSWERS = 64
Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RewardSettings(RunSettings):
    """Settings of a run that trains a reward model: one row of weights on a frozen decoder's last state.

    The reward of an answer is w · state of its last token, the mark of its end included. The weights start
    at 0, so every pair costs ln 2 at first.

    Attributes:
        inverse_penalty: C of logistic regression without an intercept on the differences of the two states:
            ‖w‖² / 2C is added to the summed loss of the pairs.
    """

    n_steps: int = 100
    learning_rate: float = 3e-3
    batch_size: int = 200
    keep_best: bool = False
    objective: str = REWARD
    inverse_penalty: float = 0.1

    def check(self) -> None:
        """Refuse a penalty that cannot be.

        Raises:
            BadValue.
        """
        check_limits({"inverse_penalty": (self.inverse_penalty, 1e-4, 1e4)})


@dataclass(frozen=True, slots=True)
class RewardHeadInfo:
    """A trained reward model that can be asked.

    Attributes:
        head_id: Id by which the engine uses it.
        settings: Settings of its run; `model` is its base.
        step: Steps it was trained.
        run: Number of its run in the session.
        n_parameters, size_bytes: Trained numbers, and memory they take.
    """

    head_id: str
    settings: RewardSettings
    step: int
    run: int
    n_parameters: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class RewardScoreRequest(Asked):
    """A question to a reward model.

    Attributes:
        model: Id of the head.
        texts: Prompt and answer of each; at most `MAX_SCORED_ANSWERS`.
    """

    texts: tuple[tuple[str, str], ...] = ()
    topic: str = field(default="reward", kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class RewardScores:
    """A reward model's judgement of one answer, token by token.

    Attributes:
        token_ids: Tokens of the answer, the mark of its end included.
        pieces: Bytes of each of them.
        values: The reward that the answer would have if it ended at each token; the last is its reward.
            Shape [token].
    """

    token_ids: Ids
    pieces: tuple[bytes, ...]
    values: NDArray[np.float32]

    @property
    def reward(self) -> float:
        """The reward of the whole answer."""
        return float(self.values[-1])

    @property
    def size_bytes(self) -> int:
        """Bytes it keeps alive, roughly."""
        return 200 + 100 * len(self.token_ids) + self.values.nbytes
