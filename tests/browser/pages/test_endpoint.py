"""From the page to a notebook: a key made behind the class password, which ends with its tab."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import openai
import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.live_server import LiveServer
from playground.settings import DEFAULT_DECODER
from tests.browser.conftest import VIEWPORT
from tests.server.test_gate import PASSWORD


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server behind the class password, with the endpoint on."""
    password = tmp_path_factory.mktemp("v1") / "password.txt"
    password.write_text(PASSWORD + "\n", "utf-8")
    with LiveServer.playground("--password-file", str(password), env={"PLAYGROUND_ENDPOINT": "1"}) as server:
        server.wait_ready()
        yield server


@pytest.fixture
def page(browser: Browser, own: LiveServer) -> Iterator[Page]:
    """The page The classroom, as a student has it."""
    context = browser.new_context(viewport=VIEWPORT, locale="en-US")
    made = context.new_page()
    made.goto(f"{own.url}/login?next=%2Fclassroom")
    made.get_by_role("textbox").fill(PASSWORD)
    made.get_by_role("button").click()
    yield made
    context.close()


def client_of(own: LiveServer, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{own.url}/v1", api_key=key, max_retries=0, timeout=180)


@pytest.mark.real
def test_a_key_made_on_the_page_opens_the_endpoint_and_ends_with_the_tab(own: LiveServer, page: Page) -> None:
    main = page.get_by_test_id("stMain")
    main.get_by_text("Ask from a notebook").click()
    main.get_by_role("button", name="Make a key").click()
    shown = main.locator("code", has_text="pg-")
    expect(shown).to_be_visible()
    key = shown.inner_text().strip()
    with client_of(own, key) as client:
        assert DEFAULT_DECODER in {one.id for one in client.models.list()}
        answer = client.completions.create(
            model=DEFAULT_DECODER, prompt="The capital of England is", max_tokens=1, temperature=0
        )
        assert answer.choices[0].text == " London"
        page.get_by_test_id("stSidebarNavLink").nth(2).click()
        expect(main.get_by_text("Ask from a notebook")).to_have_count(0)
        assert client.models.list().data, "another page of the same tab"
        page.close()
        ends_at = time.monotonic() + 60
        while True:
            try:
                client.models.list()
            except openai.AuthenticationError:
                break
            assert time.monotonic() < ends_at
            time.sleep(0.1)
    assert key not in own.log()
    assert "Traceback" not in own.log()


def test_the_gate_and_the_door_stand_before_the_endpoint_too(own: LiveServer) -> None:
    for path in ("/v1/models", "/v1/", "/v1/%2e%2e/_stcore/health", "/v1/x?key=pg-x"):
        answer = httpx.get(own.url + path, headers={"Accept": "text/html"})
        assert answer.status_code in (303, 400, 401), path  # 400: Streamlit, of dots
        if answer.status_code == 401:
            assert answer.json()["error"]["code"] == "invalid_api_key"
    assert httpx.get(f"{own.url}/v1").status_code == 401
    assert httpx.get(f"{own.url}/v1x").status_code == 401
    foreign = httpx.post(f"{own.url}/v1/completions", json={}, headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    assert foreign.json()["error"]["code"] == "foreign_origin"
    assert "access-control-allow-origin" not in foreign.headers
    asked = httpx.options(
        f"{own.url}/v1/completions",
        headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"},
    )
    assert asked.status_code == 403
