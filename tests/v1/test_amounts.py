"""Too much at once, and nonsense: bounded, and answered with a sentence."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.v1 import chat, completions, vectors
from playground.v1.fields import body_of
from playground.v1.refusals import Refused
from tests import tiny
from tests.v1.conftest import Served, serving
from tests.v1.test_refusals import OK, TALK, error_of

# --- amounts


def test_a_body_of_more_than_the_limit_is_413(served: Served) -> None:
    response = served.post("/completions", {**OK, "prompt": "a" * 2**20})
    assert response.status_code == 413
    assert "1,048,576 bytes" in error_of(response)["message"]


async def at_once(served: Served, key: str, n: int) -> list[httpx.Response]:
    headers = {"Authorization": f"Bearer {key}"}
    limits = httpx.Limits(max_connections=n)
    async with httpx.AsyncClient(headers=headers, timeout=300, limits=limits) as client:
        body = {**OK, "max_tokens": 60, "temperature": 2}
        asked = (client.post(f"{served.url}/completions", json=body) for _time in range(n))
        return await asyncio.gather(*asked)


def test_of_two_hundred_requests_at_once_those_without_a_place_are_told_so(
    local: LocalEngine, chat_settings: Settings
) -> None:
    few = chat_settings.model_copy(update={"max_endpoint_open_per_key": 20})
    with serving(local, few) as served:
        answers = asyncio.run(at_once(served, served.key(), 200))
        counts = Counter(one.status_code for one in answers)
        assert counts[200] >= 20
        assert counts[429] == 200 - counts[200]
        refused = [one for one in answers if one.status_code == 429]
        assert all(int(one.headers["Retry-After"]) > 0 for one in refused)
        assert {error_of(one)["type"] for one in refused} == {"rate_limit_error"}
        names = [thread.name for thread in threading.enumerate()]
        assert sum(name.startswith("v1") for name in names) <= 2 * few.max_endpoint_running
        assert served.post("/completions", OK).status_code == 200
        use = served.keys.use_of("a session")
        assert use is not None


def test_a_key_leaves_places_for_other_keys(local: LocalEngine, chat_settings: Settings) -> None:
    few = chat_settings.model_copy(update={"max_endpoint_running": 4, "max_endpoint_running_per_key": 2})
    with serving(local, few) as served:
        ada, bob = served.key("ada"), served.key("bob")

        async def both() -> tuple[list[httpx.Response], list[httpx.Response]]:
            many = asyncio.ensure_future(at_once(served, ada, 24))
            await asyncio.sleep(0.05)
            one = await at_once(served, bob, 1)
            assert not many.done()
            return await many, one

        of_ada, of_bob = asyncio.run(both())
        assert {one.status_code for one in (*of_ada, *of_bob)} == {200}


# --- nonsense


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(sorted({*completions.FIELDS, *chat.FIELDS, *vectors.FIELDS, "x"}))


@settings(max_examples=150)
@given(
    body=st.dictionaries(NAMES, JSON, max_size=6),
    base=st.sampled_from([{}, OK, TALK, {"model": tiny.BERT, "input": "x"}]),
)
def test_a_nonsense_body_is_read_or_refused_and_nothing_else(
    body: dict[str, Any], base: dict[str, Any]
) -> None:
    limits = Settings()
    for read in (completions.read, chat.read, vectors.read):
        refused = refusal(read, {**base, **body}, limits)
        if refused is not None:
            assert refused.status == 400
            assert len(refused.message) < 1_500
            json.dumps(refused.body)


def refusal(act: Callable[..., object], *given: object) -> Refused | None:
    """The refusal of a call, None where it has a result; anything else is an error."""
    try:
        act(*given)
    except Refused as refused:
        return refused
    return None


@settings(max_examples=200)
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_bytes_that_are_no_json_object_are_refused(data: bytes) -> None:
    refused = refusal(body_of, data)
    assert refused.status == 400 if refused is not None else isinstance(body_of(data), dict)


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b'{"a": NaN}', b'{"a": ' + b"9" * 10_000 + b"}", b"\xff", b"7"]
)
def test_odd_json_is_refused(served: Served, data: bytes) -> None:
    headers = {"Authorization": f"Bearer {served.key()}"}
    response = httpx.post(f"{served.url}/completions", content=data, headers=headers)
    assert response.status_code == 400
    assert error_of(response)["code"] == "invalid_json"


@settings(max_examples=40)
@given(
    body=st.dictionaries(NAMES, JSON, max_size=3),
    path=st.sampled_from(["/completions", "/chat/completions", "/embeddings"]),
)
def test_a_nonsense_request_has_an_answer(served: Served, body: dict[str, Any], path: str) -> None:
    base = {"/completions": OK, "/chat/completions": TALK, "/embeddings": {"model": tiny.BERT, "input": "x"}}
    sent = json.dumps({**base[path], **body}, allow_nan=True).encode()
    headers = {"Authorization": f"Bearer {served.key()}"}
    response = httpx.post(f"{served.url}{path}", content=sent, headers=headers, timeout=180)
    assert response.status_code in (200, 400, 404), response.text
