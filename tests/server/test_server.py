"""The server as a stranger meets it: through its socket, its answers and its signals."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvicorn
from streamlit import config
from websockets.exceptions import InvalidStatus

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader
from playground import server
from playground.errors import SetUpError
from playground.paths import site_root
from playground.settings import Settings
from tests.server.test_gate import ask, enter


def _get(url: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=180) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def _raw_get(live: LiveServer, target: str) -> tuple[int, bytes]:
    """A request line as it is: urllib would clean the path."""
    connection = http.client.HTTPConnection(live.url.removeprefix("http://"), timeout=180)
    connection.putrequest("GET", target, skip_host=False)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


# --- the listener


async def _nodelay_of_accepted(listener: socket.socket) -> int:
    """Serve with uvicorn, connect, and read the option on the server's side of the connection."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(3600)

    web = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error", timeout_graceful_shutdown=0))
    task = asyncio.create_task(web._serve([listener]))
    _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    while not web.server_state.connections:
        await asyncio.sleep(0.01)
    (connection,) = web.server_state.connections
    transport_socket = connection.transport.get_extra_info("socket")
    nodelay = transport_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    writer.close()
    web.should_exit = True
    await task
    return nodelay


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_accepted_connections_have_tcp_nodelay(host: str) -> None:
    assert asyncio.run(_nodelay_of_accepted(server.listen(host, 0))) == 1


def test_a_taken_port_is_one_sentence_with_the_cure() -> None:
    with server.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetUpError, match=f"Port {port} is already in use.*--port {port + 1}"):
            server.listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(SetUpError, match=r"cannot listen on 192\.0\.2\.1"):
        server.listen("192.0.2.1", 0)


# --- reruns


def test_no_full_collection_follows_a_rerun() -> None:
    probe = Path(__file__).with_name("gc_probe.py")
    answer = subprocess.run(
        [sys.executable, str(probe)], capture_output=True, text=True, timeout=300, check=True
    )
    result = json.loads(answer.stdout)
    assert result["full_collections"] == 0
    assert len(result["shown"]) == 20
    assert result["shown"][19] == ["`0.95`"]
    assert result["options"] == {
        "runner.postScriptGC": False,
        "client.showErrorDetails": "none",
        "browser.gatherUsageStats": False,
        "server.maxUploadSize": Settings().max_adapter_file_bytes // 2**20,
    }


@pytest.mark.parametrize("megabytes", [None, 96])
def test_one_limit_holds_for_every_upload(megabytes: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is what `streamlit run` reads, the setting is what a page says and what a teacher may set."""
    in_file = tomllib.loads((site_root() / ".streamlit" / "config.toml").read_text("utf-8"))
    assert in_file["server"]["maxUploadSize"] * 2**20 == Settings().max_adapter_file_bytes
    if megabytes is not None:
        monkeypatch.setenv("PLAYGROUND_MAX_ADAPTER_FILE_BYTES", str(megabytes * 2**20))
    settings = Settings()
    server.configure(settings)
    assert config.get_option("server.maxUploadSize") * 2**20 == settings.max_adapter_file_bytes
    assert settings.max_upload_bytes <= settings.max_adapter_file_bytes


# --- answers


@pytest.mark.real
@pytest.mark.parametrize(
    "path", ["/", "/sampling", "/api/ready", "/assets/fonts/OFL.txt", "/assets/none", "/_stcore/health"]
)
def test_every_answer_carries_the_security_headers(live: LiveServer, path: str) -> None:
    _, headers, _ = _get(live.url + path)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.real
def test_ready_says_so_once_the_model_has_answered(live: LiveServer) -> None:
    status, headers, body = _get(live.url + "/api/ready")
    assert status == 200
    told = json.loads(body)
    assert told["state"] == "ready"
    assert told["restarts"] == 0, "the thread that computes has never begun anew"
    assert headers["Cache-Control"] == "no-store"


def test_a_locked_server_hides_its_websocket_too(locked: LiveServer) -> None:
    async def first_run(cookie: str) -> int:
        async with Reader(locked.url, cookie=cookie) as reader:
            return reader.first.n_messages

    address = locked.url.removeprefix("http://")
    for path in ("/", "/assets/fonts/OFL.txt", "/_stcore/health", "/static/js/x.js"):
        assert ask(address, path).status == 401
    assert ask(address, "/api/ready").status in (200, 503)
    with pytest.raises(InvalidStatus):
        asyncio.run(first_run(""))
    assert asyncio.run(first_run(enter(address))) > 0


def test_a_model_that_is_not_there_is_said(locked: LiveServer) -> None:
    with pytest.raises(RuntimeError, match="llm-playground pull gpt2"):
        locked.wait_ready()


@pytest.mark.real
def test_assets_may_be_kept_by_the_browser(live: LiveServer) -> None:
    status, headers, body = _get(live.url + "/assets/fonts/PretendardVariable.woff2")
    assert (status, body[:4]) == (200, b"wOF2")
    assert headers["Cache-Control"] == "max-age=86400"
    assert (
        _get(live.url + "/assets/fonts/PretendardVariable.woff2", **{"If-None-Match": headers["ETag"]})[0]
        == 304
    )


@pytest.mark.real
@pytest.mark.parametrize(
    "target",
    [
        "/assets/../pyproject.toml",
        "/assets/%2e%2e/pyproject.toml",
        "/assets/..%2fpyproject.toml",
        "/assets/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/assets//etc/passwd",
        "/assets/fonts/%00",
        "/assets/" + "a" * 10_000,
        "/_stcore/metrics",
        "/_stcore/metrics/",
        "//evil.example/",
        "/%ff%fe",
    ],
)
def test_hostile_paths_give_nothing_away(live: LiveServer, target: str) -> None:
    status, body = _raw_get(live, target)
    assert status < 500
    assert b"llm-playground" not in body
    assert b"root:" not in body
    assert b"# TYPE" not in body
    assert b"Traceback" not in body


@pytest.mark.real
def test_another_origin_or_host_gets_no_websocket(live: LiveServer) -> None:
    async def connect(**headers: str) -> None:
        reader = Reader(live.url)
        reader._headers |= headers
        async with reader:
            pass

    with pytest.raises(InvalidStatus):
        asyncio.run(connect(Origin="http://evil.example"))
    with pytest.raises(InvalidStatus):  # a name that was pointed at 127.0.0.1 after the page was loaded
        asyncio.run(connect(Origin="http://evil.example", Host="evil.example"))


# --- life


@pytest.mark.real
def test_fifty_readers_leave_no_thread_and_little_memory(live: LiveServer) -> None:
    async def come_and_go(n: int) -> None:
        for _ in range(n):
            async with Reader(live.url):
                pass

    process = psutil.Process(live.process.pid)
    asyncio.run(come_and_go(10))
    threads, memory = _settled_threads(process), process.memory_info().rss
    asyncio.run(come_and_go(50))
    assert _settled_threads(process) <= threads
    assert process.memory_info().rss <= 1.05 * memory


def _settled_threads(process: psutil.Process) -> int:
    """The number of threads once script threads have had time to end."""
    fewest = process.num_threads()
    for _ in range(30):
        time.sleep(0.1)
        fewest = min(fewest, process.num_threads())
    return fewest


@pytest.mark.real
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_server_that_starts_says_what_is_going_on_and_ends_quietly(name: str) -> None:
    with LiveServer.playground() as live:
        status, _, body = _get(live.url + "/api/ready")
        live.process.send_signal(signal.Signals[name])
        assert live.process.wait(60) == 0
        assert "Traceback" not in live.log()
    assert status == 503
    assert json.loads(body)["state"] in ("importing", "warming")
