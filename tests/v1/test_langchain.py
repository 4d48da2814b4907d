"""langchain-openai against the endpoint: completions, chats, tools, forms and vectors."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field, SecretStr

from playground.engine.contract.generation import GenerateRequest
from playground.engine.local.engine import LocalEngine
from tests import tiny
from tests.v1.conftest import CHAT, Served
from tests.v1.test_vectors import of_the_page


class City(BaseModel):
    """A city and a number of it."""

    name: str = Field(pattern="^(London|Paris)$", description="of the two")
    rank: int = Field(ge=1, le=9)


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def access(served: Served) -> dict[str, Any]:
    return {
        "base_url": served.url, "api_key": SecretStr(served.key()), "max_retries": 0,
        "http_client": served.http,
    }  # fmt: skip


def chat(served: Served, **more: Any) -> ChatOpenAI:
    return ChatOpenAI(model=CHAT, **{"max_tokens": 40, "seed": 4, **more}, **access(served))


def test_a_completion_and_its_stream_are_the_engines(served: Served, local: LocalEngine) -> None:
    steps = local.generate(GenerateRequest(tiny.LLAMA, text="The cat", seed=3, max_new_tokens=8))
    expected = "".join(step.text for step in steps)
    model = OpenAI(model=tiny.LLAMA, max_tokens=8, seed=3, temperature=1, **access(served))
    assert model.invoke("The cat") == expected
    assert "".join(model.stream("The cat")) == expected
    assert model.batch(["The cat", "The cat"]) == [expected] * 2


def test_a_chat_and_its_stream_are_the_engines(served: Served, local: LocalEngine) -> None:
    ids = local.tokenizers.chat(CHAT, [{"role": "user", "content": "The cat"}]).input_ids
    steps = local.generate(GenerateRequest(CHAT, input_ids=ids, seed=4, max_new_tokens=10))
    expected = "".join(step.text for step in steps)
    model = chat(served, max_tokens=10)
    answer = model.invoke([HumanMessage("The cat")])
    assert answer.content == expected
    assert isinstance(answer, AIMessage)
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["input_tokens"] == len(ids)
    assert "".join(str(part.content) for part in model.stream("The cat")) == expected


def test_log_probabilities_come_along(served: Served) -> None:
    answer = chat(served, max_tokens=5, logprobs=True, top_logprobs=2).invoke("The cat")
    rows = answer.response_metadata["logprobs"]["content"]
    assert len(rows) == 5
    assert all(row["logprob"] <= 0 for row in rows)


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_model_of_pydantic_comes_back_as_one(served: Served, method: Any) -> None:
    structured = chat(served, max_tokens=110).with_structured_output(City, method=method)
    for seed in (1, 2):
        found = structured.bind(seed=seed).invoke("Which?")
        assert isinstance(found, City)


def test_a_tool_is_called_and_its_result_read(served: Served) -> None:
    """The names of the loop: bind_tools, tool_calls, ToolMessage."""
    free = chat(served, max_tokens=110).bind_tools([add], tool_choice="add")
    asked: list[Any] = [HumanMessage("What is 2 + 3?")]
    answer = free.invoke(asked)
    assert isinstance(answer, AIMessage)
    if answer.response_metadata["finish_reason"] == "length":  # an integer has no end for a random model
        assert answer.tool_calls == []
        return
    (call,) = answer.tool_calls
    assert call["name"] == "add"
    result = add.invoke(call)
    assert isinstance(result, ToolMessage)
    assert json.loads(str(result.content)) == call["args"]["a"] + call["args"]["b"]
    last = chat(served, max_tokens=4).bind_tools([add], tool_choice="none").invoke([*asked, answer, result])
    assert last.content


def test_vectors_are_those_of_the_page(served: Served, local: LocalEngine) -> None:
    texts = ["the cat sat", "서울"]
    model = OpenAIEmbeddings(model=tiny.BERT, check_embedding_ctx_length=False, **access(served))
    np.testing.assert_allclose(model.embed_documents(texts), of_the_page(local, texts), atol=1e-6)
    np.testing.assert_allclose([model.embed_query(texts[1])], of_the_page(local, texts[1:]), atol=1e-6)
