"""A request that has no answer gets a status and one sentence, in the shape that OpenAI's clients read."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from playground.engine.local.engine import LocalEngine
from playground.v1.asking import Asking, Spellings
from tests import tiny
from tests.v1.conftest import CHAT, Served

OK = {"model": tiny.LLAMA, "prompt": "The cat", "max_tokens": 1}
TALK = {"model": CHAT, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}


def error_of(response: httpx.Response) -> dict[str, Any]:
    """The error of an answer, whose form is checked: four fields, one sentence."""
    (error,) = response.json().values()
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"].endswith((".", ")"))
    assert "\n" not in error["message"]
    assert "Traceback" not in error["message"]
    return dict(error)


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/completions", {**OK, "model": "gpt-5"}, 404, r"'gpt-5'.*choose one of"),
        ("/completions", {**OK, "model": 7}, 400, r"model is 7.*a text"),
        ("/completions", {"prompt": "x"}, 400, "model is missing"),
        ("/completions", {"model": tiny.LLAMA}, 400, "prompt is missing"),
        ("/completions", {**OK, "prompt": "a" * 100_000}, 400, "100,000 characters and the limit is 8,000"),
        ("/completions", {**OK, "prompt": [1] * 1_000}, 400, "1,000 tokens and the limit here is"),
        ("/completions", {**OK, "prompt": ""}, 400, "empty"),
        ("/completions", {**OK, "prompt": []}, 400, "prompt"),
        ("/completions", {**OK, "prompt": [["a"]]}, 400, "a list of texts"),
        ("/completions", {**OK, "prompt": [10**9]}, 400, "prompt is 1000000000.*token ids from 0 to"),
        ("/completions", {**OK, "prompt": [True]}, 400, "a list of texts"),
        ("/completions", {**OK, "prompt": ["x"] * 65}, 400, "65 prompts with n 1.*1-64 texts"),
        ("/completions", {**OK, "n": 65}, 400, "n is 65"),
        ("/completions", {**OK, "max_tokens": 100_000}, 400, "max_tokens is 100000.*from 1 to 128"),
        ("/completions", {**OK, "max_tokens": 0}, 400, "max_tokens is 0"),
        ("/completions", {**OK, "temperature": -1}, 400, "temperature is -1.0.*0.0-100.0"),
        ("/completions", {**OK, "temperature": "hot"}, 400, "temperature is 'hot'.*a number"),
        ("/completions", {**OK, "temperature": 10**400}, 400, "temperature is 1000"),
        ("/completions", {**OK, "top_p": 0}, 400, "top_p is 0.0"),
        ("/completions", {**OK, "presence_penalty": 3}, 400, "presence_penalty is 3"),
        ("/completions", {**OK, "seed": -1}, 400, "seed is -1"),
        ("/completions", {**OK, "stop": ["x"] * 9}, 400, "stop"),
        ("/completions", {**OK, "stop": [1]}, 400, "stop is .*list of texts"),
        ("/completions", {**OK, "logprobs": 21}, 400, "logprobs is 21.*from 0 to 20"),
        ("/completions", {**OK, "stream": "yes"}, 400, "stream is 'yes'.*true or false"),
        ("/completions", {**OK, "logit_bias": {"1": 5}}, 400, "logit_bias is not supported.*Supported are"),
        ("/completions", {**OK, "best_of": 4}, 400, "best_of is 4"),
        ("/completions", {**OK, "model": tiny.BERT}, 400, "cannot continue a text: choose one of"),
        ("/completions", {**OK, "stream_options": {"x": 1}}, 400, r"stream_options\.x is not supported"),
        ("/chat/completions", {**TALK, "model": tiny.GPT2}, 400, "cannot chat: choose one of"),
        ("/chat/completions", {**TALK, "messages": []}, 400, "a list of messages"),
        ("/chat/completions", {**TALK, "messages": [{"role": "boss"}]}, 400, r"\[0\]\.role is 'boss'"),
        ("/chat/completions", {**TALK, "messages": [{"role": "user", "content": 7}]}, 400, "content is 7"),
        (
            "/chat/completions",
            {**TALK, "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            400,
            "models here read text",
        ),
        ("/chat/completions", {**TALK, "top_logprobs": 3}, 400, "top_logprobs is 3"),
        ("/chat/completions", {**TALK, "functions": []}, 400, "functions is not supported"),
        ("/chat/completions", {**TALK, "tools": [{"type": "web_search"}]}, 400, r"tools\[0\]\.type"),
        ("/chat/completions", {**TALK, "tool_choice": "required"}, 400, "tool_choice needs tools"),
        (
            "/chat/completions",
            {**TALK, "response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            400,
            "a JSON schema",
        ),
        (
            "/chat/completions",
            {
                **TALK,
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": {"type": "integer", "minimum": 5, "maximum": 4}},
                },
            },
            400,
            "JSON schema cannot be used",
        ),
        ("/embeddings", {"model": tiny.BERT, "input": []}, 400, "input"),
        ("/embeddings", {"model": tiny.LLAMA, "input": "x"}, 400, "cannot turn a text into a vector"),
        ("/embeddings", {"model": tiny.BERT, "input": "x", "dimensions": 7}, 400, "dimensions is 7"),
        ("/embeddings", {"model": tiny.BERT, "input": "x" * 100_000}, 400, "100,000 characters"),
        ("/embeddings", {"model": tiny.BERT, "input": ["x"] * 501}, 400, "a list of 1-500"),
        ("/embeddings", {"model": tiny.BERT, "input": "x", "encoding_format": "xml"}, 400, "'xml'"),
        ("/images", {}, 404, "There is nothing here"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_with_the_value_and_the_cure(
    served: Served, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    response = served.post(path, body)
    assert response.status_code == status, response.text
    assert re.search(words, error_of(response)["message"]), response.text


def test_the_client_raises_its_own_error_for_each(served: Served) -> None:
    client = served.client()
    with pytest.raises(openai.NotFoundError, match="no model 'x' here"):
        client.models.retrieve("x")
    with pytest.raises(openai.NotFoundError, match="choose one of"):
        client.completions.create(model="x", prompt="a")
    with pytest.raises(openai.BadRequestError, match="suffix is not supported"):
        client.completions.create(model=tiny.LLAMA, prompt="a", suffix="b")
    with pytest.raises(openai.AuthenticationError, match="A key of an open page is needed"):
        client.with_options(api_key="pg-wrong").models.list()
    with pytest.raises(openai.BadRequestError, match="limit is 8,000") as caught:
        client.completions.create(model=tiny.LLAMA, prompt="a" * 100_000, stream=True)
    assert caught.value.code == "context_length_exceeded"


# --- keys


PATHS = ["/models", "/models/x", "/completions", "/chat/completions", "/embeddings", "/none", "", "/"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_without_a_key_nothing_answers(served: Served, path: str, method: str) -> None:
    key = served.key()
    for headers in (
        {},
        {"Authorization": "Bearer x"},
        {"Authorization": key},
        {"Authorization": f"Basic {key}"},
        {"Authorization": f"Bearer {key[:-1]}"},
        {"api-key": key, "Cookie": f"key={key}"},
    ):
        address = f"{served.url}{path}?key={key}&api_key={key}"
        response = httpx.request(method, address, json=OK, headers=headers)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        if method != "HEAD":
            assert error_of(response)["code"] == "invalid_api_key"
        assert key not in response.text + str(response.headers)


def test_a_key_ends_with_its_page_and_with_another_key(served: Served) -> None:
    client = served.client("bob")
    assert client.models.list().data
    served.sessions.remove("bob")
    with pytest.raises(openai.AuthenticationError):
        client.models.list()
    served.sessions.add("bob")
    assert client.models.list().data
    served.key("bob")
    with pytest.raises(openai.AuthenticationError):
        client.models.list()


def test_switched_off_it_refuses_whoever_has_a_key_and_tells_nobody_else(served: Served) -> None:
    client = served.client()
    served.is_on[0] = False
    try:
        with pytest.raises(openai.PermissionDeniedError, match="switched off: ask the teacher"):
            client.models.list()
        with pytest.raises(openai.AuthenticationError):
            client.with_options(api_key="pg-x").models.list()
    finally:
        served.is_on[0] = True
    assert client.models.list().data


def test_a_model_of_another_session_is_not_there(
    served: Served, local: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adapters and models from zero belong to sessions: the store says whose."""
    mine = f"{tiny.LLAMA}+0123456789"
    monkeypatch.setattr(local.adapters, "belongs", lambda model, owner: (model, owner) == (mine, "ada"))
    client = served.client("bob")
    for model in (mine, f"{mine}@50", "from-zero/0123456789"):
        with pytest.raises(openai.NotFoundError, match="There is no model"):
            client.completions.create(model=model, prompt="a")
    asking = Asking(local, "ada", served.settings, Spellings())
    assert asking.model(mine).model_id == tiny.LLAMA


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_page_of_another_site_asks_even_with_a_key(served: Served, site: str) -> None:
    headers = {"Authorization": f"Bearer {served.key()}", "Sec-Fetch-Site": site}
    response = httpx.post(f"{served.url}/completions", json=OK, headers=headers)
    assert response.status_code == 403
    assert error_of(response)["code"] == "foreign_origin"
    assert "access-control-allow-origin" not in response.headers


def test_a_key_is_in_no_log_and_in_no_error(
    served: Served, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = served.key("carol")
    headers = {"Authorization": f"Bearer {key}"}

    def fails(*_args: object, **_named: object) -> None:
        raise RuntimeError("a fault of ours")

    with caplog.at_level(logging.DEBUG):
        monkeypatch.setattr(served.engine, "generate_many", fails)
        answers = [
            httpx.post(f"{served.url}/completions", json=OK, headers=headers),
            httpx.post(f"{served.url}/completions", json={**OK, "model": key}, headers=headers),
            httpx.get(f"{served.url}/{key}", headers=headers),
        ]
    assert [one.status_code for one in answers] == [500, 404, 404]
    ours = [line for line in caplog.records if not line.name.startswith(("httpx", "httpcore"))]
    assert any("a request of the endpoint failed" in line.getMessage() for line in ours)
    said = "".join(logging.Formatter().format(line) for line in ours)
    assert key not in said
    assert "a fault of ours" not in answers[0].text
    assert key not in answers[0].text + answers[2].text


def test_switched_off_or_with_its_key_ended_a_stream_ends_and_says_why(served: Served) -> None:
    client = served.client("dan")

    def rest(act: Callable[[], object], status: type[openai.APIError]) -> None:
        stream = client.completions.create(
            model=tiny.LLAMA, prompt="a", max_tokens=100, n=20, seed=1, stream=True
        )
        next(iter(stream))
        act()
        with pytest.raises(status):
            list(stream)

    try:
        rest(lambda: served.is_on.__setitem__(0, False), openai.APIError)
        served.is_on[0] = True
        rest(lambda: served.keys.end("dan"), openai.APIError)
    finally:
        served.is_on[0] = True


@pytest.mark.parametrize("n", [80, 200, 300])
def test_a_body_of_many_levels_is_one_sentence(served: Served, n: int) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _level in range(n):
        schema = {"type": "array", "items": schema}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    response = served.post("/chat/completions", {**TALK, "response_format": wanted})
    assert response.status_code == 400
    assert "deep" in error_of(response)["message"]


def test_half_a_surrogate_pair_is_read_as_a_character_everywhere(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.key()}"}
    for given in ({"prompt": "\ud83d"}, {"prompt": ["a\ud83d"]}, {"prompt": "a", "stop": ["\ud83d"]}):
        sent = json.dumps({**OK, **given})  # as an escape, which is JSON
        response = httpx.post(f"{served.url}/completions", content=sent, headers=headers, timeout=180)
        assert response.status_code == 200, response.text


def test_more_messages_than_a_window_holds_are_refused_before_the_template(served: Served) -> None:
    many = [{"role": "user", "content": ""}] * 257
    response = served.post("/chat/completions", {**TALK, "messages": many})
    assert response.status_code == 400
    assert "a list of 257" in error_of(response)["message"]
