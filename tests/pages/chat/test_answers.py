"""The chat template panel: what is answered is the engine's greedy run, and the code shown gives it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from playground.core.pieces import piece
from playground.core.sampling import GREEDY
from playground.core.tables import chat as frames
from playground.core.tables.chat import ChatAnswer
from playground.engine import process
from playground.engine.contract.generation import GenerateRequest
from playground.settings import DEFAULT_DECODER, Settings
from playground.ui import show, stepwise
from playground.ui.prompting import chat_answers
from playground.ui.text import strong
from tests import tiny
from tests.pages.chat.conversing import (
    MARK,
    N_TOKENS,
    TEXT,
    ask,
    librarys,
    opened,
    rows,
    said,
    text_of,
    type_in,
    user,
)
from tests.pages.conftest import OpenApp
from tests.pages.shown import HALF, run_script
from tests.pages.test_every_page import HOSTILE

# ---------------------------------------------------------------- what is answered


def greedy(engine: Any, model: str, **prompt: Any) -> list[Any]:
    return list(engine.generate(GenerateRequest(model, sampling=GREEDY, max_new_tokens=N_TOKENS, **prompt)))


def test_both_answers_are_the_engines_own(
    open_app: OpenApp, tiny_engine: process.SharedEngine, library: Any
) -> None:
    app = opened(open_app)
    answers = ask(app)
    engine = tiny_engine.get(timeout_s=180)
    framed = greedy(engine, tiny.LLAMA, input_ids=tuple(librarys(library, user(TEXT))))
    joined = greedy(engine, tiny.LLAMA, text=TEXT)
    assert list(answers) == ["template", "plain"]
    for answer, steps in zip(answers.values(), (framed, joined), strict=True):
        assert answer.token_ids == [step.token_id for step in steps]
        assert answer.text == "".join(step.text for step in steps)
        assert answer.finish == steps[-1].finish_reason
        assert answer.surprisal_bits == pytest.approx([-step.logprob / 0.6931472 for step in steps], abs=1e-3)
    assert framed[0].token_id != joined[0].token_id, "else the test shows nothing"
    first = [strong(piece(steps[0].token).label) for steps in (framed, joined)]
    assert f"The first token is {first[0]} with the template, {first[1]} without it." in said(app)
    assert [one.value for one in app.text] == [answer.text.strip() for answer in answers.values()]
    bits = sum(answers["plain"].surprisal_bits) / len(answers["plain"].token_ids)
    assert f"mean surprisal {bits:.2f} bits" in said(app)


def test_a_base_model_is_offered_and_answers_the_plain_text(
    open_app: OpenApp, tiny_engine: process.SharedEngine
) -> None:
    app = opened(open_app)
    assert app.selectbox(key="pro_chat_base_choice").options == ["none", "gpt2"]
    app = opened(open_app, pro_chat_base=tiny.GPT2)
    answers = ask(app)
    steps = greedy(tiny_engine.get(timeout_s=180), tiny.GPT2, text=TEXT)
    assert answers["base"].token_ids == [step.token_id for step in steps]
    assert len(app.text) == 3
    assert "The base model gpt2" in said(app)


def test_without_a_base_model_a_caption_says_how_to_get_one(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "llm-playground pull" not in said(opened(open_app))
    monkeypatch.setattr(chat_answers, "_bases", lambda _chat: {})
    assert f"`llm-playground pull {chat_answers.BASE}`" in said(opened(open_app))


def test_a_click_stops_the_writing_and_what_is_written_stays(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = stepwise.generate_many

    def clicked(*args: Any, **kwargs: Any) -> Iterator[Any]:
        steps = write(*args, **kwargs)
        yield from islice(steps, 5)
        steps.close()

    monkeypatch.setattr(stepwise, "generate_many", clicked)
    app = opened(open_app)
    answers = ask(app)
    assert sum(len(answer.token_ids) for answer in answers.values()) == 5
    assert said(app).count("stopped by a click") == 2
    assert f"had not ended after {len(answers['template'].token_ids)} tokens" in said(app)


def test_another_message_puts_the_answers_away(open_app: OpenApp) -> None:
    app = opened(open_app)
    ask(app)
    assert len(app.text) == 2
    type_in(app, 1, "the dog")
    assert not app.text
    assert "always the most probable token" in said(app)


def test_the_conversation_goes_on(open_app: OpenApp, library: Any) -> None:
    app = opened(open_app)
    answer = ask(app)["template"].text
    app.button(key="pro_chat_continue").click().run()
    assert not app.exception
    assert app.text_area(key="pro_chat_2").value == answer
    assert app.text_area(key="pro_chat_3").value == ""
    type_in(app, 3, "the mat")
    messages = [*user(TEXT), {"role": "assistant", "content": answer}, *user("the mat")]
    assert rows(app)[0]["ids"] == librarys(library, messages)
    ask(app)
    assert not app.button(key="pro_chat_continue").disabled
    app.button(key="pro_chat_continue").click().run()
    type_in(app, 5, "a")
    assert not [one for one in app.button if one.key == "pro_chat_continue"], "no answer yet"


def answers_of(template: ChatAnswer, joined: ChatAnswer) -> Any:
    return chat_answers.ChatAnswers(None, None, 8, {"template": template, "plain": joined})  # type: ignore[arg-type]


def test_no_difference_is_said_and_so_is_how_it_ended() -> None:
    same = answers_of(ChatAnswer([5, 6], finish="end_of_text"), ChatAnswer([5, 6], finish="end_of_text"))
    assert "here the template makes no difference" in chat_answers.told(same)
    ended = chat_answers.told(
        answers_of(
            ChatAnswer([5, 6], ["a", "b"], finish="end_of_text"),
            ChatAnswer([5] * 8, ["a"] * 8, finish="length"),
        )
    )
    assert "With the template the model ended by itself after 2 tokens" in ended
    assert "Without the template the model had not ended after 8 tokens" in ended
    assert "They begin with the same token; then comes" in ended
    assert "no difference" not in ended


def test_where_two_answers_part_their_tokens_are_named() -> None:
    """Both texts may begin alike to a reader while their tokens differ from the first on."""
    spain = ChatAnswer([1, 2], ["Spain", "."], [0, 0], "Spain.", "length")
    spaced = ChatAnswer([3, 1, 2], ["\n", "Spain", "."], [0, 0, 0], "\nSpain.", "length")
    said = chat_answers.told(answers_of(spain, spaced))
    assert f"The first token is {strong('Spain')} with the template, {strong('⏎')} without it." in said
    assert "As texts both begin with “Spain\\.”" in said
    other = chat_answers.told(answers_of(spain, ChatAnswer([4], ["Rome"], [0], "Rome", "length")))
    assert "As texts" not in other
    longer = ChatAnswer([1, 2, 5], ["Spain", ".", " It"], [0] * 3, "Spain. It", "length")
    said = chat_answers.told(answers_of(spain, longer))
    assert f"the same 2 tokens; then comes nothing more with the template, {strong('·It')} without it" in said


def test_an_assistant_that_spoke_last_is_answered_only_with_a_warning(open_app: OpenApp) -> None:
    app = opened(open_app)
    assert not [one for one in app.info if "answers an answer" in one.value]
    app.button(key="pro_chat_add").click().run()
    type_in(app, 2, "London")
    assert [one for one in app.info if "answers an answer" in one.value]
    app.button(key="pro_chat_add").click().run()
    type_in(app, 3, "And France?")
    assert not [one for one in app.info if "answers an answer" in one.value]


# ---------------------------------------------------------------- anything typed, and the code


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_in_any_message_in_korean(name: str, open_app: OpenApp) -> None:
    app = opened(open_app, lang="ko")
    app.text_area(key="pro_chat_system").set_value(HOSTILE[name])
    type_in(app, 1, HOSTILE[name])
    if any(button.key == "pro_chat_answer" for button in app.button):
        app.button(key="pro_chat_answer").click().run()
        assert not app.exception
        assert app.text or app.error
    else:
        assert app.info or app.error


@pytest.mark.parametrize("content", [TEXT, MARK, "\nfirst {0} $x$ 서울 "])
@pytest.mark.parametrize("base", ["", tiny.GPT2])
def test_the_code_gives_the_string_the_ids_and_the_answers(
    content: str, base: str, open_app: OpenApp, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts: list[str] = []
    code = show.code

    def seen(name: str, **values: object) -> str:
        scripts.append(code(name, **values))
        return scripts[-1]

    monkeypatch.setattr(show, "code", seen)
    app = opened(open_app, text=content, **({"pro_chat_base": base} if base else {}))
    type_in(app, "system", "Say no")
    answers = ask(app)
    shown = next(script for script in reversed(scripts) if "apply_chat_template" in script)
    found, printed = run_script(shown, tmp_path)
    assert found["string"] == text_of(app)
    assert found["string"] in printed
    framed, joined = rows(app)
    assert found["ids"]["template"] == framed["ids"]
    assert found["ids"]["plain"] == joined["ids"]
    assert found["answers"].keys() == answers.keys()
    for name, answer in answers.items():
        ids, text, bits = found["answers"][name]
        assert ids == answer.token_ids
        assert text in (answer.text, answer.text + HALF)
        assert bits == pytest.approx(answer.surprisal_bits, abs=1e-3)


def test_the_table_has_every_token_read_and_written(open_app: OpenApp) -> None:
    app = opened(open_app)
    answers = ask(app)
    chat = app.session_state[chat_answers.KEY].chat
    table = frames.chat(chat.readings, answers)
    assert tuple(table.columns) == frames.COLUMNS
    framed, joined = rows(app)
    for name, row in (("template", framed), ("plain", joined)):
        mine = table[table["prompt"] == name]
        assert mine["token_id"].tolist() == [*row["ids"], *answers[name].token_ids]
        assert mine["position"].tolist() == list(range(1, len(mine) + 1))
        written = mine[mine["part"] == "answer"]
        assert written["surprisal_bits"].tolist() == pytest.approx(answers[name].surprisal_bits)
        assert mine["surprisal_bits"].isna().sum() == len(row["ids"])


@pytest.mark.real
def test_the_real_models_own_words_are_found(real_settings: Settings) -> None:
    from playground.engine.models.named_tokenizers import NamedTokenizers
    from playground.engine.models.table import ModelTable

    named = NamedTokenizers(real_settings, ModelTable(real_settings).tokenizer)
    marks = named.info(DEFAULT_DECODER).special_ids
    for system, own in (([], ["You are a helpful AI assistant named SmolLM, trained by Hugging Face"]),
                        ([{"role": "system", "content": "Be brief"}], [])):  # fmt: skip
        messages = [*system, *user("user"), {"role": "assistant", "content": "ok"}, *user("서울은?")]
        tokens = named.chat(DEFAULT_DECODER, messages)
        blank = named.chat(DEFAULT_DECODER, [{**one, "content": "\ue000"} for one in messages])
        read = frames.reading(tokens, blank.text.split("\ue000"), messages, marks, "template")
        assert frames.own_texts(read, "template") == own
        assert read.n("mark") == tokens.text.count("<|")
        assert read.n("assistant") == 1
        assert sum(read.n(part) for part in {*read.parts}) == len(tokens)
