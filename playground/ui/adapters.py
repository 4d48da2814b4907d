"""The session's adapters as models that can be picked on every page."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from playground.engine.contract.adapters import AdapterInfo
from playground.engine.contract.engine import Engine
from playground.engine.contract.models import AdapterName, CatalogueEntry, ModelInfo
from playground.errors import PlaygroundError
from playground.ui import compute
from playground.ui.choose import told_apart
from playground.ui.text import _, share


def mine() -> list[AdapterInfo]:
    """This session's adapters, oldest first; none while the engine is starting."""
    engine = _engine()
    return [] if engine is None else engine.adapters.of(compute.owner())


def entries(models: dict[str, CatalogueEntry]) -> dict[str, CatalogueEntry]:
    """Model id -> what is picked: each adapter on its base.

    Args:
        models: The allow-list.
    """
    found = {one.model_id: one for one in mine() if one.base_id in models}
    return {
        model_id: replace(
            models[found[model_id].base_id],
            model_id=model_id,
            name=f"{models[found[model_id].base_id].name} + {name}",
        )
        for model_id, name in names().items()
        if model_id in found
    }


def names() -> dict[str, str]:
    """Model id -> how each of this session's adapters is called in every list; no two are called the same."""
    return told_apart({one.model_id: _name(one) for one in mine()})


def _name(adapter: AdapterInfo) -> str:
    """Its name, the run it comes from with its learning rate, and how long it was trained, where known."""
    words = [adapter.name]
    if adapter.run:
        words.append(_("run {number}").format(number=adapter.run))
    if adapter.learning_rate is not None:
        words.append(f"{adapter.learning_rate:g}")
    if adapter.step:
        words.append(_("step {step}").format(step=adapter.step))
    return " · ".join(words)


def entry_of(model_id: str, models: dict[str, CatalogueEntry]) -> CatalogueEntry | None:
    """The entry that a model id with an adapter names, at its strength; None if it is another session's."""
    name, engine = AdapterName.of(model_id), _engine()
    if engine is None or not name.adapter_id or not engine.adapters.belongs(model_id, compute.owner()):
        return None
    whole = entries(models).get(f"{name.base_id}+{name.adapter_id}")
    if whole is None or name.strength == 1:
        return whole
    return replace(whole, model_id=name.model_id, name=f"{whole.name} · {share(name.strength)}")


def info_of(base: ModelInfo, entry: CatalogueEntry) -> ModelInfo:
    """Facts about the entry's model, from those of its base.

    Raises:
        AdapterGone: The adapter is no longer there.
    """
    if base.model_id == entry.model_id:
        return base
    engine = _engine()
    if engine is None:
        return base
    adapter = engine.adapters.info(entry.model_id)
    n = adapter.num_virtual_tokens if AdapterName.of(entry.model_id).strength else 0
    return replace(
        base, model_id=entry.model_id, name=entry.name, adapter=adapter.name, adapter_step=adapter.step,
        n_virtual=n, n_ctx=max(1, base.n_ctx - n) if base.n_ctx else 0,
    )  # fmt: skip


def _engine() -> Engine | None:
    with suppress(PlaygroundError):
        return compute.running_engine()
    return None
