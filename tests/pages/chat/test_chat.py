"""The chat template panel: what is read is the library's."""

from __future__ import annotations

from typing import Any

from playground.core.few_shot import message_spans
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

OWN = "Be kind"


LINK = {"pro_panel": "chat", "text": TEXT, "pro_chat_tokens": f"{N_TOKENS}", "pro_shots": "0"}


# ---------------------------------------------------------------- what is read


def test_one_message_is_read_as_the_library_reads_it(open_app: OpenApp, library: Any) -> None:
    app = opened(open_app)
    framed, joined = rows(app)
    assert framed["ids"] == librarys(library, user(TEXT))
    assert joined["ids"] == library(TEXT).input_ids
    string = library.apply_chat_template(user(TEXT), tokenize=False, add_generation_prompt=True)
    assert text_of(app) == string
    marks = {i for i, token in library.added_tokens_decoder.items() if token.special}
    special = [int(at) for at, kind in framed["kinds"].items() if kind == "special"]
    assert special == [at for at, token_id in enumerate(framed["ids"]) if token_id in marks]
    assert len(special) == 5


def test_the_sentence_counts_marks_messages_and_template(open_app: OpenApp, library: Any) -> None:
    app = opened(open_app)
    string = text_of(app)
    start = string.index(TEXT)
    encoded = library(string, add_special_tokens=False, return_offsets_mapping=True)
    own = sum(a < start + len(TEXT) and b > start for a, b in encoded.offset_mapping)
    n, marks = len(encoded.input_ids), string.count("<|")
    told = f"reads {n} tokens: {own} from the messages, {marks} special (dashed), {n - own - marks} from the"
    assert told in said(app)
    assert f"the messages have {len(library(TEXT).input_ids)}." in said(app)
    assert own >= 3
    assert n - own - marks >= 3


def test_a_conversation_with_a_system_message(open_app: OpenApp, library: Any) -> None:
    app = opened(open_app)
    assert f"stand in no message: :blue[{OWN}]" in said(app)
    type_in(app, "system", "Say no")
    assert "stand in no message" not in said(app)
    for turn, content in ((2, "the dog"), (3, "the mat")):
        app.button(key="pro_chat_add").click().run()
        type_in(app, turn, content)
    messages = [
        {"role": "system", "content": "Say no"}, *user(TEXT),
        {"role": "assistant", "content": "the dog"}, *user("the mat"),
    ]  # fmt: skip
    framed, joined = rows(app)
    assert framed["ids"] == librarys(library, messages)
    assert joined["ids"] == library(f"Say no\n{TEXT}\nthe dog\nthe mat").input_ids
    app.button(key="pro_chat_remove").click().run()
    assert rows(app)[0]["ids"] == librarys(library, messages[:-1])


def test_words_that_the_template_says_too_are_found_in_the_message(open_app: OpenApp) -> None:
    for content in ("user", "system", "e"):
        app = opened(open_app, text=content)
        string, (row, _joined) = text_of(app), rows(app)
        at = string.rindex(f"user\n{content}<") + len("user\n")
        touching = [a < at + len(content) and b > at for a, b in row["spans"]]
        assert f": {sum(touching)} from the messages" in said(app)


def test_a_typed_mark_is_text(open_app: OpenApp, library: Any) -> None:
    app = opened(open_app, text=MARK)
    framed, joined = rows(app)
    n_marks = sum(token_id in (0, 1) for token_id in librarys(library, user(TEXT)))
    assert list(framed["kinds"].values()).count("special") == n_marks
    assert "special" not in joined["kinds"].values()
    assert text_of(app).count(MARK) == 1
    assert f"{n_marks} special" in said(app)


def test_the_first_message_follows_the_sentence_until_another_is_written(open_app: OpenApp) -> None:
    app = opened(open_app)
    app.text_area(key="text").set_value("the dog").run()
    assert app.text_area(key="pro_chat_1").value == "the dog"
    type_in(app, 1, "my own")
    app.text_area(key="text").set_value("a third").run()
    assert app.text_area(key="pro_chat_1").value == "my own"


def test_the_session_keeps_the_messages_while_another_panel_is_open(open_app: OpenApp) -> None:
    app = opened(open_app)
    type_in(app, "system", "Say no")
    type_in(app, 1, "my own")
    for panel in ("think", "chat"):
        app.button_group(key="pro_panel_choice").set_value(panel).run()
    assert app.text_area(key="pro_chat_system").value == "Say no"
    assert app.text_area(key="pro_chat_1").value == "my own"


def test_an_empty_message_is_one_sentence(open_app: OpenApp) -> None:
    app = opened(open_app)
    type_in(app, 1, "  \n")
    assert sum("A message is empty" in one.value for one in app.info) == 1
    assert not rows(app)
    assert not [one for one in app.button if one.key == "pro_chat_answer"]
    type_in(app, 1, "the dog")
    assert len(rows(app)) == 2
    app.button(key="pro_chat_add").click().run()
    assert any("A message is empty" in one.value for one in app.info)


def test_at_most_twelve_turns_and_500_characters(open_app: OpenApp) -> None:
    app = opened(open_app, text="a" * 700)
    assert app.text_area(key="pro_chat_1").value == "a" * 500
    for _ in range(11):
        app.button(key="pro_chat_add").click().run()
    assert app.button(key="pro_chat_add").disabled
    for turn in range(2, 13):
        type_in(app, turn, "b" * 500)
    assert sum("the limit is 2,000: shorten" in one.value for one in app.error) == 1


def test_a_message_that_spells_the_template_is_whole() -> None:
    assert message_spans("<u>a</u><a>b</u><a>", ["<u>", "</u><a>"], ["a</u><a>b"]) == [(3, 12)]


def test_too_many_tokens_are_one_sentence_and_no_answer(open_app: OpenApp) -> None:
    app = opened(open_app)
    type_in(app, 1, "힣" * 200)
    app.button(key="pro_chat_answer").click().run()
    assert not app.exception
    assert sum("tokens and the limit here is 512" in one.value for one in app.error) == 1
    assert app.run().text_area(key="pro_chat_1").value == "힣" * 200
    assert "always the most probable token" in said(app)


def test_a_model_without_a_template_says_so_and_reads_the_plain_text(open_app: OpenApp) -> None:
    app = opened(open_app, model=tiny.GPT2)
    assert sum("has no chat template" in one.value for one in app.info) == 1
    assert len(rows(app)) == 1
    answers = ask(app)
    assert list(answers) == ["plain"]
    assert "Without the template the model" in said(app)
    assert "With the template" not in said(app)
    assert not [one for one in app.button if one.key == "pro_chat_continue"]


def test_a_template_that_shortens_a_message_keeps_its_place() -> None:
    blank = ["<u>", "</u><a>", "</a><u>", "</u>"]
    text = "<u>one</u><a>two</a><u>three</u>"
    found = message_spans(text, blank, ["one", "<think>x</think>two", " three"])
    assert [text[start:stop] for start, stop in found] == ["one", "two", "three"]
