"""Models that the hub gives only to those who accepted a licence: the token, who gets it, who hears of it."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from playground.engine.contract.models import CatalogueEntry
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import pull
from playground.errors import LicenceNotAccepted, NotOnHub, PlaygroundError, TokenRefused
from playground.settings import Settings
from playground.ui import text
from playground.ui.translations import languages
from tests.engine.models.hub_server import (
    MODEL_ID,
    OLD_ID,
    Hub,
    entry,
    leftovers,
    make_settings,
    serving,
    silent,
)

TOKEN = "hf_SECRETsecretSECRET"


@pytest.fixture
def gated(server: Hub) -> Hub:
    server.token = TOKEN
    return server


def with_token(tmp_path: Path, server: Hub, token: str = TOKEN) -> Settings:
    return make_settings(tmp_path, server.endpoint, HF_TOKEN=token)


def test_a_model_behind_a_licence_comes_with_the_token(tmp_path: Path, gated: Hub) -> None:
    settings = with_token(tmp_path, gated)
    assert pull(entry(settings), settings, silent).is_dir()
    assert {authorization for _file, authorization in gated.tokens} == {f"Bearer {TOKEN}"}


def test_without_a_token_the_hub_is_told_nothing(tmp_path: Path, server: Hub) -> None:
    settings = make_settings(tmp_path, server.endpoint)
    pull(entry(settings), settings, silent)
    assert {authorization for _file, authorization in server.tokens} == {""}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("is_listed", [True, False], ids=["listed as gated", "a teacher's addition"])
def test_a_missing_token_is_said_with_the_page_of_the_licence(
    tmp_path: Path, gated: Hub, language: str, is_listed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path, gated.endpoint)
    gated.error_code = "" if is_listed else "GatedRepo"
    with pytest.raises(LicenceNotAccepted) as raised:
        pull(replace(entry(settings), is_gated=is_listed), settings, silent)
    assert f"{gated.endpoint}/{MODEL_ID}" in str(raised.value)
    monkeypatch.setattr(text, "language", lambda: language)
    said = text.sentence(raised.value)
    assert "HF_TOKEN" in said
    assert text.plain(f"{gated.endpoint}/{MODEL_ID}") in said
    assert leftovers(settings) == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_said_and_never_shown(
    tmp_path: Path, server: Hub, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    settings = with_token(tmp_path, server, "hf_another")
    server.status = status
    with caplog.at_level(logging.DEBUG), pytest.raises(TokenRefused, match=f"HTTP {status}") as raised:
        pull(entry(settings), settings, silent)
    assert f"{server.endpoint}/{MODEL_ID}" in str(raised.value)
    shown = (str(raised.value), repr(raised.value.params), repr(settings), str(settings), caplog.text)
    assert not any("hf_another" in text for text in shown)


def test_a_model_that_nobody_has_is_not_blamed_on_a_licence(tmp_path: Path, server: Hub) -> None:
    """The hub answers 401 for what it does not have, too."""
    settings = make_settings(tmp_path, server.endpoint)
    server.status = 401
    with pytest.raises(NotOnHub):
        pull(entry(settings), settings, silent)


def test_the_store_that_files_are_redirected_to_does_not_get_the_token(tmp_path: Path, gated: Hub) -> None:
    store = Hub(gated.files)
    with serving(store):
        gated.store = store.endpoint
        settings = with_token(tmp_path, gated)
        folder = pull(entry(settings), settings, silent)
    assert (folder / "model.safetensors").read_bytes() == gated.files["model.safetensors"]
    assert store.tokens == [("model.safetensors", "")]


def test_a_redirect_inside_the_hub_takes_the_token_along(tmp_path: Path, gated: Hub) -> None:
    """As a repository that was renamed."""
    settings = with_token(tmp_path, gated).model_copy(update={"extra_models": (OLD_ID,)})
    renamed: CatalogueEntry = catalogue(settings)[OLD_ID]
    assert pull(renamed, settings, silent).is_dir()


@pytest.mark.parametrize("value", ["my token", "hf_\nX-Evil: 1", "토큰"])
def test_what_is_no_token_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(PlaygroundError, match="HF_TOKEN") as raised:
        Settings(HF_TOKEN=value)
    assert value not in str(raised.value)


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_token_is_none(value: str) -> None:
    assert Settings(HF_TOKEN=value).hf_token is None
