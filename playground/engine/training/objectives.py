"""The kinds of training there are, by the name that a request gives: an entry in `objectives` per kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from playground.core.lora import LoraConfig
from playground.engine.adapters.adapter import Adapter, adapted_model
from playground.engine.adapters.places import n_parameters, places
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.adapters import METHODS, VIRTUAL
from playground.engine.contract.limits import check_limits
from playground.engine.contract.models import AdapterName, ModelInfo
from playground.engine.contract.task_heads import FROZEN, WHOLE
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings, TrainingRequest
from playground.engine.models.loaded import LoadedModel
from playground.engine.recurrent.trained import NetworkTable
from playground.engine.task_heads.trained import HeadTable
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.bank import AdapterBank
from playground.engine.training.fisher import FisherTable
from playground.engine.training.learner import AnyObjective, GiveWay, NewSlot, RunLimits, Sampled
from playground.engine.training.other_banks import BANKS
from playground.engine.training.pairs import TrainingOnPairs
from playground.engine.training.remedies import check_remedy
from playground.engine.training.samples import MAX_SAMPLE_TOKENS
from playground.engine.training.task_heads import TrainingOfEncoders, TrainingOfHeads
from playground.errors import BadValue, TooManyTokens
from playground.settings import Settings

Write = Callable[["LoadedModel", TrainingRequest, Sampled], None]


def objectives(
    settings: Settings, adapters: AdapterTable, networks: NetworkTable, heads: HeadTable, write: Write
) -> dict[str, AnyObjective]:
    """Every kind of training, by its name.

    Args:
        settings: The limits.
        adapters: Source of bases, and store of adapters.
        networks: Store of networks that were trained from nothing.
        heads: Store of task heads.
        write: Continues a run's prompts with a model, beside everything else the engine does.
    """
    return {
        "sft": SupervisedFinetuning(settings, adapters, write),
        "pairs": TrainingOnPairs(settings, networks),
        FROZEN: TrainingOfHeads(settings, adapters, heads),
        WHOLE: TrainingOfEncoders(settings, adapters, heads),
    }


class SupervisedFinetuning:
    """Adapters that learn to predict the trained tokens of texts: cross entropy, nats per token.

    Args:
        settings: The limits.
        adapters: Source of bases, and store of adapters.
        write: Continues a run's prompts with a model.
    """

    def __init__(self, settings: Settings, adapters: AdapterTable, write: Write) -> None:
        self._settings, self._adapters, self._write = settings, adapters, write
        self._fishers = FisherTable()

    @property
    def limits(self) -> RunLimits:
        """The most that a run may ask for."""
        most = self._settings
        return RunLimits(
            most.max_training_steps, most.max_batch_size, most.max_upload_rows,
            most.max_training_tokens, most.max_batch_tokens, most.max_fused_tokens,
        )  # fmt: skip

    def prepare(self, request: TrainingRequest) -> NewSlot[AdapterSlot]:
        """Load the base, check the request against it."""
        assert isinstance(request, FinetuneRequest)
        loaded = self._adapters.decoder(request.settings.model)
        check(request, self._settings, loaded.info)
        layers = places(loaded, request.settings)
        check_remedy(request, self.limits, loaded, layers)
        size_bytes = 4 * n_parameters(layers, request.settings)
        return NewSlot(size_bytes, lambda: AdapterSlot(request, loaded, layers))

    def check_room(self, owner: str, size_bytes: int, n_coming: int) -> None:
        """Refuse a run for whose adapter there is no room."""
        self._adapters.check_room(owner, size_bytes, n_coming)

    def learner(self, slots: Sequence[AdapterSlot], give_way: GiveWay) -> AdapterBank:
        """Adapters of one base, trained in one step."""
        bank = BANKS[slots[0].method](slots[0].loaded, slots, give_way)
        return bank.knowing(self._fishers)

    def sample(self, request: TrainingRequest, slot: AdapterSlot, step: int, sampled: Sampled) -> None:
        """Continue the prompts by the base with the adapter as it is now."""
        name = AdapterName(request.settings.model, f"{request.request_id}-{step}")
        is_base = not step and slot.method not in VIRTUAL
        model = slot.loaded if is_base else adapted_model(slot.loaded, slot.snapshot(step, 0), name)
        self._write(model, request, sampled)

    def keep(self, snapshot: Adapter, owner: str) -> str:
        """Keep an adapter; gives its model id."""
        return self._adapters.add(snapshot, owner)


def check(request: FinetuneRequest, settings: Settings, info: ModelInfo) -> None:
    """Refuse a run whose adapter or tokens cannot be.

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
    texts = (*request.train, *request.held_out, *request.general, *request.old)
    ids = [*(text.input_ids for text in texts), *request.prompts]
    if not all(0 <= token < info.d_vocab for one in ids for token in one):
        raise BadValue(name="input_ids", value=str(ids[0][:8]), allowed=f"0-{info.d_vocab - 1}")
    _check_context(n, max(map(len, ids), default=0), info.n_ctx)
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
