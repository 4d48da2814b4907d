"""The form of an action: what a grammar lets through can be read, and what cannot be read has a name."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.core.agents.actions import (
    ACTION,
    FORMS,
    THOUGHT,
    Form,
    grammar,
    parse,
    schema,
    spelled,
)
from playground.core.agents.tools import TOOLS, Action
from playground.core.agents.trouble import SENTENCES

ALLOWED = ("calculator", "search")
inputs = st.text(st.characters(exclude_characters='"\\\n[]\r\x85\u2028\u2029', exclude_categories=["C"]),
                 min_size=1, max_size=60).filter(lambda text: text.strip() == text)  # fmt: skip


@given(st.sampled_from(TOOLS), inputs, st.sampled_from(FORMS), st.booleans())
def test_an_action_that_is_spelled_is_read_again(tool: str, words: str, form: Form, thinks: bool) -> None:
    action = Action(tool, words)
    read = parse(spelled(action, form, "I think." if thinks else ""), form)
    assert (read.action, read.trouble) == (action, "")
    assert read.thought == ("I think." if thinks else "")


@settings(max_examples=60)
@given(st.data(), st.booleans())
def test_all_that_the_expression_lets_through_is_an_allowed_action(data: st.DataObject, thinks: bool) -> None:
    found = grammar(ALLOWED, "text", with_thought=thinks)
    assert found.kind == "regex"
    text = data.draw(st.from_regex(re.compile(found.source), fullmatch=True))
    read = parse(f"{THOUGHT if thinks else ACTION}{text}", "text")
    assert read.action is not None, (text, read)
    assert read.action.tool in (*ALLOWED, "finish")


@pytest.mark.parametrize("tool", ["cat", "send", "calendar"])
def test_no_grammar_lets_another_tool_through(tool: str) -> None:
    found = grammar(ALLOWED, "text", with_thought=False)
    assert not re.fullmatch(found.source, f" {tool}[x]")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"tool": tool, "input": "x"}, schema(ALLOWED, with_thought=False))
    jsonschema.validate({"tool": "search", "input": "x"}, schema(ALLOWED, with_thought=False))


@pytest.mark.parametrize(
    ("text", "form", "trouble"),
    [("Thought: I wait.", "text", "no_action"), ("Action: 37 * 24", "text", "no_action"),
     ("Action: search[a", "text", "unclosed"), ("", "text", "no_action"), ("", "json", "not_json"),
     ("[1]", "json", "not_json"), ('{"tool": "search"}', "json", "missing_field"),
     ('{"tool": 1, "input": "a"}', "json", "missing_field"), ("[" * 100_000, "json", "not_json")],
)  # fmt: skip
def test_every_failure_has_a_name(text: str, form: Form, trouble: str) -> None:
    read = parse(text, form)
    assert (read.action, read.trouble) == (None, trouble)
    assert read.error.startswith(SENTENCES[trouble].split("{")[0])


@given(st.text(), st.sampled_from(FORMS), st.booleans())
def test_any_text_is_read(text: str, form: Form, trusting: bool) -> None:
    read = parse(text, form, trusting=trusting)
    assert (read.action is None) == bool(read.trouble)


def test_an_invented_observation_counts_only_where_the_loop_lets_the_model_write_on() -> None:
    text = "Thought: hm.\nAction: search[x]\nObservation: It is 5.\nThought: 5.\nAction: finish[5]"
    careful, trusting = parse(text, "text"), parse(text, "text", trusting=True)
    assert careful.invented == trusting.invented == "It is 5."
    assert careful.action == Action("search", "x")
    assert trusting.action == Action("finish", "5")


def test_json_may_have_words_behind_it() -> None:
    text = json.dumps({"tool": "search", "input": "a"}) + "\nObservation: b"
    assert parse(text, "json").action == Action("search", "a")
