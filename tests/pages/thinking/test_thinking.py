"""Three prompts on the same problems, on tiny models: the engine's answers, counted, and the code shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from playground.core.few_shot import Example
from playground.core.metrics.intervals import wilson_interval
from playground.core.sampling import GREEDY, Sampling
from playground.core.voting import last_number, majority
from playground.engine.process import SharedEngine
from playground.ui import stepwise
from playground.ui.prompting import continuing, task_files, thinking
from playground.ui.prompting.thinking_run import TEMPERATURE, ThinkingRun
from playground.ui.translations import languages
from tests.pages.conftest import OpenApp
from tests.pages.thinking.thought import (
    CHAT,
    LINK,
    NO_CHAT,
    SHORT,
    answered,
    engines_own,
    run_of,
    tables,
    words_of,
)

HOSTILE = (
    "</script><b>{question}</b>",
    "$x$ ![](y) {question} {0} {name}",
    "<|im_start|>{question}\x00",
    "{question}{question}",
)


def texts_of(run: ThinkingRun, prompt: str) -> list[str]:
    return [one.text for one in run.written if one.prompt == prompt]


@pytest.mark.parametrize("model", [CHAT, NO_CHAT])
def test_the_answers_are_the_engines_greedy_ones_and_the_accuracy_adds_up(
    model: str, open_app: OpenApp, tiny_engine: SharedEngine, problems: list[Example]
) -> None:
    engine = tiny_engine.get(timeout_s=180)
    own = {
        prompt: [engines_own(engine, f"{prompt} {one.text} =", model, sampling=GREEDY) for one in problems]
        for prompt in thinking.PROMPTS
    }
    numbers = [(place, last_number(text)) for place, text in enumerate(own["plain"])]
    place, label = next((place, number) for place, number in numbers if number is not None)
    problems[place] = Example(problems[place].text, label)  # so that something is right
    app = answered(open_app, model=model, **SHORT)
    rows = tables(app)[0].set_index("prompt")
    drawers = [one.value for one in app.dataframe if "transcript" in one.value]
    for (prompt, texts), drawer in zip(own.items(), drawers, strict=True):
        assert texts_of(run_of(app), prompt) == texts
        assert drawer["transcript"].tolist() == texts
        right = [last_number(text) == one.label for text, one in zip(texts, problems, strict=True)]
        assert drawer["right"].tolist() == right
        row = rows.loc[prompt]
        assert (row["n_right"], row["n"]) == (sum(right), len(problems))
        assert row["accuracy"] == pytest.approx(sum(right) / len(problems))
        assert (row["low"], row["high"]) == pytest.approx(wilson_interval(sum(right), len(problems)))
    assert rows.loc["plain", "n_right"] >= 1
    assert f"Right answers: :blue[**Instruction**] {rows.loc['plain', 'n_right']} of 3" in words_of(app)


def test_the_majority_of_drawn_answers_counts(
    open_app: OpenApp, tiny_engine: SharedEngine, problems: list[Example]
) -> None:
    app = answered(open_app, pro_think_votes="3", **SHORT)
    engine = tiny_engine.get(timeout_s=180)
    table = next(one.value for one in app.dataframe if "transcript" in one.value)
    assert table["seed"].tolist() == [0, 1, 2] * len(problems)
    for place, one in enumerate(problems):
        text = f"plain {one.text} ="
        own = [
            engines_own(engine, text, CHAT, sampling=Sampling(TEMPERATURE), seed=seed) for seed in range(3)
        ]
        rows = table.iloc[3 * place : 3 * place + 3]
        assert rows["transcript"].tolist() == own
        assert set(rows["answer"]) == {majority(map(last_number, own)) or ""}
    assert len(set(table["transcript"])) > len(problems), "seeds differ"


def test_all_twenty_problems_are_asked_in_the_readers_language(open_app: OpenApp) -> None:
    url = {key.replace("_en", "_ko"): text for key, text in SHORT.items()}
    app = answered(open_app, lang="ko", **url)
    asked = [one.text for one in run_of(app).items]
    assert asked == [one.text for one in task_files.task("problems", "ko").examples]
    assert tables(app)[0]["n"].tolist() == [20, 20, 20]


def test_every_language_has_its_prompts_with_a_place_for_the_question(open_app: OpenApp) -> None:
    for language in languages():
        app = open_app("prompting", **(LINK | {"lang": language}))
        prompts = [app.text_area(key=f"pro_think_{one}_{language}").value for one in thinking.PROMPTS]
        assert len(set(prompts)) == len(prompts)
        assert all("{question}" in prompt and len(prompt) <= thinking.MAX_CHARS for prompt in prompts)


def test_the_prompts_of_the_page_are_answered(open_app: OpenApp) -> None:
    app = answered(open_app)
    assert not app.error
    assert run_of(app).n_done == 60


def test_a_prompt_without_a_place_for_the_question_is_one_sentence(open_app: OpenApp) -> None:
    app = open_app("prompting", **LINK, pro_think_role_en="Who are you?")
    sentences = [one.value for one in app.warning]
    assert len(sentences) == 1
    assert "`{question}`" in sentences[0]
    assert sentences[0].endswith("missing in: Role.")
    assert app.button(key="pro_think_start").disabled
    app.text_area(key="pro_think_role_en").set_value("{question}").run()
    assert not app.warning
    assert not app.button(key="pro_think_start").disabled


@pytest.mark.parametrize("model", [CHAT, NO_CHAT])
@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.usefixtures("problems")
def test_any_prompt_is_asked_as_it_is(
    hostile: str, model: str, open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    app = open_app("prompting", model=model, **LINK, **SHORT)
    app.text_area(key="pro_think_steps_en").set_value(hostile).run()
    app.button(key="pro_think_start").click().run()
    assert not app.exception
    run = run_of(app)
    text = hostile.replace("{question}", run.items[0].text)
    own = engines_own(tiny_engine.get(timeout_s=180), text, model, sampling=GREEDY)
    assert texts_of(run, "steps")[0] == own
    assert "](y)" not in words_of(app)
    assert "</script>" not in words_of(app)


@pytest.mark.parametrize("model", [CHAT, NO_CHAT])
def test_a_refused_prompt_is_one_sentence_and_leaves_the_last_results(model: str, open_app: OpenApp) -> None:
    app = answered(open_app, model=model, **SHORT)
    last = run_of(app)
    app.text_area(key="pro_think_plain_en").set_value("{question}" * 40).run()
    app.button(key="pro_think_start").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert "shorten it" in app.error[0].value
    assert run_of(app) is last


@pytest.mark.usefixtures("problems")
def test_results_stay_when_a_prompt_changes_and_say_so(open_app: OpenApp) -> None:
    told = "answers to the prompts and settings of the last start"
    app = answered(open_app, **SHORT)
    rows = tables(app)[0]
    assert told not in words_of(app)
    app.text_area(key="pro_think_plain_en").set_value("{question}").run()
    assert told in words_of(app)
    assert tables(app)[0].equals(rows)
    app.button(key="pro_think_start").click().run()
    assert told not in words_of(app)
    assert run_of(app).prompts["plain"] == "{question}"


@pytest.mark.usefixtures("problems")
def test_another_model_or_language_puts_the_results_away(open_app: OpenApp) -> None:
    app = answered(open_app, **SHORT)
    assert tables(app)
    app.selectbox(key="model_choice").set_value(NO_CHAT).run()
    assert not tables(app)
    assert "Each prompt gets the same 3 problems" in words_of(app)
    app.selectbox(key="model_choice").set_value(CHAT).run()
    assert tables(app)
    app.button_group(key="lang_choice").set_value("ko").run()
    assert not tables(app)


@pytest.mark.usefixtures("problems")
def test_what_a_click_interrupts_stays_and_is_called_partial(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A waiting click ends the engine's steps early, as here: the second prompt stops within an answer."""
    real, asked = stepwise.generate_many, []

    def steps(*args: Any, **settings: Any) -> Iterator[Any]:
        asked.append(args)
        for number, step in enumerate(real(*args, **settings)):
            if len(asked) == 2 and number == 4:
                return
            yield step

    monkeypatch.setattr(continuing, "draw", lambda _prompt: None)
    monkeypatch.setattr(stepwise, "generate_many", steps)
    app = answered(open_app, **SHORT)
    assert len(asked) == 2, "nothing is asked after the click"
    assert len(run_of(app).written) > 3, "an answer was begun"
    assert "Partial results: stopped after 3 of 9 answers." in words_of(app)
    rows = tables(app)[0]
    assert rows["prompt"].tolist() == ["plain"]
    assert rows["n"].tolist() == [3]
    assert "nothing can be said" not in words_of(app)
    spent_ms = run_of(app).elapsed_ms
    app.button(key="pro_think_go_on").click().run()
    assert not app.exception
    run = run_of(app)
    assert (run.n_done, run.total) == (9, 9)
    assert len({(one.prompt, one.item, one.seed) for one in run.written}) == len(run.written) == 9
    assert run.elapsed_ms > spent_ms
    assert app.button(key="pro_think_go_on").disabled
    again = answered(open_app, **SHORT)
    assert run.table().equals(run_of(again).table())
    assert {(one.prompt, one.item): one.text for one in run.written} == {
        (one.prompt, one.item): one.text for one in run_of(again).written
    }


@pytest.mark.usefixtures("problems")
def test_how_much_is_to_be_written_is_said_before(open_app: OpenApp) -> None:
    assert "9 answers of at most 16 tokens" in words_of(open_app("prompting", **(LINK | SHORT)))
    link = LINK | SHORT | {"pro_think_votes": "5"}
    assert "45 answers of at most 16 tokens" in words_of(open_app("prompting", **link))
