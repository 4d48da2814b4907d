"""Constrained texts match: by `re`, and by the reference implementation of JSON Schema."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.core.sampling import Sampling
from playground.engine.contract.constraints import Constraint
from playground.engine.contract.generation import GenerateRequest
from playground.engine.local.engine import LocalEngine
from tests import tiny
from tests.engine.decoding.test_constrained import TEXT, check_reasons, regex_request, tokens, written

NAMES = st.sampled_from(["a", "b", "city", "도시", 'say "x"', "b\\c", "/"])
BOUNDS = st.integers(-20, 20)
MOST = settings(max_examples=40, suppress_health_check=list(HealthCheck))


def exact(number: str) -> Decimal | float:
    """The number as it is written; one with an exponent beyond all bounds as Python reads it."""
    try:
        return Decimal(number)
    except InvalidOperation:
        return float(number)


def check_valid(value: object, schema: dict[str, Any]) -> None:
    """By the reference implementation, which comes with Ray."""
    validator = pytest.importorskip("jsonschema").Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(value)] == []


# ---- what is written matches

ATOMS = st.sampled_from(
    ["a", "cat", "[0-9]", r"\d", r"\w", ".", "[가-힣]", "서울", "[^a-z]", r"\s", r"\.", "é", "😀"]
)
# `re` takes for ever over endless repetitions of endless ones: of groups they have an end
EXPRESSIONS = st.recursive(
    st.tuples(ATOMS, st.sampled_from(["", "", "*", "+", "?"])).map(lambda two: f"(?:{two[0]}){two[1]}"),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda each: f"(?:{'|'.join(each)})"),
        st.tuples(inner, st.sampled_from(["?", "{2}", "{1,3}"])).map(lambda two: f"({two[0]}){two[1]}"),
    ),
    max_leaves=5,
)


@MOST
@given(EXPRESSIONS, st.integers(0, 9))
def test_a_text_matches_its_expression(tiny_engine: LocalEngine, source: str, seed: int) -> None:
    for model in (tiny.LLAMA, tiny.GPT2):
        steps = list(tiny_engine.generate(regex_request(source, seed=seed, model=model)))
        check_reasons(steps)
        last = steps[-1].constrained
        assert last is not None
        if not last.matches:  # a text that is cut may end in the middle of a character, which is not shown
            own = b"".join(map(tiny_engine._table.tokenizer(model).token_bytes, tokens(steps)))
            assert is_cut(own) or not re.fullmatch(source, own.decode())
        else:
            assert re.fullmatch(source, written(steps)), written(steps)


def is_cut(text: bytes) -> bool:
    """True if it ends in the middle of a character."""
    return text.decode("utf-8", "ignore").encode() != text


def a_number(kind: str, least: int | None, most: int | None, divisor: int | None) -> dict[str, Any]:
    if least is not None and most is not None:
        most = max(most, least + 3)  # else there may be no multiple of 3
    found = {"type": kind, "minimum": least, "maximum": most, "multipleOf": divisor}
    return {key: value for key, value in found.items() if value is not None}


def an_object(named: dict[str, Any], n_required: int, others: Any) -> dict[str, Any]:
    return {
        "type": "object", "properties": named, "required": list(named)[:n_required],
        "additionalProperties": others,
    }  # fmt: skip


def a_string(least: int, more: int) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": least + more}


def a_list(item: Any, least: int, more: int) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": least, "maxItems": least + more}


def a_row(first: list[Any]) -> dict[str, Any]:
    return {"type": "array", "prefixItems": first, "items": False, "minItems": len(first)}


LEAVES = st.one_of(
    st.builds(
        a_number, st.sampled_from(["integer", "number"]), st.none() | BOUNDS, st.none() | BOUNDS,
        st.none() | st.just(3),
    ),
    st.builds(a_string, st.integers(0, 4), st.integers(0, 4)),
    st.sampled_from([
        {"type": "string", "pattern": r"^\d{2}-[a-c가]+$", "maxLength": 6},
        {"type": "string", "pattern": "at"},
        {"type": "string", "format": "date"},
        {"type": ["null", "boolean"]},
        {"const": {"a": [1, 2.5, "é\n"]}},
        {"enum": ["한국", 'a"b', 3, None]},
        {},
    ]),
)  # fmt: skip
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(a_list, inner, st.integers(0, 2), st.integers(0, 1)),
        st.builds(a_row, st.lists(inner, min_size=1, max_size=2)),
        st.builds(
            an_object, st.dictionaries(NAMES, inner, max_size=3), st.integers(0, 3), st.just(False) | inner
        ),
        st.lists(inner, min_size=2, max_size=3).map(lambda each: {"anyOf": each}),
    ),
    max_leaves=4,
)


@MOST
@given(SCHEMAS, st.booleans(), st.integers(0, 9))
def test_a_text_is_valid_by_its_schema(
    tiny_engine: LocalEngine, schema: dict[str, Any], is_named: bool, seed: int
) -> None:
    if is_named:
        schema = {"$defs": {"x": schema}, "allOf": [{"$ref": "#/$defs/x"}]}
    asked = GenerateRequest(
        tiny.LLAMA, TEXT, sampling=Sampling(temperature=0.7), seed=seed, max_new_tokens=100,
        constraint=Constraint("json_schema", json.dumps(schema)),
    )  # fmt: skip
    steps = list(tiny_engine.generate(asked))
    check_reasons(steps)
    last = steps[-1].constrained
    assert last is not None
    if last.matches:
        value = json.loads(written(steps), parse_float=exact)
        check_valid(value, schema)


def test_a_schema_may_hold_itself(tiny_engine: LocalEngine) -> None:
    tree = {"type": "array", "items": {"$ref": "#"}, "maxItems": 2}
    for seed in range(5):
        asked = regex_request("x", seed=seed)
        asked = replace(asked, constraint=Constraint("json_schema", json.dumps(tree)))
        steps = list(tiny_engine.generate(asked))
        check_reasons(steps)
        assert set(written(steps)) <= set("[], ")
        if steps[-1].finish_reason != "length":
            check_valid(json.loads(written(steps)), tree)


def test_a_target_matches_too_without_the_space_of_its_first_piece(tiny_engine: LocalEngine) -> None:
    for source in ("the (cat|dog) sat( on)?", r"\d \d \d", " the cat"):
        for seed in range(4):
            steps = list(tiny_engine.generate(regex_request(source, model=tiny.T5, seed=seed)))
            check_reasons(steps)
            assert re.fullmatch(source, written(steps)), written(steps)
