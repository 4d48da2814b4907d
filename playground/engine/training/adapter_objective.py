"""All kinds of training of adapters share this: room, samples, the store, refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.core.lora import LoraConfig
from playground.engine.adapters.adapter import Adapter, adapted_model
from playground.engine.adapters.places import n_parameters, places
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.adapters import METHODS, VIRTUAL, Linear
from playground.engine.contract.limits import check_limits
from playground.engine.contract.models import AdapterName, ModelInfo
from playground.engine.contract.training import AdapterRequest, FinetuneSettings, TrainingRequest
from playground.engine.models.loaded import LoadedModel
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.learner import NewSlot, RunLimits, Sampled
from playground.engine.training.samples import MAX_SAMPLE_TOKENS, Write
from playground.errors import BadValue, TooManyTokens
from playground.settings import Settings

Ids = Sequence[int]


class AdapterObjective:
    """A kind of training whose slot is an adapter.

    Args:
        settings: The limits.
        adapters: Source of bases, and store of adapters.
        write: Continues a run's prompts with a model.
    """

    def __init__(self, settings: Settings, adapters: AdapterTable, write: Write) -> None:
        self._settings, self._adapters, self._write = settings, adapters, write

    @property
    def limits(self) -> RunLimits:
        """The most that a run may ask for."""
        most = self._settings
        return RunLimits(
            most.max_training_steps, most.max_batch_size, most.max_upload_rows,
            most.max_training_tokens, most.max_batch_tokens, most.max_fused_tokens,
        )  # fmt: skip

    def new_slot(
        self, request: AdapterRequest, loaded: LoadedModel, layers: Mapping[str, Linear] | None = None
    ) -> NewSlot[AdapterSlot]:
        """The slot of a request that has been checked.

        Args:
            request: The run.
            loaded: The base.
            layers: Layers that it trains, if they are known already.
        """
        into = places(loaded, request.settings) if layers is None else layers
        size_bytes = 4 * n_parameters(into, request.settings)
        return NewSlot(size_bytes, lambda: AdapterSlot(request, loaded, into))

    def check_room(self, owner: str, size_bytes: int, n_coming: int) -> None:
        """Refuse a run for whose adapter there is no room."""
        self._adapters.check_room(owner, size_bytes, n_coming)

    def sample(self, request: TrainingRequest, slot: AdapterSlot, step: int, sampled: Sampled) -> None:
        """Continue the prompts by the base with the adapter as it is now."""
        name = AdapterName(request.settings.model, f"{request.request_id}-{step}")
        is_base = not step and slot.method not in VIRTUAL
        model = slot.loaded if is_base else adapted_model(slot.loaded, slot.snapshot(step, 0), name)
        self._write(model, request, sampled)

    def keep(self, snapshot: Adapter, owner: str) -> str:
        """Keep an adapter; gives its model id."""
        return self._adapters.add(snapshot, owner)


def check_adapter(
    request: AdapterRequest, read: Sequence[Ids], settings: Settings, info: ModelInfo, *, n_written: int = 0
) -> None:
    """Refuse a run whose adapter or tokens cannot be.

    Args:
        request: The run.
        read: Token ids of every text that it reads, beside those of its prompts.
        settings: The limits.
        info: Facts about the base.
        n_written: Tokens that the run itself writes behind a text.

    Raises:
        BadValue: A setting is out of range, or NaN.
        TooManyTokens: A prompt is too long.
    """
    asked, lora = request.settings, request.settings.lora
    check_limits(
        {name: (getattr(lora, name), *limits) for name, limits in LoraConfig.LIMITS.items()}
        | {name: (getattr(asked, name), *limits) for name, limits in FinetuneSettings.LIMITS.items()}
    )
    if asked.method not in METHODS:
        raise BadValue(name="method", value=repr(asked.method), allowed=", ".join(METHODS))
    n = asked.num_virtual_tokens if asked.method in VIRTUAL else 0
    ids = [*read, *request.prompts]
    if not all(0 <= token < info.d_vocab for one in ids for token in one):
        raise BadValue(name="input_ids", value=str(ids[0][:8]), allowed=f"0-{info.d_vocab - 1}")
    _check_context(n, n_written + max(map(len, ids), default=0), info.n_ctx)
    window = min(settings.max_tokens, (info.n_ctx or settings.max_tokens) - n) - MAX_SAMPLE_TOKENS
    longest = max(map(len, request.prompts), default=0)
    if longest > window:
        raise TooManyTokens(limit=window, got=longest)


def _check_context(n_virtual: int, longest: int, n_ctx: int) -> None:
    """Refuse more virtual positions than the model's context has room for beside the longest text."""
    room = n_ctx - longest
    if n_virtual and n_ctx and n_virtual > room:
        allowed = f"1-{room}" if room > 0 else "0"
        raise BadValue(name="num_virtual_tokens", value=n_virtual, allowed=allowed)
