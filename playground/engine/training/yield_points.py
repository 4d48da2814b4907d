"""Points between the layers of a model in training at which others may use the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch

from playground.engine.forward.blocks import blocks
from playground.engine.models.loaded import LoadedModel
from playground.engine.training.learner import GiveWay


class _YieldPoint(torch.autograd.Function):
    """Nothing, but somebody else may use the engine here, on the way there and on the way back."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, give_way: GiveWay) -> torch.Tensor:  # noqa: ANN401  (torch)
        ctx.give_way = give_way
        give_way()
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:  # noqa: ANN401  (torch)
        if grads[0].device.type == "cpu":  # there the engine's own thread runs this
            ctx.give_way()
        return grads[0], None


def yield_between(loaded: LoadedModel, give_way: GiveWay) -> Callable[[], None]:
    """Call `give_way` before every layer of a model, forward and backward; gives what ends that."""
    return yield_before([block.whole for block in blocks(loaded)], give_way)


def yield_before(layers: Iterable[torch.nn.Module], give_way: GiveWay) -> Callable[[], None]:
    """Call `give_way` before each of these layers, which read their first argument; gives what ends that."""
    hooks = [
        layer.register_forward_pre_hook(partial(_between, give_way), with_kwargs=True) for layer in layers
    ]

    def end() -> None:
        for hook in hooks:
            hook.remove()

    return end


def _between(give_way: GiveWay, _block: object, args: Any, kwargs: Any) -> Any:  # noqa: ANN401  (a torch hook)
    states = _YieldPoint.apply(args[0], give_way)  # type: ignore[no-untyped-call]
    return (states, *args[1:]), kwargs
