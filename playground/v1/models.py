"""GET /v1/models: the models that a key may ask, those of its session too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playground.v1.asking import Asking
from playground.v1.refusals import Refused, shown


def answer(model_id: str, asking: Asking) -> Iterator[dict[str, Any]]:
    """All models, or the one of this id; "" for all.

    Raises:
        Refused: There is none of this id for this session.
    """
    owned = {info.model_id: info.licence or "playground" for info in asking.models()}
    owned |= dict.fromkeys(asking.adapters(), "this session")
    listed = {
        name: {"id": name, "object": "model", "created": 0, "owned_by": by} for name, by in owned.items()
    }
    if not model_id:
        yield {"object": "list", "data": list(listed.values())}
    elif model_id in listed:
        yield listed[model_id]
    else:
        raise Refused(
            404, f"There is no model {shown(model_id)} here: GET /v1/models lists those there are.",
            param="model", code="model_not_found",
        )  # fmt: skip
