"""The kinds of training that make a Transformer from random weights: next byte, masked bytes, spans."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.pretraining import ByteWindow
from playground.core.sampling import Sampling
from playground.engine.contract.limits import check_limits
from playground.engine.contract.pretraining import (
    MAX_FIXED_BYTES,
    N_MAPPED,
    N_SAMPLED,
    PretrainingRequest,
    PretrainingSettings,
    n_told,
)
from playground.engine.contract.training import TrainingRequest
from playground.engine.pretraining.bytes import MARKS, N_BYTES
from playground.engine.pretraining.shapes import n_parameters
from playground.engine.pretraining.trained import PretrainedModel, PretrainedTable
from playground.engine.training.learner import GiveWay, NewSlot, RunLimits, Sampled
from playground.engine.training.pretraining_learner import PretrainingLearner, PretrainingSlot
from playground.engine.training.samples import Write
from playground.errors import BadValue, Message, TooManyTokens
from playground.settings import Settings

SAMPLING = Sampling(temperature=0.8)  # of what continues a prompt: greedy, a tiny model repeats itself
_SMALLEST_WINDOW = 8


class TrainingFromZero:
    """Transformers that learn a text of bytes: cross entropy, nats per byte that is told.

    Args:
        settings: The limits.
        table: Store of finished models.
        write: Continues a run's prompts with a model.
    """

    def __init__(self, settings: Settings, table: PretrainedTable, write: Write) -> None:
        self._settings, self._table, self._write = settings, table, write

    @property
    def limits(self) -> RunLimits:
        """The most that a run may ask for; four of the largest share a step."""
        most = self._settings
        return RunLimits(
            most.max_pretraining_steps, most.max_pretraining_batch, most.max_pretraining_windows,
            most.max_pretraining_window, most.max_pretraining_tokens,
            most.max_pretraining_tokens * most.max_training_slots,
        )  # fmt: skip

    def prepare(self, request: TrainingRequest) -> NewSlot[PretrainingSlot]:
        """Check a request."""
        assert isinstance(request, PretrainingRequest)
        check(request, self._settings)
        return NewSlot(4 * n_parameters(request.settings), lambda: PretrainingSlot(request))

    def check_room(self, owner: str, size_bytes: int, n_coming: int) -> None:
        """Refuse a run for whose model there is no room."""
        self._table.owned.check_room(owner, size_bytes, n_coming)

    def learner(self, slots: Sequence[PretrainingSlot], give_way: GiveWay) -> PretrainingLearner:
        """Models of one shape, trained in one step."""
        return PretrainingLearner(slots, give_way)

    def sample(self, request: TrainingRequest, slot: PretrainingSlot, step: int, sampled: Sampled) -> None:
        """Continue the prompts by the model as it is now."""
        if not request.prompts:
            return
        model = slot.snapshot(step, 0).loaded(f"{request.request_id}-{step}", self._settings)
        longest = max(map(len, request.prompts))
        self._write(
            model, request, sampled, SAMPLING, min(N_SAMPLED, slot.settings.window - longest),
        )  # fmt: skip

    def keep(self, snapshot: PretrainedModel, owner: str) -> str:
        """Keep a model; gives its id."""
        return self._table.add(snapshot, owner)


def check(request: PretrainingRequest, settings: Settings) -> None:
    """Refuse a run whose shape, windows or sentences cannot be.

    Raises:
        BadValue: A setting is out of range, or NaN, or the model would be too large.
        TooManyTokens: A prompt is too long.
    """
    asked = request.settings
    check_limits(
        {
            "n_layers": (asked.n_layers, 1, 8),
            "d_model": (asked.d_model, 8, 512),
            "n_heads": (asked.n_heads, 1, 8),
            "window": (asked.window, _SMALLEST_WINDOW, settings.max_pretraining_window),
            "warm_up": (asked.warm_up, 0, settings.max_pretraining_steps),
            "fixed": (len(request.fixed), 1, min(MAX_FIXED_BYTES, asked.window - 2)),
            "mapped": (len(request.mapped), 1, N_MAPPED),
        }
    )
    if asked.objective not in MARKS:
        raise BadValue(name="objective", value=repr(asked.objective), allowed=", ".join(MARKS))
    if asked.d_model % (2 * asked.n_heads):
        even = Message("a multiple of {n}", (("n", 2 * asked.n_heads),))
        raise BadValue(name="d_model", value=asked.d_model, allowed=even)
    most, got = settings.max_pretraining_parameters, n_parameters(asked)
    if got > most:
        raise BadValue(name="n_parameters", value=f"{got:,}", allowed=f"1-{most:,}")
    _check_windows(request, asked)
    if not all(one in range(N_BYTES) for one in request.mapped):
        raise BadValue(name="mapped", value=str(request.mapped[:8]), allowed=f"0-{N_BYTES - 1}")
    for prompt in request.prompts:
        if not all(one in range(N_BYTES + 1) for one in prompt) or asked.objective != "next":
            raise BadValue(name="prompts", value=str(prompt[:8]), allowed=f"0-{N_BYTES}")
        if len(prompt) > asked.window // 2 + 1:
            raise TooManyTokens(limit=asked.window // 2 + 1, got=len(prompt))


def _check_windows(request: PretrainingRequest, asked: PretrainingSettings) -> None:
    """Refuse windows of another size than the run's, and other counts than its objective's."""
    told = n_told(asked.objective, asked.window)
    for one in (*request.train, *request.held_out, *request.general):
        if not isinstance(one, ByteWindow) or len(one.data) != asked.window or one.n_told != told:
            raise BadValue(name="window", value=len(one.data), allowed=str(asked.window))
        if not 0 <= one.n_context < asked.window or (told and one.n_context) or not 0 <= one.draw < 2**31:
            raise BadValue(name="window", value=one.n_context, allowed=f"0-{asked.window - 1}")
