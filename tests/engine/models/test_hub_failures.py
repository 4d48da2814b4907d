"""Downloads that fail, break off or were damaged."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.error import URLError
from urllib.request import OpenerDirector

import pytest

from playground.engine.models import hub
from playground.engine.models import whole_folder as placing
from playground.engine.models.loading import load, locate, model_info, pull
from playground.errors import (
    Cancelled,
    HubUnreachable,
    HubUntrusted,
    Message,
    ModelNotFound,
    NoHub,
    WrongBytes,
)
from playground.settings import Settings
from tests.engine.models.hub_server import (
    COMMIT,
    MODEL_ID,
    Hub,
    entry,
    leftovers,
    make_settings,
    silent,
)


@pytest.fixture
def settings(tmp_path: Path, server: Hub) -> Settings:
    return make_settings(tmp_path, server.endpoint)


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

    monkeypatch.setattr(OpenerDirector, "open", refuse)
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
