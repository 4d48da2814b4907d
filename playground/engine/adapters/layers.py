"""Linear layers with something added: one adapter in use, or K adapters trained side by side.

    y = W x  +  s · B (A x)          W frozen and shared, A [r, d_in], B [d_out, r], s = lora_alpha / r

An adapted model is the base's tree of modules made again over the same tensors, with the target layers
wrapped; the base itself never changes.

Source:
    Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", arXiv:2106.09685, section 4.1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import linear

from playground.engine.contract.adapters import Linear, Method
from playground.engine.models.finite import is_finite
from playground.engine.models.loaded import template_over
from playground.errors import BadValue, Message, NotFinite, Unsupported


@dataclass(frozen=True, eq=False)
class Change:
    """The numbers learned at one place: the change of a weight, or what `places` says of a method.

    Attributes:
        A: Shape [r, d_in]; None where the whole matrix was trained.
        B: Shape [d_out, r], or the whole difference [d_out, d_in].
    """

    A: torch.Tensor | None
    B: torch.Tensor

    def delta(self) -> torch.Tensor:
        """B·A, before scaling. Shape [d_out, d_in]."""
        return self.B if self.A is None else self.B @ self.A

    def factors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """A [r, d_in] and B [d_out, r]; of a matrix trained whole, itself and the identity."""
        if self.A is not None:
            return self.A, self.B
        d_out, d_in = self.B.shape
        eye = torch.eye(min(d_out, d_in), device=self.B.device)
        return (self.B, eye) if d_out <= d_in else (eye, self.B)

    def to(self, device: torch.device, dtype: torch.dtype) -> Change:
        """The same where a model is, and in its number format."""
        return Change(None if self.A is None else self.A.to(device, dtype), self.B.to(device, dtype))

    def is_finite(self) -> bool:
        """True if all its numbers are finite."""
        return all(is_finite(part) for part in (self.A, self.B) if part is not None)

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return self.B.nbytes + (0 if self.A is None else self.A.nbytes)


class Adapted(torch.nn.Module):
    """A frozen linear layer and what is added to it.

    Args:
        base: `Linear`, or GPT-2's `Conv1D`, which keeps its weights as [d_in, d_out].
        change: The weight change.
        scaling: Factor of the change.
        name: Name of the model with the adapter, as readers know it.
    """

    def __init__(self, base: torch.nn.Module, change: Change, scaling: float, name: str) -> None:
        super().__init__()
        self.base, self.change, self.scaling, self.name = base, change, scaling, name

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape [..., d_in] -> [..., d_out]."""
        y: torch.Tensor = self.base(x)
        return y + self.added(x, y)

    def added(self, x: torch.Tensor, _y: torch.Tensor) -> torch.Tensor:
        """The output that the adapter adds, s·B(A x). Shape [..., d_in] -> [..., d_out].

        Args:
            x: Input of the frozen layer.
            _y: What that makes of it.

        Raises:
            NotFinite: It overflows. Raised here, because attention turns queries that overflow into zeros.
        """
        low = x if self.change.A is None else linear(x, self.change.A)
        added = self.scaling * linear(low, self.change.B)
        if not is_finite(added):
            raise NotFinite(model_id=self.name)
        return added

    @property
    def bias(self) -> torch.Tensor | None:
        """Bias of the base layer. Shape [d_out]."""
        return getattr(self.base, "bias", None)

    @property
    def weight(self) -> torch.Tensor:
        """W + s·B·A in the base's own layout, made anew. Shape [d_out, d_in], of `Conv1D` [d_in, d_out]."""
        own: torch.Tensor = self.base.weight  # type: ignore[assignment]
        delta = self.scaling * self.change.delta()
        return own + (delta.t() if _is_conv1d(self.base) else delta)


def frozen(module: torch.nn.Module) -> torch.nn.Module:
    """The layer without what an adapter adds."""
    return module.base if isinstance(module, Adapted) else module


def _is_conv1d(module: torch.nn.Module) -> bool:
    return type(module).__name__ == "Conv1D"


def is_linear(module: torch.nn.Module) -> bool:
    """True for a linear layer: `Linear`, or GPT-2's `Conv1D`."""
    return isinstance(module, torch.nn.Linear) or _is_conv1d(module)


def shape_of(module: torch.nn.Module) -> tuple[int, int]:
    """(d_out, d_in) of a linear layer."""
    first, second = module.weight.shape  # type: ignore[misc]
    return (int(second), int(first)) if _is_conv1d(module) else (int(first), int(second))


def linears(model: Any) -> dict[str, Linear]:  # noqa: ANN401  (transformers is untyped)
    """Path -> linear layer of every block of a decoder, in order.

    A module is named by the last part of its path, or by two where a block has two of that name.
    """
    found: dict[str, tuple[int, torch.nn.Module]] = {}
    for path, module in model.named_modules():
        numbers = [part for part in path.split(".") if part.isdigit()]
        if len(numbers) == 1 and is_linear(module):
            found[path] = (int(numbers[0]), module)
    ends = Counter((layer, path.rpartition(".")[2]) for path, (layer, _module) in found.items())
    return {
        path: Linear(layer, _name(path, 1 + (ends[layer, path.rpartition(".")[2]] > 1)), *shape_of(module))
        for path, (layer, module) in found.items()
    }


def _name(path: str, n_parts: int) -> str:
    return ".".join(path.split(".")[-n_parts:])


def targets(
    model: Any,  # noqa: ANN401  (transformers is untyped)
    target_modules: tuple[str, ...],
    method: Method,
) -> dict[str, Linear]:
    """Path -> linear layer that a run trains.

    Raises:
        BadValue: A module that the model has not.
        Unsupported: The model has no blocks with linear layers.
    """
    known = linears(model)
    if not known:
        raise Unsupported(model_id=type(model).__name__, capability=Message("linear layers"))
    if method == "last_block":
        last = max(one.layer for one in known.values())
        return {path: one for path, one in known.items() if one.layer == last}
    names = {one.module for one in known.values()}
    if not target_modules or not names.issuperset(target_modules):
        allowed = ", ".join(sorted(names))
        raise BadValue(name="target_modules", value=", ".join(target_modules) or "-", allowed=allowed)
    return {path: one for path, one in known.items() if one.module in target_modules}


def wrapped(model: Any, wrap: Mapping[str, Callable[[torch.nn.Module], torch.nn.Module]]) -> Any:  # noqa: ANN401
    """A tree over the model's tensors in which the layers of these paths are wrapped."""
    tree = template_over(model)
    for path, make in wrap.items():
        parent, _dot, name = path.rpartition(".")
        owner = tree.get_submodule(parent)
        setattr(owner, name, make(getattr(owner, name)))
    return tree


def adapted(model: Any, changes: Mapping[str, Change], scaling: float, name: str) -> Any:  # noqa: ANN401
    """The model with an adapter: same weights, more terms.

    Args:
        model: The base.
        changes: Path of each layer -> what is added.
        scaling: lora_alpha / r, times the strength; at 0 nothing is wrapped, so it is the base exactly.
        name: Name of the model with the adapter, as readers know it.
    """
    if scaling == 0:
        return template_over(model)
    return wrapped(model, {path: _adapter(change, scaling, name) for path, change in changes.items()})


def _adapter(change: Change, scaling: float, name: str) -> Callable[[torch.nn.Module], torch.nn.Module]:
    return lambda base: Adapted(base, change, scaling, name)


def summed(parts: Sequence[tuple[Change, float]]) -> Change:
    """Σ scaling · B·A as one product: the A below each other, the scaled B side by side."""
    factors = [(change.factors(), scaling) for change, scaling in parts]
    return Change(
        torch.cat([A for (A, _B), _scaling in factors]), torch.cat([s * B for (_A, B), s in factors], dim=1)
    )


def weight_norms(model: Any, paths: Sequence[str]) -> dict[str, float]:  # noqa: ANN401
    """Frobenius norm of the frozen weights of each of these layers."""
    return {path: float(model.get_submodule(path).weight.float().norm()) for path in paths}
