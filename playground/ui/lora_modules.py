"""The linear layers that LoRA may change, by the part of a block that they belong to."""

from __future__ import annotations

from playground.engine.contract.adapters import Linear


def modules_of(known: tuple[Linear, ...], which: str) -> tuple[str, ...]:
    """The names that are trained: queries and values, all of attention, the MLP, or all."""
    names = tuple(dict.fromkeys(one.module for one in known))
    attention = [name for name in names if "attn" in name or name in ("q_proj", "k_proj", "v_proj", "o_proj")]
    mlp = [name for name in names if name not in attention]
    small = [name for name in attention if name in ("q_proj", "v_proj", "c_attn")]
    found = {"attention": small, "whole_attention": attention, "mlp": mlp, "all": list(names)}[which]
    return tuple(found or names)
