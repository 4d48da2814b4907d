"""The endpoint behind its own socket, on an engine with tiny models, one of which chats."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import openai
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from playground import server
from playground.core.api_keys import Keys
from playground.engine.contract.engine import Engine
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.v1.endpoint import Endpoint
from tests import tiny

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|endoftext|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SESSION = "a session"
CHAT = "tiny/chat"


@dataclass
class Served:
    """An endpoint that answers at `url`; `sessions` are those whose pages are open."""

    url: str
    engine: Engine
    settings: Settings
    keys: Keys
    sessions: set[str]
    endpoint: Endpoint
    http: httpx.Client
    is_on: list[bool] = field(default_factory=lambda: [True])

    def key(self, session: str = SESSION) -> str:
        self.sessions.add(session)
        return self.keys.make(session)

    def client(self, session: str = SESSION) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=self.url, api_key=self.key(session), max_retries=0, http_client=self.http
        )

    def post(self, path: str, body: object, session: str = SESSION) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key(session)}"}
        return httpx.post(f"{self.url}{path}", json=body, headers=headers, timeout=180)


Serve = Callable[..., "contextmanager[Served]"]


@contextmanager
def serving(engine: Engine, settings: Settings) -> Iterator[Served]:
    sessions: set[str] = set()
    keys, is_on = Keys(sessions.__contains__, limit=64), [True]
    endpoint = Endpoint(settings, lambda: keys, lambda: is_on[0], lambda: engine)
    listener = server.listen("127.0.0.1", 0)
    app = Starlette(routes=[Route("/v1", endpoint), Mount("/v1", endpoint)])
    web = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]})
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    try:
        with httpx.Client(timeout=180) as http:
            yield Served(url, engine, settings, keys, sessions, endpoint, http, is_on)
    finally:
        web.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def chat_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The tiny models, and a llama with a chat template and a window of 1,024 tokens."""
    folder: Path = tmp_path_factory.mktemp("v1")
    settings = tiny.make(folder)
    tokenizer = tiny.byte_level_tokenizer()
    model = tiny._llama(tokenizer)
    model.config.max_position_embeddings = 1_024
    place = folder / "models" / CHAT.replace("/", "--")
    tiny.save(place, model, tokenizer, seed=9, eos_token="<|endoftext|>")
    (place / "chat_template.jinja").write_text(TEMPLATE, "utf-8")
    return settings.model_copy(update={"extra_models": (*settings.extra_models, CHAT)})


@pytest.fixture(scope="session")
def local(chat_settings: Settings) -> Iterator[LocalEngine]:
    """An engine of this process with the tiny models."""
    engine = LocalEngine(chat_settings)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def served(local: LocalEngine, chat_settings: Settings) -> Iterator[Served]:
    """The endpoint on it."""
    with serving(local, chat_settings) as found:
        yield found
