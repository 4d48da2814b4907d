"""One decode step of a Llama-family model in half the operations.

A step with one token per row is bound by the price of starting operations: the library's forward starts 2,358
of them for SmolLM2 and spends half its time there. This is the same arithmetic on the same weights, written
out. A test holds it against the library's own forward; other families use that one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn.functional import rms_norm, scaled_dot_product_attention, silu

from playground.engine.adapters.layers import Adapted, frozen
from playground.engine.decoding.products import MAX_ROWS, Products
from playground.engine.decoding.slots import SlotCache
from playground.engine.forward.head import logit_cap, logits_of


class LinearLayer:
    """x Wᵀ for the few rows of a decode step, in the fastest way that is known (see `products`).

    Args:
        weight: The model's own. Shape [out, in].
        products: Ways of multiplying by it.
        name: Name of the layer it belongs to, for the changes of adapters.
    """

    def __init__(self, weight: torch.Tensor, products: Products, name: tuple[int, str] = (0, "")) -> None:
        self.name = name
        self._weight = weight
        self._turned = weight.t()
        self._ways = products.for_weight(weight)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Shape [row, in] -> [row, out]."""
        return self._ways[min(len(x), MAX_ROWS)](x, self._weight, self._turned)


@dataclass(frozen=True)
class Layer:
    """The weights of one block: views of the model's own; norms as [d_model]."""

    attention_norm: torch.Tensor
    q: LinearLayer
    k: LinearLayer
    v: LinearLayer
    o: LinearLayer
    mlp_norm: torch.Tensor
    gate: LinearLayer
    up: LinearLayer
    down: LinearLayer


Added = Mapping[tuple[int, str], Adapted]


class LlamaStep:
    """Callable for one decode step; make it with `llama_step`.

    Attributes:
        added: For the rows that have an adapter: which rows (None: all of them), and their adapted layers.
    """

    def __init__(self, model: Any, products: Products) -> None:  # noqa: ANN401  (transformers is untyped)
        config = model.config
        self.added: list[tuple[torch.Tensor | None, Added]] = []
        self._body = model.model
        self._eps = float(config.rms_norm_eps)
        self._n_kv_head = int(config.num_key_value_heads)
        self._group = int(config.num_attention_heads) // self._n_kv_head
        self._d_head = int(self._body.layers[0].self_attn.head_dim)
        self._layers = [_layer(number, block, products) for number, block in enumerate(self._body.layers)]

    def __call__(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor,
        attention_mask: torch.Tensor | None,
        cache: SlotCache,
    ) -> torch.Tensor:
        """The residual stream after the final norm.

        Args:
            input_ids: The newest token of each row. Shape [row, 1].
            position_ids: Position of that token. Shape [row, 1].
            attention_mask: None, or True where a row may look. Shape [row, 1, 1, key].
            cache: Prepared for this step; the new keys and values are written to it.

        Returns:
            Shape [row, d_model].
        """
        x = self._body.embed_tokens(input_ids[:, 0])
        shape = (len(x), 1, x.shape[-1])
        cos, sin = self._body.rotary_emb(x.view(shape), position_ids)
        half = self._d_head // 2
        sin = torch.cat([-sin[..., :half], sin[..., half:]], dim=-1)
        for layer, slot in zip(self._layers, cache.layers, strict=True):
            h = rms_norm(x, x.shape[-1:], layer.attention_norm, self._eps)
            x = x + self._attention(layer, slot, h, cos, sin, attention_mask)
            h = rms_norm(x, x.shape[-1:], layer.mlp_norm, self._eps)
            gated = silu(self._project(layer.gate, h)) * self._project(layer.up, h)
            x = x + self._project(layer.down, gated)
        return rms_norm(x, x.shape[-1:], self._body.norm.weight, self._eps)

    def _attention(
        self,
        layer: Layer,
        slot: Any,  # noqa: ANN401  (a SlotLayer; its base class is untyped)
        h: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        mask: torch.Tensor | None,
    ) -> torch.Tensor:
        """Attention of one token per row; `h` and the result have shape [row, d_model].

        Queries of one group share keys, so a group is laid out as if it were several query positions.
        """
        n, half = len(h), self._d_head // 2
        both = torch.cat([self._project(layer.q, h), self._project(layer.k, h)], dim=-1)
        both = both.view(n, -1, self._d_head)
        # rotate_half(x)·sin is roll(x)·sin with the sign of sin's first half turned (Su et al. 2021)
        both = torch.addcmul(both * cos, both.roll(half, -1), sin)
        n_query = self._group * self._n_kv_head
        query = both[:, :n_query].reshape(n, self._n_kv_head, self._group, self._d_head)
        value = self._project(layer.v, h).reshape(n, self._n_kv_head, 1, self._d_head)
        keys, values = slot.update(both[:, n_query:, None], value)
        mixed = scaled_dot_product_attention(query, keys, values, attn_mask=mask)
        return self._project(layer.o, mixed.reshape(n, -1))

    def _project(self, projection: LinearLayer, x: torch.Tensor) -> torch.Tensor:
        y = projection(x)
        for rows, layers in self.added:
            own = layers.get(projection.name)
            if own is not None and rows is None:
                y = y + own.added(x, y)
            elif own is not None and rows is not None:
                y = y.index_add(0, rows, own.added(x[rows], y[rows]))
        return y


def can_mix(model: Any) -> bool:  # noqa: ANN401  (transformers is untyped)
    """True if there is such a step for this model, which lets every row have its own adapter."""
    config = model.config
    return (
        config.model_type == "llama"
        and not config.attention_bias
        and not config.mlp_bias
        and config.hidden_act == "silu"
    )


def llama_step(model: Any, products: Products) -> LlamaStep | None:  # noqa: ANN401  (transformers is untyped)
    """The lean step of this model, or None where the library's forward has to do it."""
    return LlamaStep(model, products) if can_mix(model) else None


def vocabulary_head(
    model: Any,  # noqa: ANN401  (transformers is untyped)
    products: Products,
) -> Callable[[torch.Tensor], torch.Tensor]:
    """The model's map from the residual stream to logits, [row, d_model] -> [row, d_vocab]."""
    head = model.get_output_embeddings()
    if logit_cap(model) is not None:
        return partial(logits_of, model)
    return LinearLayer(head.weight, products) if head.bias is None else head


def adapted_layers(model: Any) -> Added:  # noqa: ANN401  (transformers is untyped)
    """The layers of a Llama-family model that an adapter adds to."""
    return {
        (number, name): module
        for number, block in enumerate(model.model.layers)
        for part in (block.self_attn, block.mlp)
        for name, module in part.named_children()
        if isinstance(module, Adapted)
    }


def _layer(number: int, block: Any, products: Products) -> Layer:  # noqa: ANN401  (transformers is untyped)
    attention, mlp = block.self_attn, block.mlp

    def of(part: Any, name: str) -> LinearLayer:  # noqa: ANN401  (transformers is untyped)
        weight: torch.Tensor = frozen(getattr(part, name)).weight  # type: ignore[assignment]
        return LinearLayer(weight, products, (number, name))

    return Layer(
        attention_norm=block.input_layernorm.weight,
        q=of(attention, "q_proj"),
        k=of(attention, "k_proj"),
        v=of(attention, "v_proj"),
        o=of(attention, "o_proj"),
        mlp_norm=block.post_attention_layernorm.weight,
        gate=of(mlp, "gate_proj"),
        up=of(mlp, "up_proj"),
        down=of(mlp, "down_proj"),
    )
