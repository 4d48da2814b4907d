"""Which encoder reads a text follows its script; multilingual-e5-small reads with its prefixes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from playground.engine.contract.models import ModelInfo
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import catalogue, model_folder
from playground.engine.process import SharedEngine
from playground.settings import DEFAULT_ENCODER, MULTILINGUAL_ENCODER, Settings
from playground.ui import compute, roles, state
from playground.ui.embeddings import contexts
from playground.ui.embeddings.choosing import cosines_in_words
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.embedded import sent_to_map
from tests.pages.shown import run_code

JOURNEY = "나는 최근 파리 여행을 다녀왔다"


@pytest.fixture
def with_minilm(open_app: OpenApp, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings whose default encoder is MiniLM, which reads English; those of the pages too."""
    settings = tiny_settings.model_copy(update={"default_encoder": DEFAULT_ENCODER})
    monkeypatch.setattr(state, "settings", lambda: settings)
    return settings


@pytest.fixture
def e5_is_here(
    tiny_settings: Settings, with_e5: Settings, with_minilm: Settings, engine: LocalEngine
) -> Iterator[Path]:
    """The folder of the real E5, which is in memory beside the tiny models."""
    real = model_folder(MULTILINGUAL_ENCODER, with_e5)
    link = model_folder(MULTILINGUAL_ENCODER, tiny_settings)
    if not link.exists():  # else a page has had it brought
        link.symlink_to(real)
    engine._table.load(MULTILINGUAL_ENCODER).result(timeout=180)
    yield real
    if link.is_symlink():
        link.unlink()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat sat on the mat", DEFAULT_ENCODER),
        (JOURNEY, MULTILINGUAL_ENCODER),
        ("東京へ行く", MULTILINGUAL_ENCODER),
        ("Привет", MULTILINGUAL_ENCODER),
        ("1 + 1 😀", DEFAULT_ENCODER),
        ("", DEFAULT_ENCODER),
    ],
)
def test_the_encoder_follows_the_script(
    text: str,
    expected: str,
    with_minilm: Settings,
    tiny_engine: SharedEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    infos = tiny_engine.get(timeout_s=180).models()
    here = [replace(info, state="waiting") for info in infos]
    monkeypatch.setattr(compute, "models", lambda: here)
    assert roles.encoder_of(text) == expected
    missing = [replace(info, state="absent") for info in infos]
    monkeypatch.setattr(compute, "models", lambda: missing)
    assert roles.encoder_of(text) == DEFAULT_ENCODER


def test_an_encoder_of_the_teacher_reads_every_text(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "settings", lambda: tiny_settings)
    assert roles.encoder_of(JOURNEY) == tiny.BERT


def test_only_the_family_of_e5_has_prefixes() -> None:
    found = {
        model_id: entry.prefixes for model_id, entry in catalogue(Settings()).items() if entry.prefixes.text
    }
    assert {model_id: (one.text, one.query) for model_id, one in found.items()} == dict.fromkeys(
        (MULTILINGUAL_ENCODER, "intfloat/multilingual-e5-base"), ("passage: ", "query: ")
    )


def test_close_vectors_are_said_to_be_close() -> None:
    assert cosines_in_words(np.array([[1, 0.4], [0.4, 1]], np.float32)) == ""
    assert cosines_in_words(np.ones((1, 1), np.float32)) == ""
    assert "between 0.70 and 0.90" in cosines_in_words(
        np.array([[1, 0.7, 0.8], [0.7, 1, 0.9], [0.8, 0.9, 1]], np.float32)
    )


@pytest.mark.real
def test_korean_sentences_are_read_by_e5_as_its_makers_read_them(
    e5_is_here: Path, open_app: OpenApp, tmp_path: Path
) -> None:
    query = "쥐를 잡는 동물"
    app = open_app("embeddings", lang="ko", emb_view="sentences", emb_query=query)
    assert not app.exception
    captions = " ".join(caption.value.replace("\\", "") for caption in app.caption)
    assert MULTILINGUAL_ENCODER in captions
    assert "`passage:`" in captions
    assert "코사인 값이 모두 0.80에서 0.93 사이" in captions
    sent = sent_to_map(app)
    animals = [i for i, name in enumerate(sent["groups"]) if sent["names"][name] == "동물"]
    assert len(set(sent["near"]) & set(animals)) >= 4
    own = run_code(
        "embeddings_sentences",
        tmp_path,
        folder=str(e5_is_here),
        sentences=sent["labels"],
        query=query,
        max_tokens=512,
        before_text="passage: ",
        before_query="query: ",
    )
    assert [row for row, _cosine in own["hits"]] == sent["near"]
    shown = app.dataframe[0].value["cosine"].tolist()
    assert [cosine for _row, cosine in own["hits"]] == pytest.approx(shown, abs=6e-4)


@pytest.mark.real
def test_a_korean_word_parts_by_meaning_in_e5(e5_is_here: Path, open_app: OpenApp) -> None:
    link = {"lang": "ko", "emb_view": "context", "emb_sample": "눈", "emb_reader": MULTILINGUAL_ENCODER}
    app = open_app("embeddings", **link, emb_layer_12="8")
    assert not app.exception
    assert any(MULTILINGUAL_ENCODER in caption.value.replace("\\", "") for caption in app.caption)
    told = " ".join(markdown.value for markdown in app.markdown)
    score = re.search(r"레이어 8에서 뜻의 분리 점수는 ([\d.-]+)", told)
    assert score is not None
    assert float(score[1]) > 0.3


def test_sentences_that_the_chosen_model_cannot_read_go_to_one_that_can(
    with_minilm: Settings, tiny_engine: SharedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    infos = {info.model_id: info for info in tiny_engine.get(timeout_s=180).models()}
    infos[MULTILINGUAL_ENCODER] = replace(infos[MULTILINGUAL_ENCODER], state="waiting")
    monkeypatch.setattr(compute, "models", lambda: list(infos.values()))
    english, unknown = replace(infos[tiny.GPT2], languages=("en",)), infos[tiny.GPT2]

    def first(model: ModelInfo, text: str) -> str:
        context: Any = SimpleNamespace(model=model)
        return next(iter(contexts._models(context, text)))

    assert first(english, "눈이 온다") == MULTILINGUAL_ENCODER
    assert first(english, "It snows") == tiny.GPT2
    assert first(unknown, "눈이 온다") == tiny.GPT2
