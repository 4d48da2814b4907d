"""Schemas are read by an allow-list: what is understood is kept, everything else is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.core.constraints.schemas import KEYWORDS, MAX_COUNT, MAX_DEPTH, NOTES, read_schema
from playground.errors import ConstraintRefused

# one value of each keyword that is understood
GOOD: dict[str, Any] = {
    "type": ["string", "null"], "enum": [1, "a", None, {"b": [2.5]}], "const": {"a": True},
    "anyOf": [{"type": "null"}, {}], "oneOf": [{"type": "null"}], "allOf": [{}, {"minLength": 2}],
    "properties": {"a": {"type": "integer"}, "b": True}, "required": ["a"], "additionalProperties": False,
    "items": {"type": "number"}, "prefixItems": [{}, {}], "minItems": 1, "maxItems": 3,
    "minLength": 0, "maxLength": 9, "format": "date", "minimum": -1.5, "maximum": 4,
    "exclusiveMinimum": 0, "exclusiveMaximum": 2, "multipleOf": 5,
}  # fmt: skip
CHANGED = {"$ref", "pattern", "patternProperties"}  # read below


def read(schema: Any) -> Any:
    return read_schema(json.dumps(schema)).schema


def refusal(source: str) -> str:
    with pytest.raises(ConstraintRefused, match="The JSON schema cannot be used: ") as caught:
        read_schema(source)
    assert len(str(caught.value)) < 500
    return str(caught.value)


def test_every_keyword_that_is_understood_is_kept() -> None:
    assert GOOD.keys() | CHANGED == KEYWORDS.keys()
    for key, value in GOOD.items():
        assert read({key: value}) == {key: value}


def test_notes_for_people_are_left_out_and_their_values_are_free() -> None:
    assert read({key: {"not": 1} for key in NOTES} | {"type": "null"}) == {"type": "null"}
    assert read({"properties": {"title": {"title": "A", "type": "null"}}}) == {
        "properties": {"title": {"type": "null"}}
    }


def test_patterns_are_rewritten_and_references_are_kept() -> None:
    assert read({"pattern": "^a$"}) == {"pattern": r"^(?:\x{61})$"}
    assert read({"patternProperties": {"^a$": {"type": "null"}}}) == {
        "patternProperties": {r"^(?:\x{61})$": {"type": "null"}}
    }
    tree = {"$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}
    assert read(tree) == tree
    assert read({"properties": {"next": {"$ref": "#"}}}) == {"properties": {"next": {"$ref": "#"}}}


@pytest.mark.parametrize(
    "key",
    [
        "not", "if", "uniqueItems", "contains", "propertyNames", "dependentRequired", "minProperties",
        "maxProperties", "unevaluatedProperties", "$id", "$anchor", "$dynamicRef", "x-guidance", "nullable",
        "additionalItems", "contentMediaType", "",
    ],
)  # fmt: skip
def test_other_keywords_are_refused_by_name_wherever_they_stand(key: str) -> None:
    inner = {key: 1}
    for schema in (inner, {"properties": {"a": {"items": inner}}}, {"$defs": {"a": inner}}):
        assert f"{key} is not understood" in refusal(json.dumps(schema))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("type", "strin"), ("type", []), ("type", ["null", "null"]), ("type", None), ("enum", []),
        ("enum", {}),
        ("anyOf", []), ("anyOf", {}), ("properties", []), ("properties", {"a\nb": {}}), ("required", "a"),
        ("required", ["a", "a"]), ("required", [1]), ("items", [{}]), ("items", None), ("minItems", -1),
        ("minItems", True), ("minItems", 1.5), ("maxLength", MAX_COUNT + 1), ("pattern", 3),
        ("format", "regex"), ("format", []), ("minimum", "1"), ("minimum", 1e30), ("multipleOf", 0),
        ("multipleOf", 0.1), ("multipleOf", 10**6), ("const", 1e30), ("$ref", "http://example.org"),
        ("$ref", "#/$defs/none"),
        ("$ref", 3), ("patternProperties", []), ("additionalProperties", "no"), ("$defs", []),
    ],
)  # fmt: skip
def test_values_that_are_not_understood_are_refused(key: str, value: Any) -> None:
    assert key.replace("additionalProperties", "$").replace("items", "$") in refusal(json.dumps({key: value}))


@pytest.mark.parametrize(
    "source",
    ["", "{", "[]", "true", "3", '{"minimum": NaN}', '{"const": Infinity}', "[" * 5000,
     '{"type": "null", "type": "null"}', '{"pattern": "("}', '{"pattern": "a(?=b)"}'],
)  # fmt: skip
def test_what_is_no_schema_is_refused(source: str) -> None:
    with pytest.raises(ConstraintRefused):
        read_schema(source)


def test_a_schema_may_be_only_so_deep_and_so_large() -> None:
    deep: Any = {}
    for _level in range(MAX_DEPTH):
        deep = {"items": deep}
    assert "too large" in refusal(json.dumps(deep))
    assert read(deep["items"]) == deep["items"]
    assert "too large" in refusal(json.dumps({"allOf": [{}] * 2_000}))
    assert "too large" in refusal(json.dumps({"allOf": [{"pattern": r"\W"}] * 60}))


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"}, {"properties": {"a": {"$ref": "#"}}, "required": ["a"], "type": "object"},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 1},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"},
        {"anyOf": [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}]},
        {"type": "object", "required": ["a"], "additionalProperties": False},
    ],
)  # fmt: skip
def test_what_would_have_no_end_is_refused(schema: Any) -> None:
    assert "nothing can be valid" in refusal(json.dumps(schema))


def test_what_may_end_is_not() -> None:
    schemas: list[dict[str, Any]] = [
        {"type": "array", "items": {"$ref": "#"}},
        {"type": ["array", "null"], "items": {"$ref": "#"}, "minItems": 1},
        {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        {"properties": {"a": {"$ref": "#"}}},
    ]
    for schema in schemas:
        assert read(schema) == schema


def test_its_atoms_are_the_characters_of_names_and_values() -> None:
    found = read_schema('{"properties": {"도시": {"const": "é"}}, "required": ["z"]}').atoms
    assert {chr(atom[0][0]) for atom in found} == set('도시é"z')
