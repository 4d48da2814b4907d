"""One adapter: what was learned, the model it makes of its base, and the sum of two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from playground.core.lora import LoraConfig, LowRank
from playground.engine.adapters.bottleneck import bottleneck
from playground.engine.adapters.layers import Change, adapted, linears, summed, weight_norms, wrapped
from playground.engine.adapters.virtual import virtual_positions, with_virtual
from playground.engine.contract.adapters import PRODUCTS, VIRTUAL, AdapterInfo, Method
from playground.engine.contract.models import AdapterName
from playground.engine.contract.training import FinetuneSettings
from playground.engine.models.loaded import LoadedModel, template_over
from playground.errors import BadValue, Message, Unsupported

MAX_STRENGTH = 150


@dataclass(frozen=True, eq=False)
class Adapter:
    """An adapter from a training run or an uploaded file.

    Attributes:
        base_id: Catalogue id of the model it changes.
        name: Name that the reader gave it.
        step: Steps it was trained, 0 when that is not known.
        lora, method: Settings it was trained with.
        changes: Path of each place -> what was learned there, see `places`.
        settings: Settings of the training run, None for an uploaded or added one.
        run: Number of the run in its session, 0 without one.
    """

    base_id: str
    name: str
    step: int
    lora: LoraConfig
    method: Method
    changes: Mapping[str, Change]
    settings: FinetuneSettings | None = None
    run: int = 0

    @property
    def scaling(self) -> float:
        """Factor of what is added."""
        return self.lora.scaling if self.method == "lora" else 1.0

    @property
    def num_virtual_tokens(self) -> int:
        """Positions that it puts before every text."""
        return len(next(iter(self.changes.values())).B) if self.method in VIRTUAL else 0

    def named(self, settings: FinetuneSettings, number: int) -> Adapter:
        """The same, as learned by an equal run; it shares the memory."""
        return replace(self, name=settings.name, settings=settings, run=number)

    def is_finite(self) -> bool:
        """True if all its numbers are finite."""
        return all(change.is_finite() for change in self.changes.values())

    @property
    def size_bytes(self) -> int:
        """Memory it takes."""
        return sum(change.nbytes for change in self.changes.values())

    def info(self, adapter_id: str) -> AdapterInfo:
        """The facts about it that a reader may know."""
        changes = self.changes.values()
        return AdapterInfo(
            model_id=f"{self.base_id}+{adapter_id}",
            base_id=self.base_id,
            name=self.name,
            run=self.run,
            learning_rate=self.settings.learning_rate if self.settings else None,
            step=self.step,
            lora=self.lora,
            method=self.method,
            n_parameters=sum(one.B.numel() + (0 if one.A is None else one.A.numel()) for one in changes),
            size_bytes=self.size_bytes,
            num_virtual_tokens=self.num_virtual_tokens,
        )


def adapted_model(base: LoadedModel, adapter: Adapter, name: AdapterName) -> LoadedModel:
    """The base with an adapter, as if it were a model of its own.

    Raises:
        BadValue: A strength that is not possible: virtual positions are there or not.
    """
    if not 0 <= name.strength * 100 <= MAX_STRENGTH:
        raise BadValue(name="strength", value=name.strength, allowed=f"0-{MAX_STRENGTH / 100}")
    is_virtual = adapter.method in VIRTUAL
    if is_virtual and name.strength not in (0, 1):
        raise BadValue(name="strength", value=name.strength, allowed="0, 1")
    n = adapter.num_virtual_tokens if name.strength else 0
    changes = {path: change.to(base.device, base.dtype) for path, change in adapter.changes.items()}
    info = replace(
        base.info,
        model_id=name.model_id,
        name=f"{base.info.name} + {adapter.name}",
        adapter=adapter.name,
        adapter_step=adapter.step,
        n_virtual=n,
        n_ctx=max(1, base.info.n_ctx - n) if base.info.n_ctx else 0,
    )
    scaling = adapter.scaling * name.strength
    if scaling == 0:
        model = template_over(base.template)
    elif is_virtual:
        virtual = virtual_positions(base.template, changes, base.info.d_head)
        model = with_virtual(template_over(base.template), base.info.family, virtual)
    elif adapter.method == "bottleneck":
        wraps = {path: bottleneck(change, scaling, info.name) for path, change in changes.items()}
        model = wrapped(base.template, wraps)
    else:
        model = adapted(base.template, changes, scaling, info.name)
    return replace(base, info=info, model=model)


def sum_of(first: Adapter, second: Adapter) -> Adapter:
    """An adapter that adds both changes: their factors side by side, A stacked and B in a row.

    Raises:
        BadValue: The adapters are not of the same base, or one changes no weights.
    """
    for one in (first, second):
        if one.method not in PRODUCTS:
            raise BadValue(name="method", value=one.method, allowed=", ".join(PRODUCTS))
    if first.base_id != second.base_id:
        raise BadValue(name="base", value=second.base_id, allowed=first.base_id)
    both = (first, second)
    changes = {
        path: summed([(one.changes[path], one.scaling) for one in both if path in one.changes])
        for path in dict.fromkeys([*first.changes, *second.changes])
    }
    r = max(change.B.shape[1] for change in changes.values())
    return Adapter(
        base_id=first.base_id,
        name=f"{first.name} + {second.name}"[:60],
        step=0,
        lora=LoraConfig(
            r=r,
            lora_alpha=float(r),  # the scalings lie in B
            target_modules=tuple(dict.fromkeys([*first.lora.target_modules, *second.lora.target_modules])),
        ),
        method="lora",
        changes=changes,
    )


def low_rank(base: LoadedModel, adapter: Adapter, strength: float) -> tuple[LowRank, ...]:
    """The change that the adapter makes to each layer, in order.

    Raises:
        Unsupported: It makes none: what it adds is no matrix beside a weight.
    """
    if adapter.method not in PRODUCTS:
        raise Unsupported(model_id=adapter.name, capability=Message("change of a weight by a matrix"))
    norms, known = weight_norms(base.template, list(adapter.changes)), linears(base.template)
    found = []
    for path, change in adapter.changes.items():
        A, B = (part.float().cpu().numpy() for part in change.factors())
        layer = known[path]
        found.append(LowRank(layer.layer, layer.module, A, B, adapter.scaling * strength, norms[path]))
    return tuple(found)
