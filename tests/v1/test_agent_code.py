"""The agent in LangChain's parts that the page Agents shows, run as a reader runs it, on the endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.core.agents import prompts
from playground.core.agents.problems import problems
from playground.core.agents.record import Limits, Setup
from playground.core.agents.recorded import shipped
from playground.core.agents.strategies import N_NEW
from playground.core.sampling import GREEDY
from playground.engine.contract.generation import GenerateRequest
from playground.engine.local.engine import LocalEngine
from playground.settings import DEFAULT_DECODER, Settings
from tests import tiny
from tests.pages.shown import run_code
from tests.v1.conftest import Served, serving

STOP = ("\nObservation:", "\nQuestion:", "\n\n")


def run(served: Served, tmp_path: Path, **values: Any) -> dict[str, Any]:
    return run_code(
        "agent_langchain",
        tmp_path,
        base_url=served.url,
        api_key=served.key(),
        **{"max_turns": Limits().turns} | values,
    )


def test_it_runs_and_ends_with_any_model(served: Served, local: LocalEngine, tmp_path: Path) -> None:
    found = run(served, tmp_path, model=tiny.LLAMA, question="Hi", examples="", most=4, max_turns=2)
    prompt = "Question: Hi\nThought:"
    steps = local.generate(
        GenerateRequest(tiny.LLAMA, text=prompt, sampling=GREEDY, max_new_tokens=4, stop=STOP)
    )
    first = "".join(step.text for step in steps)
    assert found["memory"].startswith(f"Thought:{first.rstrip()}\nObservation: Error:")
    assert found["memory"].count("\nObservation: Error:") == 2
    assert found["answer"] == ""


@pytest.fixture(scope="module")
def real(real_settings: Settings) -> Iterator[Served]:
    engine = LocalEngine(real_settings)
    with serving(engine, real_settings) as found:
        yield found
    engine.close()


@pytest.mark.real
def test_it_does_what_the_loop_of_the_page_does(real: Served, tmp_path: Path) -> None:
    setup = Setup(problems("en")[0].question)
    found = run(
        real, tmp_path, model=DEFAULT_DECODER, question=setup.question, most=N_NEW,
        examples=prompts.head(setup.allowed) + prompts.worked(setup, with_thought=True),
    )  # fmt: skip
    recorded = next(one.run for one in shipped() if one.run.setup == setup)
    assert found["answer"] == recorded.answer == "888"
    assert found["memory"] == prompts.so_far(recorded.turns[:-1])
