"""The panel of three prompts, its answers read back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from streamlit.testing.v1 import AppTest

from playground.core.tables import thinking as frames
from playground.engine.contract.generation import GenerateRequest
from playground.ui.prompting import thinking
from playground.ui.prompting.thinking_run import KEY, ThinkingRun
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts

CHAT, NO_CHAT = tiny.LLAMA, tiny.GPT2  # the first, the default one, has a chat template here


TEMPLATE = "<|im_start|>user\n{{ messages[0].content }}<|endoftext|>\n<|im_start|>assistant:"


LINK = {"lang": "en", "pro_panel": "think", "pro_think_tokens": "16", "pro_shots": "0"}


SHORT = {f"pro_think_{prompt}_en": f"{prompt} {{question}} =" for prompt in thinking.PROMPTS}


def answered(open_app: OpenApp, **url: str) -> AppTest:
    """The panel after Start."""
    app = open_app("prompting", **(LINK | url))
    assert not app.exception
    app.button(key="pro_think_start").click().run()
    assert not app.exception
    return app


def run_of(app: AppTest) -> ThinkingRun:
    run = app.session_state[KEY]
    assert isinstance(run, ThinkingRun)
    return run


def tables(app: AppTest) -> list[Any]:
    return [rows for rows in charts(app) if rows.columns.tolist() == list(frames.ACCURACIES)]


def words_of(app: AppTest) -> str:
    return " ".join(one.value for one in (*app.markdown, *app.caption, *app.info))


def engines_own(engine: Any, text: str, model: str, **settings: Any) -> str:
    """What the model writes to this text, given as a message where it knows chats."""
    request = GenerateRequest(model, text, max_new_tokens=16, **settings)
    if model == CHAT:
        before, after = TEMPLATE.split("{{ messages[0].content }}")
        parts = [(before, True), (text, False), (after, True)]  # what is a mark, what only spells one
        if "<|" not in text:
            parts = [(before + text + after, True)]
        ids: list[int] = []
        for part, special in parts:
            ids += engine.tokenizers.tokenize(
                model, part, add_special_tokens=False, read_special=special
            ).input_ids
        request = replace(request, input_ids=tuple(ids))
    return "".join(step.text for step in engine.generate(request))
