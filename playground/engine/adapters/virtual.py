"""Virtual positions: a soft prompt's embeddings or a prefix's keys and values before every text.

    soft prompt   [P, d_model], read by the frozen model like embeddings of tokens
    prefix        keys and values [P, kv_head * d_head] of every layer, as if P tokens had been read

The model is causal, so what the text makes of it never changes the virtual positions: a soft prompt is
read once and is a prefix from then on. The text's own positions begin behind them, at P.

Source:
    Lester et al. 2021, "The Power of Scale for Parameter-Efficient Prompt Tuning", arXiv:2104.08691,
    section 2.
    Li & Liang 2021, "Prefix-Tuning: Optimizing Continuous Prompts for Generation", arXiv:2101.00190,
    section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from transformers.cache_utils import DynamicCache

from playground.engine.adapters.layers import Change
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.loaded import template_over
from playground.engine.models.virtual_attention import ATTRIBUTE, Before

PROMPT = ""  # the path of a soft prompt: no layer's
_OF_TREE = "virtual_positions"


@dataclass(eq=False)
class VirtualPositions:
    """The positions before every text of one adapted model.

    Attributes:
        n: Number of positions.
        layers: Of each layer; empty for a soft prompt that nobody has needed yet.
        embeddings: Of a soft prompt; None for a prefix. Shape [virtual, d_model].
        template: The base in a tree that never runs.
    """

    n: int
    template: Any  # a transformers model; the library is untyped
    embeddings: torch.Tensor | None = None
    layers: list[Before] = field(default_factory=list)

    def of_layer(self, layer: int) -> Before:
        """Keys and values before the text in one layer."""
        return self.layers[layer]

    def read(self) -> None:
        """Read a soft prompt, the first time it is needed: by the engine's thread."""
        if not self.layers:
            assert self.embeddings is not None
            self.layers = keys_and_values(self.template, self.embeddings)


def keys_and_values(template: Any, embeddings: torch.Tensor) -> list[Before]:  # noqa: ANN401  (transformers)
    """Keys and values that a decoder makes of embeddings at its first positions.

    They are read by a tree of its own, and out of sight of whoever collects something of another forward.

    Args:
        template: The decoder, in a tree that never runs.
        embeddings: As those of tokens. Shape [virtual, d_model].

    Returns:
        Keys and values of each layer.
    """

    @torch.no_grad()
    def run() -> list[Before]:
        body = template_over(template).base_model
        cache = DynamicCache(config=body.config)
        positions = torch.arange(len(embeddings), device=embeddings.device)[None]
        body(inputs_embeds=embeddings[None], position_ids=positions, past_key_values=cache, use_cache=True)
        return [Before(layer.keys.clone(), layer.values.clone()) for layer in cache.layers]

    return Context().run(run)


def attentions(model: Any, family: str) -> dict[str, torch.nn.Module]:  # noqa: ANN401  (transformers)
    """Path -> attention module of every layer of a decoder, in order."""
    of = FAMILIES[family]
    path = f"{model.base_model_prefix}.{of.blocks}"
    n = len(model.get_submodule(path))
    paths = [f"{path}.{layer}.{of.block.attention}" for layer in range(n)]
    return {one: model.get_submodule(one) for one in paths}


def by_head(rows: torch.Tensor, d_head: int) -> torch.Tensor:
    """Keys or values as a file has them, as attention wants them.

    Args:
        rows: Shape [..., virtual, kv_head * d_head].
        d_head: Numbers of a head.

    Returns:
        Shape [..., kv_head, virtual, d_head].
    """
    return rows.view(*rows.shape[:-1], -1, d_head).transpose(-2, -3)


def by_position(heads: torch.Tensor) -> torch.Tensor:
    """The other way round. Shape [..., kv_head, virtual, d_head] -> [..., virtual, kv_head * d_head]."""
    return heads.transpose(-2, -3).flatten(-2)


def virtual_positions(
    template: Any,  # noqa: ANN401  (transformers is untyped)
    changes: Mapping[str, Change],
    d_head: int,
) -> VirtualPositions:
    """The positions that an adapter puts before every text; shapes of its changes as in `places`."""
    prompt = changes.get(PROMPT)
    if prompt is not None:
        return VirtualPositions(len(prompt.B), template, prompt.B)
    layers = [
        Before(by_head(one.A, d_head)[None], by_head(one.B, d_head)[None])
        for one in changes.values()
        if one.A is not None
    ]
    return VirtualPositions(layers[0].n, template, None, layers)


def with_virtual(tree: Any, family: str, virtual: VirtualPositions) -> Any:  # noqa: ANN401  (transformers)
    """The tree, which reads every text behind these positions.

    Args:
        tree: A tree of its own over a model's tensors.
        family: Family of the model.
        virtual: The positions.
    """
    begin_behind(tree, lambda: virtual.n, virtual.read)
    put_before(tree, family, [partial(virtual.of_layer, layer) for layer in range(_depth(tree, family))])
    setattr(tree, _OF_TREE, virtual)
    return tree


def put_before(tree: Any, family: str, each: Sequence[Callable[[], Before | None]]) -> None:  # noqa: ANN401
    """Let every layer's attention ask for what stands before the text."""
    for attention, ask in zip(attentions(tree, family).values(), each, strict=True):
        setattr(attention, ATTRIBUTE, ask)


def begin_behind(tree: Any, n: Callable[[], Any], read: Callable[[], None] = lambda: None) -> None:  # noqa: ANN401
    """Let the positions of every text begin at n.

    Args:
        tree: A tree of its own over a decoder's tensors.
        n: Gives the number of virtual positions, or a tensor of those of every row, [row, 1].
        read: Called before every forward.
    """

    def shift(_body: object, args: Any, kwargs: dict[str, Any]) -> Any:  # noqa: ANN401  (a torch hook)
        read()
        given = kwargs.get("input_ids")
        given = kwargs["inputs_embeds"] if given is None else given
        positions = kwargs.get("position_ids")
        if positions is None:
            cache = kwargs.get("past_key_values")
            first = 0 if cache is None else cache.get_seq_length()
            positions = torch.arange(first, first + given.shape[1], device=given.device)[None]
        return args, {**kwargs, "position_ids": positions + n()}

    tree.base_model.register_forward_pre_hook(shift, with_kwargs=True)


def virtual_of(model: Any) -> VirtualPositions | None:  # noqa: ANN401  (transformers is untyped)
    """The positions before every text of a model; None where nothing does."""
    return getattr(model, _OF_TREE, None)


def _depth(tree: Any, family: str) -> int:  # noqa: ANN401  (transformers is untyped)
    return len(attentions(tree, family))
