"""The code shown under the pictures of the page, with what is on the screen."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.devices import Trained
from playground.core.memory import Method, ModelSizes
from playground.ui import footprints, show
from playground.ui.state import PageContext


def budget(context: PageContext, sizes: ModelSizes, method: Method, size: tuple[int, int]) -> str:
    """A real step of the model; LoRA and what trains nothing are shown with their own numbers."""
    return show.code(
        "memory_budget",
        folder=show.model_folder(footprints.base_of(context)),
        is_decoder=sizes.kind == "decoder",
        method=method,
        batch=size[0],
        length=min(size[1], sizes.n_ctx or size[1]),
    )


def bits(number: float) -> str:
    """A number in PyTorch's formats."""
    return show.code("memory_bits", number=repr(number))


def cache(context: PageContext, lengths: Sequence[int]) -> str:
    """A real cache of the model."""
    return show.code(
        "memory_cache", folder=show.model_folder(footprints.base_of(context)), lengths=list(lengths)
    )


def devices(model: Trained, n_devices: int) -> str:
    """The formulas."""
    return show.code(
        "memory_devices",
        n_parameters=model.n_parameters,
        n_layer=model.n_layer,
        d_model=model.d_model,
        n_tokens=model.n_tokens,
        n_devices=n_devices,
    )
