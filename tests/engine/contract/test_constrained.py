"""Texts that must match a form, whoever writes them."""

from __future__ import annotations

import json
import math
import pickle
import re

import pytest

from playground.core.sampling import GREEDY, Sampling
from playground.engine.contract.constraints import MAX_SOURCE_CHARS, Constraint
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.errors import BadValue, ConstraintRefused, TextTooLong
from tests import tiny

TEXT = "the cat sat on"
DATE = Constraint("regex", r"\d{4}-(0|1)\d")
SCHEMA = Constraint("json_schema", '{"type": "array", "items": {"enum": ["cat", "서울"]}, "maxItems": 3}')


def asked(constraint: Constraint | None, **more: object) -> GenerateRequest:
    settings = {"sampling": Sampling(temperature=0.9), "seed": 2, "max_new_tokens": 30} | more
    return GenerateRequest(tiny.LLAMA, TEXT, constraint=constraint, **settings)  # type: ignore[arg-type]


def test_a_text_matches_and_says_what_was_ruled_out(engine: Engine) -> None:
    steps = list(engine.generate(asked(DATE)))
    assert re.fullmatch(DATE.source, "".join(step.text for step in steps))
    assert steps[-1].finish_reason == "matched"
    for step in steps:
        assert step.constrained is not None
        assert step.n_kept <= step.constrained.n_allowed
        assert 0 < step.constrained.mass < 1
        assert math.exp(step.logprob) <= step.constrained.mass * 1.001  # what is drawn is allowed
    assert [step.constrained.matches for step in steps if step.constrained] == [False] * (len(steps) - 1) + [
        True
    ]


def test_constrained_and_free_texts_share_a_call(engine: Engine) -> None:
    requests = (
        asked(DATE),
        asked(None),
        asked(SCHEMA),
        asked(Constraint("regex", "[a-c]{99}"), sampling=GREEDY),
    )
    found: dict[int, list[str]] = {0: [], 1: [], 2: [], 3: []}
    reasons: dict[int, str | None] = {}
    for which, step in engine.generate_many(GenerateManyRequest(tiny.LLAMA, requests)):
        found[which].append(step.text)
        reasons[which] = step.finish_reason
        assert (step.constrained is None) == (which == 1)
    assert re.fullmatch(DATE.source, "".join(found[0]))
    assert set(json.loads("".join(found[2]))) <= {"cat", "서울"}
    assert re.fullmatch("[a-c]{1,98}", "".join(found[3]))
    assert reasons[3] == "length"


def test_the_constraint_is_part_of_the_request(engine: Engine) -> None:
    """Same text, settings and seed: another constraint is another text."""
    texts = {
        "".join(step.text for step in engine.generate(asked(one)))
        for one in (DATE, SCHEMA, Constraint("regex", r"\d{4}-2\d"))
    }
    assert len(texts) == 3


@pytest.mark.parametrize(
    ("constraint", "error"),
    [
        (Constraint("regex", "("), ConstraintRefused), (Constraint("regex", r"(a)\1"), ConstraintRefused),
        (Constraint("regex", ""), BadValue), (Constraint("lark", "start: /a/"), BadValue),  # type: ignore[arg-type]
        (Constraint("regex", "a" * (MAX_SOURCE_CHARS + 1)), TextTooLong),
        (Constraint("json_schema", "{"), ConstraintRefused),
        (Constraint("json_schema", '{"not": {}}'), ConstraintRefused),
        (Constraint("json_schema", '{"type": "integer", "minimum": 3, "maximum": 2}'), ConstraintRefused),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_to_is_refused_in_one_sentence(
    engine: Engine, constraint: Constraint, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        next(engine.generate(asked(constraint)))
    assert len(str(caught.value)) < 600
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_run_goes_on_in_the_middle_of_a_match(engine: Engine) -> None:
    whole = [step.token_id for step in engine.generate(asked(DATE))]
    rest = asked(DATE, written=tuple(whole[:2]), n_drawn=2)
    assert [step.token_id for step in engine.generate(rest)] == whole[2:]
