"""The position scheme of a loaded model as plain data, and validation of chosen positions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from playground.core.positions import FirstHead, PositionScheme
from playground.engine.forward.weights import norm_epsilon, norm_weight
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
        table = _array(learned.weight[_first_row(loaded) + loaded.info.n_virtual :])
        return PositionScheme("learned", info.model_id, info.revision, len(table), table=table)
    family = FAMILIES[info.family]
    if family.positions != "rotary":
        raise Unsupported(model_id=info.model_id, capability=Message("positions that can be chosen"))
    rotary = _first_rope(loaded)
    if not family.has_clocks or rotary.get("rope_type", "default") != "default":
        raise Unsupported(model_id=info.model_id, capability=Message("rotation by one base (RoPE)"))
    return PositionScheme(
        "rotary",
        info.model_id,
        info.revision,
        info.n_ctx,
        base=float(rotary["rope_theta"]),
        d_head=info.d_head,
        head=_first_head(model.layers[0], loaded),
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
    learned = _learned(loaded)
    if learned is not None:
        return len(learned.weight) - 1 - _first_row(loaded) - loaded.info.n_virtual
    if _first_rope(loaded)["rope_type"] in LENGTH_DEPENDENT:
        return loaded.info.n_ctx - 1
    return MAX_ROTARY_POSITION


def _learned(loaded: LoadedModel) -> torch.nn.Embedding | None:
    """The module with the learned position embeddings, weight [n_ctx, d_model], or None."""
    path = FAMILIES[loaded.info.family].position_table
    found: torch.nn.Embedding | None = loaded.model.base_model.get_submodule(path) if path else None
    return found


def table_rows(
    loaded: LoadedModel, input_ids: tuple[int, ...], position_ids: tuple[int, ...] | None
) -> tuple[int, ...]:
    """The `position_ids` that the library wants for a text: those chosen, or its own."""
    if not FAMILIES[loaded.info.family].ids_are_rows:
        return position_ids or tuple(range(len(input_ids)))
    first = _first_row(loaded)
    if position_ids:
        return tuple(position + first for position in position_ids)
    padding = first - 1  # RoBERTa: a padding token inside a text has this row, and is not counted
    counted = accumulate(int(token != padding) for token in input_ids)
    return tuple(
        padding + n if token != padding else padding for token, n in zip(input_ids, counted, strict=True)
    )


def _first_row(loaded: LoadedModel) -> int:
    return FAMILIES[loaded.info.family].first_row(loaded.model.config.to_dict())


def _first_rope(loaded: LoadedModel) -> dict[str, Any]:
    """The rotation of the first layer."""
    config = loaded.model.config
    rope: dict[str, Any] = config.rope_parameters
    return rope[config.layer_types[0]] if FAMILIES[loaded.info.family].has_ropes_by_layer else rope


def _first_head(layer: torch.nn.Module, loaded: LoadedModel) -> FirstHead:
    """Weights that turn an embedding into query and key of the first head, before they are rotated."""
    attention: Any = layer.self_attn
    d_head = loaded.info.d_head
    norm: Any = layer.input_layernorm
    query, key = attention.q_proj, attention.k_proj
    query_norm, key_norm = (getattr(attention, name, None) for name in ("q_norm", "k_norm"))
    return FirstHead(
        norm=norm_weight(norm, loaded),
        epsilon=norm_epsilon(norm),
        query=_array(query.weight[:d_head]),
        key=_array(key.weight[:d_head]),
        query_bias=None if query.bias is None else _array(query.bias[:d_head]),
        key_bias=None if key.bias is None else _array(key.bias[:d_head]),
        query_norm=None if query_norm is None else norm_weight(query_norm, loaded),
        key_norm=None if key_norm is None else norm_weight(key_norm, loaded),
    )


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().float().cpu().numpy().copy()
    array.flags.writeable = False
    return array
