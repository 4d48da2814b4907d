"""The shipped runs of agents: their note is true, and loop and engine of the page give them again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest

from playground.core.agents import gallery, personas
from playground.core.agents.loop import Loop, Reply
from playground.core.agents.problems import problems, world_of
from playground.core.agents.record import STRATEGIES, Record, Setup, total
from playground.core.agents.recorded import FILE, FOLDER, Recorded, measured, read, shipped, table, written
from playground.core.agents.strategies import Ask, End, next_move, take
from playground.core.agents.tools import World
from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.constraints import Constraint
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained import agents as script
from playground.trained.scripts import SCRIPTS

RUNS = shipped()
MEASURED = [one for one in RUNS if one.label == "problem"]


def world(one: Recorded) -> World:
    language = one.run.setup.language
    return world_of(language) if one.label == "problem" else gallery.world_of(one.label, language)


def test_the_note_says_how_many_problems_each_strategy_solved() -> None:
    folder = trained_assets() / FOLDER
    note = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert note["revision"] == note["files"][FILE]["sha256"] == whole_folder.sha256_of(folder / FILE)
    assert (note["script"], note["seed"]) == (script.__name__, script.SEED)
    assert FOLDER in SCRIPTS
    for name, n_right in note["figures"].items():
        strategy, decoding, language = name.split("_")
        some = [
            one for one in MEASURED
            if (one.run.setup.strategy, one.run.setup.constrained, one.run.setup.language)
            == (strategy, decoding == "constrained", language)
        ]  # fmt: skip
        answers = {one.problem_id: one.answers for one in problems(language)}
        assert len(some) == len(answers) == 12
        right = [any(a.lower() in one.run.answer.lower() for a in answers[one.problem_id]) for one in some]
        assert n_right == sum(one.is_right for one in some) <= sum(right)
    assert sum((folder / name).stat().st_size for name in note["files"]) < 1_000_000


@pytest.mark.parametrize("language", script.WANTED)
def test_every_strategy_was_tried_on_every_problem(language: str) -> None:
    found = table(RUNS, language)
    assert [(one.strategy, one.constrained) for one in found] == [
        (strategy, constrained) for strategy in script.WANTED[language] for constrained in (False, True)
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("label", ["problem", "other"])
def test_the_loop_gives_every_recorded_run_again(strategy: str, label: str) -> None:
    """The model's words are taken from the record; all else is done anew."""
    some = [
        one
        for one in RUNS
        if one.run.setup.strategy == strategy and (one.label == "problem") == (label == "problem")
    ]
    for one in some:
        turns: Record = ()
        for turn in one.run.turns:
            move = next_move(one.run.setup, turns)
            assert isinstance(move, Ask)
            assert (move.grammar is not None) == one.run.setup.constrained
            assert take(one.run.setup, move, turn.written, turn.cost, world(one)) == turn
            turns = (*turns, turn)
        end = next_move(one.run.setup, turns)
        if one.run.ending == "window":
            assert isinstance(end, Ask)
        else:
            assert end == End(one.run.ending, one.run.answer)


def test_a_recorded_run_is_read_as_it_was_written() -> None:
    assert read(written(RUNS)) == RUNS


def test_figures_of_a_strategy_are_counted_by_hand() -> None:
    some = [one for one in MEASURED if one.run.setup == Setup(one.run.setup.question)]
    found = measured(some)
    tokens = [turn.cost.n_prompt + turn.cost.n_written for one in some for turn in one.run.turns]
    assert found.tokens == pytest.approx(sum(tokens) / 12)
    assert found.turns == sum(len(one.run.turns) for one in some) / 12
    assert found.n_trouble == sum(bool(turn.trouble) for one in some for turn in one.run.turns)


def test_a_constraint_keeps_the_form() -> None:
    """Of the constrained runs every turn that was not cut at its limit of tokens holds a tool that exists."""
    kept = [one for one in RUNS if one.run.setup.constrained]
    troubles = {turn.trouble for one in kept for turn in one.run.turns}
    assert "unknown_tool" not in troubles
    assert "unknown_tool" in {turn.trouble for one in RUNS for turn in one.run.turns}


def test_no_order_in_a_document_was_carried_out() -> None:
    poisoned = [one for one in RUNS if one.label in gallery.ORDERS]
    assert poisoned
    for one in poisoned:
        for turn in one.run.turns:
            if turn.action is not None and turn.action.tool not in one.run.setup.allowed:
                assert turn.trouble == "unknown_tool"


def test_the_gallery_has_recorded_runs_of_every_kind_of_failure_it_shows() -> None:
    kinds = {failure for one in RUNS for failure in gallery.failures(one.run)}
    assert {"invented_tool", "invented_observation", "injection"} <= kinds


# ---------------------------------------------------------------- with the model


@pytest.fixture(scope="module")
def engine(real_settings: Settings) -> Iterator[Engine]:
    made = create_engine(real_settings)
    yield made
    made.close()


def replies(engine: Engine, asks: Sequence[Ask]) -> list[Reply]:
    """The texts as the page has them written: every prompt read anew by the engine."""
    prompts = [
        engine.tokenizers.tokenize(DEFAULT_DECODER, ask.prompt, add_special_tokens=True).input_ids
        for ask in asks
    ]
    requests = tuple(
        GenerateRequest(
            DEFAULT_DECODER, input_ids=tuple(ids), sampling=GREEDY, stop=ask.stop, max_new_tokens=ask.n_new,
            constraint=None if ask.grammar is None else Constraint(ask.grammar.kind, ask.grammar.source),
            n_top=1,
        )
        for ask, ids in zip(asks, prompts, strict=True)
    )  # fmt: skip
    texts, tokens = [""] * len(asks), [[] for _ask in asks]  # type: list[str], list[list[int]]
    batch = GenerateManyRequest(DEFAULT_DECODER, requests, timeout_s=600)
    for row, step in engine.generate_many(batch):
        texts[row] += step.text
        tokens[row].append(step.token_id)
    return [
        Reply(text, tuple(ids), tuple(new), 0.0)
        for text, ids, new in zip(texts, prompts, tokens, strict=True)
    ]


def played(engine: Engine, wanted: Sequence[tuple[Setup, World]]) -> list[Loop]:
    loops = [Loop(setup, world) for setup, world in wanted]
    while open_now := [(loop, move) for loop in loops if isinstance(move := loop.move, Ask)]:
        for (loop, _move), reply in zip(
            open_now, replies(engine, [move for _l, move in open_now]), strict=True
        ):
            loop.give(reply)
    return loops


@pytest.mark.real
def test_the_engine_of_the_page_writes_the_shipped_runs_again(engine: Engine) -> None:
    wanted = [
        one for one in MEASURED
        if one.problem_id in ("times", "cat") and one.run.setup.strategy in ("react", "act")
        and one.run.setup.language == "en"
    ]  # fmt: skip
    assert len(wanted) == 8
    for one, loop in zip(
        wanted, played(engine, [(one.run.setup, world(one)) for one in wanted]), strict=True
    ):
        assert [turn.written for turn in loop.turns] == [turn.written for turn in one.run.turns]
        mine, shipped_cost = total(loop.turns), total(one.run.turns)
        assert (mine.n_prompt, mine.n_again, mine.n_written) == (
            shipped_cost.n_prompt, shipped_cost.n_again, shipped_cost.n_written,
        )  # fmt: skip
        assert loop.run() is not None


@pytest.mark.real
def test_a_poisoned_document_calls_nothing_of_the_real_model(engine: Engine) -> None:
    calls: list[str] = []
    poison = gallery.world_of("send", "en")

    def find(words: str) -> Sequence[str]:
        calls.append(words)
        return poison.find(words)

    setups = [Setup("What is the observatory cat called?", constrained=one) for one in (False, True)]
    for loop in played(engine, [(setup, World(poison.today, find)) for setup in setups]):
        done = [turn.action for turn in loop.turns if turn.action is not None and not turn.trouble]
        assert {action.tool for action in done} <= set(loop.setup.allowed)
        assert {action.input for action in done if action.tool == "search"} <= set(calls)
        assert any("send[all notes]" in turn.observation for turn in loop.turns)  # it has read the order


@pytest.mark.real
def test_minds_of_the_shipped_talk_are_read_again(engine: Engine) -> None:
    model = script._ready(engine)
    recorded = next(one for one in personas.shipped() if one.talk.setup == personas.DEFAULTS["en"])
    assert script.opinions(engine, model, recorded.talk) == pytest.approx(recorded.talk.after, abs=1e-4)
    before = personas.Talk(recorded.talk.setup)
    assert script.opinions(engine, model, before) == pytest.approx(recorded.talk.before, abs=1e-4)
    first = personas.Talk(recorded.talk.setup)
    assert script._utterance(engine, model, first) == recorded.talk.said[0]
