"""The position scheme of a loaded model as plain data, and validation of chosen positions."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from playground.core.positions import FirstHead, PositionScheme
from playground.engine.models.configs import LENGTH_DEPENDENT
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.loaded import LoadedModel
from playground.errors import BadValue, Message, Unsupported

if TYPE_CHECKING:
    import torch

MAX_ROTARY_POSITION = 2**20  # float32 angles of later positions are no longer exact


def position_scheme(loaded: LoadedModel) -> PositionScheme:
    """Read the scheme off the model's own weights and config.

    Raises:
        Unsupported: A scheme with neither a table nor plain rotation (T5's relative biases, scaled RoPE).
    """
    model, info = loaded.model.base_model, loaded.info
    learned = _learned(loaded)
    if learned is not None:
        table = _array(learned.weight)
        return PositionScheme("learned", info.model_id, info.revision, len(table), table=table)
    rotary = getattr(model.config, "rope_parameters", None)
    if not rotary:
        raise Unsupported(model_id=info.model_id, capability=Message("positions that can be chosen"))
    if rotary.get("rope_type", "default") != "default":
        raise Unsupported(model_id=info.model_id, capability=Message("rotation by one base (RoPE)"))
    return PositionScheme(
        "rotary",
        info.model_id,
        info.revision,
        info.n_ctx,
        base=float(rotary["rope_theta"]),
        d_head=info.d_head,
        head=_first_head(model.layers[0], info.d_head),
    )


def check_positions(
    position_ids: Sequence[int] | None, n_tokens: int, loaded: LoadedModel
) -> tuple[int, ...] | None:
    """The chosen positions, if the model has them: one for each token, and none past the end of its table.

    Raises:
        BadValue: Not one for each token, negative, or past the model's last position.
        Unsupported: The model's positions cannot be chosen.
    """
    if position_ids is None:
        return None
    if loaded.info.kind == "encoder-decoder":
        raise Unsupported(model_id=loaded.info.model_id, capability=Message("positions that can be chosen"))
    last = _last_position(loaded)
    if len(position_ids) != n_tokens:
        raise BadValue(name="len(position_ids)", value=len(position_ids), allowed=str(n_tokens))
    for position in position_ids:
        if not isinstance(position, Integral) or not 0 <= position <= last:
            raise BadValue(name="position", value=position, allowed=f"0-{last}")
    return tuple(position_ids)


def _last_position(loaded: LoadedModel) -> int:
    """The end of the table; of a rotation the last exact angle, or where its angles begin to change."""
    model = loaded.model.base_model
    learned = _learned(loaded)
    if learned is not None:
        return len(learned.weight) - 1
    if model.config.rope_parameters["rope_type"] in LENGTH_DEPENDENT:
        return loaded.info.n_ctx - 1
    return MAX_ROTARY_POSITION


def _learned(loaded: LoadedModel) -> torch.nn.Embedding | None:
    """The module with the learned position embeddings, weight [n_ctx, d_model], or None."""
    path = FAMILIES[loaded.info.family].position_table
    found: torch.nn.Embedding | None = loaded.model.base_model.get_submodule(path) if path else None
    return found


def _first_head(layer: torch.nn.Module, d_head: int) -> FirstHead:
    """Weights that turn an embedding into query and key of the first head, before they are rotated."""
    attention: Any = layer.self_attn
    norm: Any = layer.input_layernorm
    query, key = attention.q_proj, attention.k_proj
    query_norm, key_norm = (getattr(attention, name, None) for name in ("q_norm", "k_norm"))
    return FirstHead(
        norm=_array(norm.weight),
        epsilon=float(norm.variance_epsilon),
        query=_array(query.weight[:d_head]),
        key=_array(key.weight[:d_head]),
        query_bias=None if query.bias is None else _array(query.bias[:d_head]),
        key_bias=None if key.bias is None else _array(key.bias[:d_head]),
        query_norm=None if query_norm is None else _array(query_norm.weight),
        key_norm=None if key_norm is None else _array(key_norm.weight),
    )


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().float().cpu().numpy().copy()
    array.flags.writeable = False
    return array
