"""Downloads, against a small server on this machine that speaks the hub's two routes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from playground.engine.contract.models import CatalogueEntry
from playground.engine.models import hub
from playground.engine.models.loading import load, load_tokenizer, locate, model_info, pull
from playground.errors import (
    HubAnswered,
    HubBusy,
    Message,
    ModelTooLarge,
    NoSafetensors,
    NoTokenizer,
    NotOnHub,
    WrongArchitecture,
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
