"""JSON schemas as a small model needs them: an object has the properties that are named, and no others."""

from __future__ import annotations

import json
from typing import Any, Final

from playground.engine.contract.constraints import Constraint

Json = dict[str, Any]
_OF_NAMES: Final = ("properties", "$defs", "definitions")  # keywords whose values are schemas by name
_OF_LISTS: Final = ("anyOf", "oneOf", "prefixItems")  # by number
_OF_ONE: Final = ("items", "additionalProperties")


def form(schema: Json) -> Constraint:
    """The constraint of a schema.

    Where it leaves open whether an object has further properties, it has none: the text is valid all the
    same, and it ends. A schema with `allOf` stays as it is, whose parts complete one another.
    """
    source = json.dumps(schema)
    return Constraint("json_schema", source if '"allOf"' in source else json.dumps(_closed(schema)))


def _closed(schema: Any) -> Any:  # noqa: ANN401 - a schema: an object, true or false
    if not isinstance(schema, dict):
        return schema
    found = dict(schema)
    for key, value in schema.items():
        if key in _OF_NAMES and isinstance(value, dict):
            found[key] = {name: _closed(one) for name, one in value.items()}
        elif key in _OF_LISTS and isinstance(value, list):
            found[key] = [_closed(one) for one in value]
        elif key in _OF_ONE:
            found[key] = _closed(value)
    if isinstance(schema.get("properties"), dict):
        found.setdefault("additionalProperties", False)
    return found
