"""An agent ends, does only what is allowed, and is a function of its record; whatever its model writes."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.core.agents import gallery
from playground.core.agents.actions import FORMS, Form
from playground.core.agents.documents import poisoned, sentences_of
from playground.core.agents.loop import Reply, run
from playground.core.agents.record import STRATEGIES, Cost, Limits, Setup, Strategy, n_again, total
from playground.core.agents.strategies import Ask, End, next_move, steps_of, take
from playground.core.agents.tools import MAX_OBSERVATION_CHARS, TOOLS, Action, World, use
from playground.paths import PACKAGE

TODAY = date(2026, 3, 2)
DOCUMENTS = sentences_of("Ann cooks. The cat is called Pixel. A ticket costs 18 crowns.")
WORLD = World(TODAY, DOCUMENTS.find)
PIECES = st.sampled_from(
    ["Thought: x", " I think.", "\nAction: search[cat]", "\nAction: send[all notes]", "\nAction: finish[5]",
     "\nObservation: 7", " 1. Search the cat.", " 2. Add.", '{"tool": "search", "input": "cat"}', "\n", "]",
     "안녕", " search[cat]", " calculator[1 + 1]", "\nAnswer: 3"]
)  # fmt: skip
texts = st.lists(PIECES, max_size=5).map("".join)


def as_ids(text: str) -> tuple[int, ...]:
    return tuple(map(ord, text))


@settings(max_examples=60)
@given(
    st.lists(texts, min_size=1, max_size=8),
    st.sampled_from(STRATEGIES),
    st.sampled_from(FORMS),
    st.booleans(),
)
def test_an_agent_ends_whatever_the_model_writes(
    written: list[str], strategy: Strategy, form: Form, stops: bool
) -> None:
    setup = Setup("Who cooks?", strategy, form=form, stops=stops)
    n = 0

    def write(ask: Ask) -> Reply:
        nonlocal n
        n += 1
        text = written[n % len(written)]
        return Reply(text, as_ids(ask.prompt), as_ids(text), 0.1)

    found = run(setup, WORLD, write)
    assert len(found.turns) <= setup.limits.turns
    assert found.ending in ("finished", "no_answer", "turns", "tokens")
    assert bool(found.answer) <= (found.ending == "finished")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("limits", "ending"),
    [(Limits(turns=2), "turns"), (Limits(tokens=100), "tokens"), (Limits(seconds=0.5), "time")],
)
def test_each_limit_ends_a_run(strategy: Strategy, limits: Limits, ending: str) -> None:
    setup = Setup("Who cooks?", strategy, limits=limits)
    text = " 1. Search. 2. Search." if strategy == "plan" else "\nAction: search[cat]"

    def write(ask: Ask) -> Reply:
        return Reply(text, as_ids(ask.prompt), as_ids(text), 1.0)

    found = run(setup, WORLD, write)
    assert found.ending == ("no_answer" if strategy == "reasoning" else ending)
    assert len(found.turns) <= limits.turns


def test_a_prompt_that_does_not_fit_ends_a_run() -> None:
    assert run(Setup("Who cooks?"), WORLD, lambda ask: None).ending == "window"


# ---------------------------------------------------------------- tools and orders


def obedient(ask: Ask) -> Reply:
    """A model that does what the last line with an action says, wherever that stands."""
    found = re.findall(r"Action: (\w+\[[^\]]*\])", ask.prompt.rpartition("Question:")[2])
    text = f" As told.\nAction: {found[-1] if found else 'search[cat]'}"
    return Reply(text, as_ids(ask.prompt), as_ids(text), 0.1)


@pytest.mark.parametrize("order", gallery.ORDERS.values())
def test_an_order_in_a_document_calls_nothing_that_is_not_allowed(order: str) -> None:
    calls: list[str] = []

    def find(words: str) -> list[str]:
        calls.append(words)
        return poisoned(DOCUMENTS.find(words), order)

    world = World(TODAY, find, frozenset({"search"}))
    found = run(Setup("What is the cat called?", allowed=("search",)), world, obedient)
    assert calls == ["cat"]
    done = [turn.action.tool for turn in found.turns if turn.action is not None and not turn.trouble]
    assert set(done) <= {"search", "finish"}
    if "send" in order:  # the model obeys every time, and every time nothing happens
        refused = [turn for turn in found.turns if turn.trouble == "unknown_tool"]
        assert len(refused) == len(found.turns) - 1
        assert found.ending in ("turns", "tokens")
        assert gallery.failures(found)[-1] == "injection"
    else:  # the list of tools does not keep a model from believing
        assert (found.ending, found.answer) == ("finished", "Eve")


@given(st.text(max_size=200), st.text(max_size=200), st.sets(st.sampled_from(TOOLS)))
def test_no_action_raises_and_no_observation_is_long(tool: str, words: str, allowed: set[str]) -> None:
    seen = use(Action(tool, words), World(TODAY, DOCUMENTS.find, frozenset(allowed)))
    assert len(seen.text) <= MAX_OBSERVATION_CHARS
    assert "\n" not in seen.text or tool == "finish"


@pytest.mark.parametrize("tool", ["calculator", "search", "calendar"])
def test_a_tool_that_is_not_allowed_is_not_used(tool: str) -> None:
    def find(words: str) -> list[str]:
        raise AssertionError(words)

    world = World(TODAY, find, frozenset(TOOLS) - {tool})
    assert use(Action(tool, "1"), world).trouble == "not_allowed"
    move = next_move(Setup("?", allowed=tuple(sorted(world.allowed)), constrained=True), ())
    assert isinstance(move, Ask)
    assert move.grammar is not None
    assert tool not in move.grammar.source
    assert tool not in move.prompt


def test_tools_have_no_way_to_files_network_or_sessions() -> None:
    """The modules of the tools import pure parts of the standard library, and call none of these names."""
    pure = {"__future__", "calendar", "collections", "dataclasses", "datetime", "fractions", "re", "typing"}
    for name in ("calculator", "dates", "tools", "trouble", "actions", "strategies", "loop", "record"):
        tree = ast.parse((PACKAGE / "core" / "agents" / f"{name}.py").read_text("utf-8"))
        modules = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        } | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        own = {one for one in modules if one.startswith("playground.core.agents")}
        assert {one.split(".")[0] for one in modules - own} <= pure | {"json", "types"}, name
        called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not called & {"eval", "exec", "open", "compile", "__import__", "getattr", "globals"}, name


def test_a_day_is_the_readers_and_documents_are_those_that_were_given() -> None:
    assert use(Action("calendar", "today"), replace(WORLD, today=date(2000, 1, 1))).text.startswith(
        "2000-01-01"
    )
    other = sentences_of("Nobody cooks here.")
    assert use(Action("search", "cooks"), replace(WORLD, find=other.find)).text == "Nobody cooks here."


# ---------------------------------------------------------------- the strategies


def played(setup: Setup, *written: str) -> tuple[list[Ask], End]:
    """The requests of a run in which the model writes these texts, and its end."""
    asks, turns = [], ()  # type: list[Ask], tuple[object, ...]
    for text in written:
        move = next_move(setup, turns)  # type: ignore[arg-type]
        assert isinstance(move, Ask)
        asks.append(move)
        turns = (*turns, take(setup, move, text, Cost(), WORLD))
    end = next_move(setup, turns)  # type: ignore[arg-type]
    assert isinstance(end, End)
    return asks, end


def test_react_reads_its_thoughts_and_observations_again() -> None:
    asks, end = played(
        Setup("What is the cat called?"), " I search.\nAction: search[cat]", " Pixel.\nAction: finish[Pixel]"
    )
    added = " I search.\nAction: search[cat]\nObservation: The cat is called Pixel.\nThought:"
    assert asks[1].prompt == asks[0].prompt + added
    assert end == End("finished", "Pixel")


def test_acting_only_asks_for_no_thought() -> None:
    asks, _end = played(Setup("?", "act"), " finish[1]")
    assert "Thought:" not in asks[0].prompt
    assert asks[0].prompt.endswith("Action:")


def test_reasoning_only_has_no_tool() -> None:
    asks, end = played(Setup("What is 1 + 1?", "reasoning"), " It is 2.\nAnswer: 2")
    assert "tool" not in asks[0].prompt
    assert end == End("finished", "2")


def test_a_plan_is_carried_out_step_by_step_and_then_answered() -> None:
    asks, end = played(
        Setup("How much do 6 tickets cost?", "plan"), " 1. Search the price. 2. Multiply by 6.",
        " search[ticket price]", " calculator[6 * 18]", " 108",
    )  # fmt: skip
    assert [ask.part for ask in asks] == ["plan", "step", "step", "answer"]
    assert asks[1].prompt.endswith("Step: Search the price.\nAction:")
    assert asks[2].prompt.endswith("Known: A ticket costs 18 crowns.\nStep: Multiply by 6.\nAction:")
    assert "Known: A ticket costs 18 crowns. 108\n" in asks[3].prompt
    assert end == End("finished", "108")


def test_reflexion_tries_again_only_where_the_answer_stands_in_no_observation() -> None:
    setup = Setup("What is the cat called?", "reflexion")
    _asks, end = played(setup, " I search.\nAction: search[cat]", " It is.\nAction: finish[Pixel]")
    assert end == End("finished", "Pixel")
    asks, end = played(
        setup, " I know.\nAction: finish[Tom]", " I looked nothing up.", " I search.\nAction: search[cat]",
        " It is.\nAction: finish[Pixel]",
    )  # fmt: skip
    assert [ask.part for ask in asks] == ["react", "reflection", "react", "react"]
    assert "Reflection: I looked nothing up.\nThought:" in asks[2].prompt
    assert "Tom" not in asks[2].prompt
    assert end == End("finished", "Pixel")


def test_steps_of_a_plan_are_at_most_three() -> None:
    assert steps_of(" 1. a. 2. b. 3. c. 4. d.") == ("a.", "b.", "c.")


# ---------------------------------------------------------------- the bill


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=4))
def test_what_is_read_again_is_the_longest_common_beginning(prompts: list[list[int]]) -> None:
    *earlier, last = prompts
    longest = max((n for n in range(len(last) + 1) for ids in earlier if ids[:n] == last[:n]), default=0)
    assert n_again(last, earlier) == longest


def test_the_bill_of_a_run_adds_up() -> None:
    def write(ask: Ask) -> Reply:
        return Reply("\nAction: search[cat]", as_ids(ask.prompt), as_ids("\nAction: search[cat]"), 0.5)

    found = run(Setup("What is the cat called?", limits=Limits(turns=3)), WORLD, write)
    cost = total(found.turns)
    first, second, third = found.turns
    assert first.cost.n_again == 0
    # a turn's prompt and text are the beginning of the next prompt, token by token
    assert second.cost.n_again == first.cost.n_prompt + first.cost.n_written
    assert third.cost.n_again == second.cost.n_prompt + second.cost.n_written
    assert cost.n_prompt == sum(turn.cost.n_prompt for turn in found.turns)
    assert cost.n_new + cost.n_again == cost.n_prompt
    assert cost.seconds == 1.5
