"""Bottleneck adapters: a small network in series behind the attention and the MLP of every layer.

    x --> W x = y --> y + B gelu(A y) --> residual stream      A [m, d_model], B [d_model, m], first 0

LoRA works beside its weight and could be added to it; this reads what the weight gives, so nothing can begin
before that is there, and it stays a product more at every token.

Source:
    Houlsby et al. 2019, "Parameter-Efficient Transfer Learning for NLP", arXiv:1902.00751, section 2.1;
    without biases, as He et al. 2022, "Towards a Unified View of Parameter-Efficient Transfer Learning",
    arXiv:2110.04366, section 2.2, write it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.functional import gelu, linear

from playground.engine.adapters.layers import Adapted, Change
from playground.engine.models.finite import is_finite
from playground.errors import NotFinite


class Bottleneck(Adapted):
    """A frozen linear layer and the network behind it; arguments as of `Adapted`.

    Attributes:
        is_in_series: True: what is added follows from what the layer gives, so its inputs have no shares of
            it.
    """

    is_in_series = True

    def added(self, _x: torch.Tensor, _y: torch.Tensor) -> torch.Tensor:
        """s·B gelu(A y) of the frozen layer's output. Shape [..., d_out] -> [..., d_out].

        Raises:
            NotFinite: It overflows.
        """
        assert self.change.A is not None
        added = self.scaling * linear(gelu(linear(_y, self.change.A)), self.change.B)
        if not is_finite(added):
            raise NotFinite(model_id=self.name)
        return added

    @property
    def weight(self) -> torch.Tensor:
        """The frozen weight: what stands behind it is no part of any matrix. Shape as that of `Adapted`."""
        own: torch.Tensor = self.base.weight  # type: ignore[assignment]
        return own


def bottleneck(change: Change, scaling: float, name: str) -> Callable[[torch.nn.Module], torch.nn.Module]:
    """Gives what makes an adapted layer of a frozen one."""
    return lambda base: Bottleneck(base, change, scaling, name)
