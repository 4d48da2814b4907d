"""JSON schemas, read by an allow-list of keywords and values, for a library that makes grammars of them.

What is left is exact: each text that the grammar allows is valid by the schema. A keyword that is unknown, or
that no grammar can keep to (no item twice, a schema that must not hold), is refused by name; notes for people
(`title`, `description`, `default`, …) are left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from playground.core.constraints.characters import Ranges, united
from playground.core.constraints.expressions import MAX_WRITTEN, rewritten
from playground.errors import ConstraintRefused, Message

MAX_DEPTH, MAX_NODES = 24, 2_000
MAX_COUNT = 1_000  # characters of a string, items of a list
MAX_NUMBER, MAX_DIVISOR = 2**53, 1_000
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
NOTES = {
    "$schema", "$comment", "title", "description", "default", "examples", "readOnly", "writeOnly",
    "deprecated",
}  # fmt: skip
FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri")
PRINTED: Ranges = ((0x20, 0x7E),)  # characters that JSON itself is written with

Schema = dict[str, Any]


class ReadSchema:
    """A schema that is understood.

    Attributes:
        schema: Its constraining keywords alone, patterns rewritten.
        atoms: As in `expressions.Written`: of names and values that a match may need.
    """

    def __init__(self, schema: Schema, atoms: frozenset[Ranges]) -> None:
        self.schema, self.atoms = schema, atoms


def read_schema(source: str) -> ReadSchema:
    """Read a JSON schema.

    Args:
        source: The schema as JSON.

    Raises:
        ConstraintRefused: No JSON, a keyword or value that is not understood, or nothing can be valid by it.

    Example:
        >>> read_schema('{"title": "Age", "type": "integer", "minimum": 0}').schema
        {'type': 'integer', 'minimum': 0}
    """
    try:
        found = json.loads(source, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise refused(Message("it is not JSON ({error}).", (("error", str(error)),))) from None
    reader = _Reader()
    schema = reader.whole(found)
    reader.check_references()
    if not _can_be(schema, reader.definitions):
        raise refused(Message("nothing can be valid by it."))
    return ReadSchema(schema, frozenset(reader.atoms))


def refused(reason: Message) -> ConstraintRefused:
    """The error of a JSON schema."""
    return ConstraintRefused(kind=Message("JSON schema"), reason=reason)


def _no_number(name: str) -> Any:  # noqa: ANN401  (never returns)
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a name stands twice among {', '.join(sorted(found))}"[:80])
    return found


def _bad(key: str, value: Any, allowed: str) -> ConstraintRefused:  # noqa: ANN401  (JSON)
    shown = json.dumps(value, ensure_ascii=False)[:60]
    values = (("key", key), ("value", shown), ("allowed", allowed))
    return refused(Message("it says {key}: {value}, and here that can only be {allowed}.", values))


class _Reader:
    def __init__(self) -> None:
        self.atoms: set[Ranges] = set()
        self.definitions: dict[str, Schema] = {}
        self._references: set[str] = set()
        self._n_nodes = self._n_written = 0
        self._depth = 0

    def whole(self, found: Any) -> Schema:  # noqa: ANN401  (JSON)
        if not isinstance(found, dict):
            raise _bad("$", found, "{…}")
        schema: Schema = {}
        for key in ("$defs", "definitions"):
            if key in found:
                schema[key] = self._named(key, found[key])
                self.definitions |= {f"#/{key}/{name}": one for name, one in schema[key].items()}
        schema |= self._read({key: one for key, one in found.items() if key not in ("$defs", "definitions")})
        self.definitions["#"] = schema
        return schema

    def check_references(self) -> None:
        """Refuse a reference to what is not there."""
        for missing in sorted(self._references - self.definitions.keys()):
            raise _bad("$ref", missing, ", ".join(sorted(self.definitions))[:200])

    def _read(self, found: Any) -> Any:  # noqa: ANN401  (a schema: an object, true or false)
        if isinstance(found, bool):
            return found
        if not isinstance(found, dict):
            raise _bad("$", found, "{…}")
        self._n_nodes += 1
        self._depth += 1
        if self._depth > MAX_DEPTH or self._n_nodes > MAX_NODES:
            raise refused(Message("it is too large: write it with fewer and smaller parts."))
        schema: Schema = {}
        for key, value in found.items():
            if key in NOTES:
                continue
            if key not in KEYWORDS:
                known = ", ".join(KEYWORDS)
                values = (("key", key[:60]), ("known", known))
                raise refused(Message("{key} is not understood here: it can have {known}.", values))
            schema[key] = KEYWORDS[key](self, key, value)
        self._depth -= 1
        return schema

    def _type(self, key: str, value: Any) -> Any:  # noqa: ANN401
        each = value if isinstance(value, list) else [value]
        known = all(isinstance(one, str) and one in TYPES for one in each)
        if not each or not known or len(set(each)) < len(each):
            raise _bad(key, value, ", ".join(TYPES))
        return value

    def _value(self, _key: str, value: Any) -> Any:  # noqa: ANN401
        self._need(json.dumps(value, ensure_ascii=False))
        _check_numbers(value)
        return value

    def _values(self, key: str, value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, list) or not 0 < len(value) <= MAX_COUNT:
            raise _bad(key, value, "[…, …]")
        return [self._value(key, one) for one in value]

    def _each(self, key: str, value: Any) -> list[Any]:  # noqa: ANN401
        if not isinstance(value, list) or not value:
            raise _bad(key, value, "[{…}, …]")
        return [self._read(one) for one in value]

    def _one(self, _key: str, value: Any) -> Any:  # noqa: ANN401
        return self._read(value)

    def _named(self, key: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
        if not isinstance(value, dict):
            raise _bad(key, value, "{…: {…}}")
        for name in value:
            self._name(key, name)
        return {name: self._read(one) for name, one in value.items()}

    def _by_pattern(self, key: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
        if not isinstance(value, dict):
            raise _bad(key, value, "{…: {…}}")
        return {self._pattern(key, name): self._read(one) for name, one in value.items()}

    def _names(self, key: str, value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, list) or len(set(map(str, value))) < len(value):
            raise _bad(key, value, '["…", "…"]')
        for name in value:
            self._name(key, name)
        return value

    def _name(self, key: str, name: Any) -> None:  # noqa: ANN401
        """Refuse a name that JSON spells in more than one way: a property could be written twice."""
        if not isinstance(name, str) or any(ord(one) < 32 or ord(one) == 127 for one in name):
            raise _bad(key, name, '"…"')
        self._need(name)

    def _reference(self, key: str, value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, str) or "%" in value or "~" in value:
            raise _bad(key, value, '"#", "#/$defs/…"')
        self._references.add(value)
        return value

    def _pattern(self, key: str, value: Any) -> str:  # noqa: ANN401
        if not isinstance(value, str):
            raise _bad(key, value, '"…"')
        found = rewritten(value, "schema")
        self._n_written += len(found.text)
        if self._n_written > MAX_WRITTEN:
            raise refused(Message("it is too large: write it with fewer and smaller parts."))
        self.atoms |= found.atoms
        return f"^(?:{found.text})$"

    def _format(self, key: str, value: Any) -> Any:  # noqa: ANN401
        if value not in FORMATS:
            raise _bad(key, value, ", ".join(FORMATS))
        return value

    def _count(self, key: str, value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_COUNT:
            raise _bad(key, value, f"0-{MAX_COUNT}")
        return value

    def _number(self, key: str, value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > MAX_NUMBER:
            raise _bad(key, value, "-2^53-2^53")
        return value

    def _divisor(self, key: str, value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_DIVISOR:
            raise _bad(key, value, f"1-{MAX_DIVISOR}")
        return value

    def _need(self, text: str) -> None:
        self.atoms |= {united([(ord(one), ord(one))]) for one in set(text)} - {()}


KEYWORDS: Mapping[str, Callable[[_Reader, str, Any], Any]] = {
    "type": _Reader._type, "enum": _Reader._values, "const": _Reader._value,
    "anyOf": _Reader._each, "oneOf": _Reader._each, "allOf": _Reader._each, "$ref": _Reader._reference,
    "properties": _Reader._named, "required": _Reader._names, "additionalProperties": _Reader._one,
    "patternProperties": _Reader._by_pattern,
    "items": _Reader._one, "prefixItems": _Reader._each,
    "minItems": _Reader._count, "maxItems": _Reader._count,
    "minLength": _Reader._count, "maxLength": _Reader._count, "pattern": _Reader._pattern,
    "format": _Reader._format,
    "minimum": _Reader._number, "maximum": _Reader._number, "exclusiveMinimum": _Reader._number,
    "exclusiveMaximum": _Reader._number, "multipleOf": _Reader._divisor,
}  # fmt: skip


def _check_numbers(value: Any) -> None:  # noqa: ANN401  (JSON)
    """Refuse numbers of a value that are not the same number once read again."""
    if isinstance(value, list):
        for one in value:
            _check_numbers(one)
    elif isinstance(value, dict):
        _check_numbers(list(value.values()))
    elif isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= MAX_NUMBER):
        raise _bad("const", value, "-2^53-2^53")


def _can_be(whole: Schema, definitions: Mapping[str, Schema]) -> bool:
    """False where every value would have to hold another one without end: a list that must hold itself."""
    finite: set[str] = set()
    while True:
        more = {name for name, one in definitions.items() if name not in finite and _is_finite(one, finite)}
        if not more:
            return _is_finite(whole, finite)
        finite |= more


def _is_finite(schema: Any, finite: set[str]) -> bool:  # noqa: ANN401  (JSON)
    """True unless some value of it needs a definition that is not known to have finite values."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema and schema["$ref"] not in finite:
        return False
    if not all(_is_finite(one, finite) for one in schema.get("allOf", ())):
        return False
    for key in ("anyOf", "oneOf"):
        if key in schema and not any(_is_finite(one, finite) for one in schema[key]):
            return False
    types = schema.get("type", list(TYPES))
    return any(_type_is_finite(one, schema, finite) for one in ([types] if isinstance(types, str) else types))


def _type_is_finite(kind: str, schema: Schema, finite: set[str]) -> bool:
    if kind == "object":
        named = schema.get("properties", {})
        rest = "patternProperties" in schema or schema.get("additionalProperties", True)
        required = (named.get(name, rest) for name in schema.get("required", ()))
        return all(_is_finite(one, finite) for one in required)
    if kind == "array":
        n, first = schema.get("minItems", 0), schema.get("prefixItems", [])
        rest = [schema.get("items", True)] if n > len(first) else []
        return all(_is_finite(one, finite) for one in [*first[:n], *rest])
    return True
