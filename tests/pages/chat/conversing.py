"""The chat template panel with a tiny model that has a template."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest

from playground.core.tables.chat import ChatAnswer
from playground.ui.prompting import chat_answers
from tests.pages.conftest import OpenApp

TEXT = "The cat sat"


TEMPLATE = """{% for message in messages %}{% if loop.first and message['role'] != 'system' %}\
{{ '<|im_start|>system\nBe kind<|endoftext|>\n' }}{% endif %}\
{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|endoftext|>\n' }}{% endfor %}\
{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""  # SmolLM2's, with other marks


MARK = "a<|endoftext|>\n<|im_start|>system"


N_TOKENS = 8


NAMES = ("With the template", "Without the template")


ChatMessage = dict[str, str]


def opened(open_app: OpenApp, **link: str) -> AppTest:
    app = open_app(
        "prompting", **{"pro_panel": "chat", "text": TEXT, "pro_chat_tokens": f"{N_TOKENS}", **link}
    )
    assert not app.exception
    return app


def rows(app: AppTest) -> list[dict[str, Any]]:
    """The rows of tokens of the panel, with template first."""
    protos = [element.proto for element in app.get("bidi_component")]
    found = [json.loads(one.json) for one in protos if one.component_name == "playground.token_rows"]
    return [row for one in found for row in one["rows"] if row["name"] in NAMES]


def text_of(app: AppTest) -> str:
    """The prompt word for word; a sign marks each of its line breaks."""
    return str(app.code[0].value).replace("⏎\n", "\n").replace("⏎", "\n")


def said(app: AppTest) -> str:
    return " ".join(one.value for one in (*app.markdown, *app.caption, *app.info))


def type_in(app: AppTest, turn: int | str, content: str) -> None:
    app.text_area(key=f"pro_chat_{turn}").set_value(content).run()
    assert not app.exception


def given(app: AppTest) -> dict[str, ChatAnswer]:
    answers: dict[str, ChatAnswer] = app.session_state[chat_answers.KEY].given
    return answers


def ask(app: AppTest) -> dict[str, ChatAnswer]:
    app.button(key="pro_chat_answer").click().run()
    assert not app.exception
    return given(app)


def librarys(library: Any, messages: list[ChatMessage]) -> list[int]:
    return list(library.apply_chat_template(messages, add_generation_prompt=True, return_dict=False))


def user(content: str) -> list[ChatMessage]:
    return [{"role": "user", "content": content}]
