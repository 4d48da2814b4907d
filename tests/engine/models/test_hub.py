"""Downloads, against a small server on this machine that speaks the hub's two routes."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from playground.engine.contract.models import CatalogueEntry, ModelInfo
from playground.engine.models import hub
from playground.engine.models import whole_folder as placing
from playground.engine.models.catalogue import catalogue, model_folder
from playground.engine.models.loading import load, load_tokenizer, locate, model_info, pull
from playground.engine.models.table import DownloadSpeed, ModelTable
from playground.errors import (
    Cancelled,
    DiskFull,
    HubAnswered,
    HubBusy,
    HubUnreachable,
    HubUntrusted,
    Message,
    ModelNotFound,
    ModelTooLarge,
    NoHub,
    NoSafetensors,
    NoTokenizer,
    NotOnHub,
    WrongArchitecture,
    WrongBytes,
)
from playground.settings import Settings
from tests import tiny

MODEL_ID = "teacher/model"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the server holds and what it was asked."""

    files: dict[str, bytes]
    commit: str = COMMIT
    endpoint: str = ""
    cut_after: int | None = None  # bytes of one body, then the line goes dead
    held: threading.Event | None = None  # the second half of weights waits for it
    spoil: str = ""  # file that is sent with other bytes than announced
    status: int = 200
    page: bytes | None = None  # a log-in page instead of every answer
    asked: list[tuple[str, str]] = field(default_factory=list)  # (file or "api", Range header)

    def listing(self) -> dict[str, Any]:
        siblings = []
        for name, content in self.files.items():
            sibling: dict[str, Any] = {"rfilename": name, "size": len(content)}
            if name.endswith(".safetensors"):
                sibling["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            siblings.append(sibling)
        return {"id": MODEL_ID, "sha": self.commit, "siblings": siblings}


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if self.hub.page is not None:
            self._send(200, self.hub.page)
        elif self.hub.status != 200:
            self._send(self.hub.status, b"{}")
        elif path == f"/api/models/{MODEL_ID}/revision/main" and query == "blobs=true":
            self.hub.asked.append(("api", ""))
            self._send(200, json.dumps(self.hub.listing()).encode())
        elif (match := re.fullmatch(rf"/{MODEL_ID}/resolve/{self.hub.commit}/(.+)", path)) and (
            match[1] in self.hub.files
        ):
            self._send_file(match[1])
        else:
            self._send(404, b"{}")

    def _send_file(self, name: str) -> None:
        content, wanted = self.hub.files[name], self.headers.get("Range", "")
        self.hub.asked.append((name, wanted))
        if self.hub.spoil == name:
            content = bytes(len(content))
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self._send(206 if wanted else 200, content[start:])

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        body = body[: self.hub.cut_after]
        half = len(body) // 2 if self.hub.held is not None and len(body) > 50_000 else len(body)
        with suppress(ConnectionError):  # whoever asked has gone
            self.wfile.write(body[:half])
            self.wfile.flush()
            if half < len(body) and self.hub.held is not None:
                self.hub.held.wait(30)
            self.wfile.write(body[half:])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def server(tiny_settings: Settings) -> Iterator[Hub]:
    """A hub that holds the tiny gpt2 under the name of a teacher's model."""
    folder = model_folder(tiny.GPT2, tiny_settings)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != placing.METADATA}
    held = Hub(files | {"README.md": b"# A model", "onnx/model.safetensors": b"another format"})
    handler = type("HandlerOfThisHub", (Handler,), {"hub": held})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    held.endpoint = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield held
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def settings(tmp_path: Path, server: Hub) -> Settings:
    return make_settings(tmp_path, server.endpoint)


def make_settings(tmp_path: Path, endpoint: str, **changes: Any) -> Settings:
    return Settings(
        cache_dir=tmp_path, extra_models=(MODEL_ID,), device="cpu", HF_ENDPOINT=endpoint, **changes
    )


def entry(settings: Settings) -> CatalogueEntry:
    return catalogue(settings)[MODEL_ID]


def silent(message: Message, fraction: float) -> None: ...


def leftovers(settings: Settings) -> list[str]:
    """Names below the models folder."""
    models = settings.cache_dir / "models"
    return sorted(path.name for path in models.iterdir()) if models.is_dir() else []


def test_a_downloaded_model_loads_as_the_model_that_was_uploaded(settings: Settings) -> None:
    assert model_info(entry(settings), settings).state == "remote"
    pull(entry(settings), settings, silent)
    loaded = load(entry(settings), settings, silent)
    assert loaded.info.family == "gpt2"
    assert loaded.info.revision == COMMIT
    assert "generate" in loaded.entry.capabilities
    assert load_tokenizer(entry(settings), settings).tokenize("the cat").tokens
    assert leftovers(settings) == ["teacher--model"]


def test_the_hubs_address_may_end_with_a_slash(tmp_path: Path, server: Hub) -> None:
    settings = make_settings(tmp_path, server.endpoint + "/")
    assert pull(entry(settings), settings, silent).is_dir()


def test_an_entry_made_before_the_download_still_loads_after_it(settings: Settings) -> None:
    before = entry(settings)
    assert before.family == ""
    pull(before, settings, silent)
    assert load(before, settings, silent).entry.family == "gpt2"


def test_only_what_is_needed_is_downloaded_and_only_once(settings: Settings, server: Hub) -> None:
    folder = pull(entry(settings), settings, silent)
    names = {path.name for path in folder.rglob("*")}
    assert "README.md" not in names
    assert "onnx" not in names
    assert (folder / "model.safetensors").read_bytes() == server.files["model.safetensors"]
    n_asked = len(server.asked)
    pull(entry(settings), settings, silent)
    assert len(server.asked) == n_asked


def test_progress_counts_bytes_up_to_the_whole(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_CHUNK_BYTES", 10_000)
    told: list[tuple[Message, float]] = []
    pull(entry(settings), settings, lambda message, fraction: told.append((message, fraction)))
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len(set(fractions)) > 10
    assert re.fullmatch(r"\d+ / \d+ MB", str(told[0][0]))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"config.json": b'{"model_type": "falcon"}'}, WrongArchitecture),
        ({"config.json": b"{}"}, WrongArchitecture),
        ({"model.safetensors": None, "pytorch_model.bin": b"pickle"}, NoSafetensors),
        ({"tokenizer.json": None}, NoTokenizer),
    ],
)
def test_an_unfit_model_is_refused_before_its_weights_are_asked_for(
    settings: Settings, server: Hub, change: dict[str, bytes | None], error: type[Exception]
) -> None:
    for name, content in change.items():
        server.files.pop(name, None)
        if content is not None:
            server.files[name] = content
    with pytest.raises(error):
        pull(entry(settings), settings, silent)
    assert {name for name, _ in server.asked} <= {"api", "config.json"}
    assert locate(entry(settings), settings) is None


def test_an_allowed_model_must_have_the_architecture_of_the_list(tmp_path: Path, server: Hub) -> None:
    settings = make_settings(tmp_path, server.endpoint)
    pinned = CatalogueEntry(
        MODEL_ID, "BERT", "encoder", "bert", frozenset(), ("en",), "MIT", "main", "hub", 1
    )
    with pytest.raises(WrongArchitecture, match="gpt2"):
        pull(pinned, settings, silent)


def test_a_model_over_the_limit_is_refused_before_its_weights_are_asked_for(
    tmp_path: Path, server: Hub
) -> None:
    settings = make_settings(tmp_path, server.endpoint, max_download_bytes=100_000)
    with pytest.raises(ModelTooLarge):
        pull(entry(settings), settings, silent)
    assert [name for name, _ in server.asked] == ["api"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, NotOnHub), (403, NotOnHub), (404, NotOnHub), (429, HubBusy),
        (407, HubAnswered), (500, HubAnswered), (502, HubAnswered), (503, HubAnswered),
    ],
)  # fmt: skip
def test_what_the_hub_answered_is_said_and_the_connection_is_not_blamed(
    settings: Settings, server: Hub, status: int, error: type[Exception]
) -> None:
    server.status = status
    with pytest.raises(error, match=f"HTTP {status}") as raised:
        pull(entry(settings), settings, silent)
    assert "connection" not in str(raised.value)
    assert server.endpoint not in str(raised.value)


NO_SIZE = b'{"sha": "1", "siblings": [{"rfilename": "config.json", "size": "large"}]}'


@pytest.mark.parametrize("page", [b"<html>Please log in</html>", b"[]", b'{"hello": 1}', NO_SIZE, b"\xff"])
def test_a_log_in_page_is_no_hub(settings: Settings, server: Hub, page: bytes) -> None:
    server.page = page
    with pytest.raises(NoHub, match=f"{server.endpoint} does not answer like a model hub"):
        pull(entry(settings), settings, silent)


def test_a_closed_port_is_unreachable(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(HubUnreachable):
        pull(entry(settings), settings, silent)
    assert leftovers(settings) == []


def test_a_certificate_that_nobody_trusts_is_no_missing_connection(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What urllib raises behind a filter that opens connections."""
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_message = "self-signed certificate in certificate chain"

    def refuse(*args: object, **kwargs: object) -> None:
        raise URLError(cause)

    monkeypatch.setattr(hub, "urlopen", refuse)
    with pytest.raises(HubUntrusted, match="self-signed certificate in certificate chain"):
        pull(entry(settings), settings, silent)


def test_offline_asks_nobody_and_names_the_command(tmp_path: Path, server: Hub) -> None:
    settings = make_settings(tmp_path, server.endpoint, HF_HUB_OFFLINE=True)
    with pytest.raises(ModelNotFound, match=f"HF_HUB_OFFLINE=0 llm-playground pull {MODEL_ID}"):
        pull(entry(settings), settings, silent)
    assert server.asked == []
    assert model_info(entry(settings), settings).state == "absent"


def test_a_broken_download_leaves_nothing_under_the_models_name_and_continues(
    settings: Settings, server: Hub
) -> None:
    server.cut_after = 20_000
    with pytest.raises(HubUnreachable):
        pull(entry(settings), settings, silent)
    assert locate(entry(settings), settings) is None
    assert leftovers(settings) == []
    server.cut_after = None
    server.asked.clear()
    folder = pull(entry(settings), settings, silent)
    assert ("model.safetensors", "bytes=20000-") in server.asked
    assert (folder / "model.safetensors").read_bytes() == server.files["model.safetensors"]


def test_a_download_that_began_with_another_commit_begins_anew(settings: Settings, server: Hub) -> None:
    server.cut_after = 20_000
    with pytest.raises(HubUnreachable):
        pull(entry(settings), settings, silent)
    server.cut_after, server.commit = None, "f" * 40
    server.asked.clear()
    pull(entry(settings), settings, silent)
    assert ("model.safetensors", "") in server.asked
    assert model_info(entry(settings), settings).revision == "f" * 40


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"rev": 1}', b"\xff\xfe"])
def test_a_download_whose_note_was_damaged_begins_anew(
    settings: Settings, server: Hub, content: bytes
) -> None:
    server.cut_after = 20_000
    with pytest.raises(HubUnreachable):
        pull(entry(settings), settings, silent)
    note = settings.cache_dir / "partial" / "teacher--model" / placing.METADATA
    assert note.is_file()
    note.write_bytes(content)
    server.cut_after = None
    server.asked.clear()
    folder = pull(entry(settings), settings, silent)
    assert ("model.safetensors", "") in server.asked
    assert placing.damage(folder) == ""
    assert model_info(entry(settings), settings).revision == COMMIT


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", placing.METADATA])
def test_a_damaged_model_is_downloaded_anew(settings: Settings, server: Hub, name: str) -> None:
    folder = pull(entry(settings), settings, silent)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    assert model_info(entry(settings), settings).state == "remote"
    assert pull(entry(settings), settings, silent) == folder
    assert placing.damage(folder) == ""
    assert load(entry(settings), settings, silent).info.revision == COMMIT


def test_spoiled_weights_are_thrown_away_and_named(settings: Settings, server: Hub) -> None:
    server.spoil = "model.safetensors"
    with pytest.raises(WrongBytes, match=r"model\.safetensors of teacher/model"):
        pull(entry(settings), settings, silent)
    assert locate(entry(settings), settings) is None
    server.spoil = ""
    pull(entry(settings), settings, silent)
    assert locate(entry(settings), settings) is not None


def test_progress_can_stop_the_download_and_the_bytes_are_kept(
    settings: Settings, server: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_CHUNK_BYTES", 1_000)

    def stop_half_way(message: Message, fraction: float) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        pull(entry(settings), settings, stop_half_way)
    assert leftovers(settings) == []
    server.asked.clear()
    pull(entry(settings), settings, silent)
    assert any(wanted for _, wanted in server.asked)


# ---------------------------------------------------------------- in the background


@pytest.fixture
def table(settings: Settings, server: Hub) -> Iterator[ModelTable]:
    """The table of an engine, with a hub that holds the second half of the weights back."""
    server.held = threading.Event()
    made = ModelTable(settings)
    yield made
    server.held.set()
    made.close()


def info_of(table: ModelTable) -> ModelInfo:
    return next(info for info in table.infos() if info.model_id == MODEL_ID)


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def half_is_here(table: ModelTable) -> bool:
    download = info_of(table).download
    return download is not None and download.share > 0.4


def test_a_download_says_its_bytes_share_and_expected_time(table: ModelTable, server: Hub) -> None:
    future = table.load(MODEL_ID)
    assert info_of(table).download is not None, "from the first moment on"
    wait_for(lambda: half_is_here(table))
    info = info_of(table)
    assert info.state == "loading"
    assert re.fullmatch(r"\d+ / \d+ MB \(\d+ %\)", str(info.message))
    assert info.download is not None
    assert 0.4 < info.download.share < 1
    assert info.download.seconds_left is not None
    assert server.held is not None
    server.held.set()
    assert future.result(timeout=60).info.state == "ready"
    assert info_of(table).download is None


def test_a_stopped_download_ends_at_once_and_goes_on_where_it_was(table: ModelTable, server: Hub) -> None:
    future = table.load(MODEL_ID)
    wait_for(lambda: half_is_here(table))
    table.stop_download(MODEL_ID)
    with pytest.raises(Cancelled):  # although the hub still holds the rest back
        future.result(timeout=0)
    assert (info_of(table).state, info_of(table).download) == ("remote", None)
    assert server.held is not None
    server.held.set()
    server.asked.clear()
    assert table.load(MODEL_ID).result(timeout=60).info.state == "ready"
    assert next(wanted for name, wanted in server.asked if name == "model.safetensors").startswith("bytes=")


def test_what_is_no_download_cannot_be_stopped(table: ModelTable, server: Hub) -> None:
    table.stop_download(MODEL_ID)
    assert server.held is not None
    server.held.set()
    future = table.load(MODEL_ID)
    assert future.result(timeout=60)
    table.stop_download(MODEL_ID)
    assert info_of(table).state == "ready"


@pytest.mark.parametrize("began_at", [0.0, 0.6])
def test_the_expected_time_counts_from_where_a_download_began(began_at: float) -> None:
    """A tenth took 5 s: what is left takes 50 s a whole, whatever an older attempt had brought."""
    pace = DownloadSpeed()
    assert pace.at(began_at, 100.0).seconds_left is None
    told = pace.at(began_at + 0.1, 105.0).seconds_left
    assert told == pytest.approx(50 * (1 - began_at - 0.1))


def test_a_full_disk_is_said_before_the_download(
    settings: Settings, server: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(settings.cache_dir)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    with pytest.raises(DiskFull, match="1 MB free"):
        pull(entry(settings), settings, silent)
    assert "model.safetensors" not in [name for name, _ in server.asked]
