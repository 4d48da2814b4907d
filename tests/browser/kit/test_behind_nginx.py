"""The whole way through a real nginx with TLS, below a path: login, files, components, websocket, frames."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from benchmarks.live_server import LiveServer, free_port
from tests.browser.reader import wait_run
from tests.server.test_gate import PASSWORD

pytestmark = pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx and openssl are not installed"
)
# What OPERATING.md recommends, as small as nginx takes it.
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{
    access_log off; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2;
    fastcgi_temp_path {folder}/3; uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
        location /llm/ {{
            proxy_pass {target};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_buffering off;
        }}
        location = /llm {{ return 301 /llm/; }}
    }}
}}
"""
CERTIFICATE = [
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=127.0.0.1",
]
ENV = {
    "PLAYGROUND_BASE_PATH": "/llm",
    "PLAYGROUND_TRUSTED_PROXIES": "127.0.0.1",
    "PLAYGROUND_CLASS_PASSWORD": PASSWORD,
}


@pytest.fixture(params=["", "/"], ids=["path passed on", "path cut off"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """`https://127.0.0.1:<port>`, where nginx shows the playground below /llm/."""
    port = free_port()
    command = [*CERTIFICATE, "-keyout", f"{tmp_path}/key.pem", "-out", f"{tmp_path}/cert.pem"]
    subprocess.run(command, check=True, capture_output=True)
    with LiveServer.playground(env=ENV) as live:
        written = NGINX.format(folder=tmp_path, port=port, target=live.url + request.param)
        (tmp_path / "nginx.conf").write_text(written, "utf-8")
        nginx = subprocess.Popen(["nginx", "-e", f"{tmp_path}/error.log", "-c", f"{tmp_path}/nginx.conf"])
        try:
            live.wait_ready()
            yield f"https://127.0.0.1:{port}"
        finally:
            nginx.terminate()
            nginx.wait()


@pytest.mark.real
def test_everything_stays_below_the_path_and_cookies_are_secure(browser: Browser, site: str) -> None:
    context = browser.new_context(ignore_https_errors=True, locale="en-US")
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda websocket: asked.append(websocket.url.replace("wss:", "https:")))
    page.goto(f"{site}/llm/attention?att_panel=bertviz")
    page.get_by_label("Class password").fill(PASSWORD)
    page.get_by_role("button", name="Enter").click()
    wait_run(page)
    expect(page.frame_locator("iframe").locator("svg").first).to_be_attached(timeout=120_000)
    page.get_by_role("link", name="Sampling").first.click()
    wait_run(page)
    assert page.url.startswith(f"{site}/llm/sampling")
    page.goto(f"{site}/llm")
    wait_run(page)
    outside = {url for url in asked if url.startswith("http") and not url.startswith(f"{site}/llm")}
    assert outside == set()
    assert any(url.endswith("/_stcore/stream") for url in asked)
    assert {cookie["secure"] for cookie in context.cookies()} == {True}
    context.close()
