"""The script trains, always the same, and what is shipped is what its note says."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from playground.core.pairs.dates import LANGUAGES, is_held_out
from playground.engine.models import whole_folder
from playground.engine.models.shipped import SHIPPED, shipped_folder
from playground.settings import DATES_MODEL
from playground.trained import dates_t5
from playground.trained.scripts import SCRIPTS

FOLDER = shipped_folder(DATES_MODEL)
TOKENIZER = dates_t5.tokenizer_of_dates()
MAX_BYTES = 10**6  # of the weights of a shipped model


def trained(n_steps: int, seed: int) -> list[float]:
    model = dates_t5.untrained(TOKENIZER, seed)
    return list(dates_t5.losses(model, TOKENIZER, n_steps, seed))


@cache
def shipped() -> Any:
    return AutoModelForSeq2SeqLM.from_pretrained(FOLDER).eval()


def note(model_id: str) -> dict[str, Any]:
    return dict(json.loads((shipped_folder(model_id) / whole_folder.METADATA).read_text("utf-8")))


def load_tokenizer_json(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "tokenizer.json").read_text("utf-8")))


def test_a_short_training_learns_and_is_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dates_t5, "N_WARM_UP", 5)
    monkeypatch.setattr(dates_t5, "BATCH_SIZE", 16)
    once = trained(40, dates_t5.SEED)
    assert sum(once[-5:]) < sum(once[:5]) / 2
    assert trained(2, dates_t5.SEED) == trained(2, dates_t5.SEED) != trained(2, 1)


def test_an_untrained_model_writes_no_date() -> None:
    model = dates_t5.untrained(TOKENIZER, dates_t5.SEED).eval()
    assert dates_t5.exact_match(model, TOKENIZER, dates_t5.judged("en", 50)) == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shipped_model_writes_held_out_dates_as_its_note_says(language: str) -> None:
    pairs = dates_t5.judged(language, 300)
    assert all(is_held_out(date.fromisoformat(pair.target)) for pair in pairs)
    said = note(DATES_MODEL)["figures"][f"exact_match_{language}"]
    found = dates_t5.exact_match(shipped(), TOKENIZER, pairs)
    assert said >= 0.99
    assert found == pytest.approx(said, abs=0.01)


@pytest.mark.parametrize("model_id", SHIPPED)
def test_every_byte_of_a_shipped_model_is_in_its_note(model_id: str) -> None:
    folder, said = shipped_folder(model_id), note(model_id)
    assert whole_folder.damage(folder) == ""
    assert said["files"].keys() == {path.name for path in folder.iterdir()} - {whole_folder.METADATA}
    assert said["revision"] == whole_folder.sha256_of(folder / "model.safetensors")
    assert (folder / "model.safetensors").stat().st_size <= MAX_BYTES
    assert said["versions"].keys() >= {"torch", "transformers"}
    assert said["source"] == f"python -m playground.trained {folder.name}"
    assert folder.name in SCRIPTS


def test_the_script_writes_a_whole_model_and_its_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dates_t5, "N_STEPS", 2)
    monkeypatch.setattr(dates_t5, "N_JUDGED", 4)
    said: list[str] = []
    SCRIPTS["dates-t5"](tmp_path, said.append)
    folder = tmp_path / "dates-t5"
    assert {path.name for path in folder.iterdir()} == {path.name for path in FOLDER.iterdir()}
    assert whole_folder.is_model_folder(folder)
    assert whole_folder.damage(folder) == ""
    made, lies = (load_tokenizer_json(place) for place in (folder, FOLDER))
    assert made["model"]["vocab"] == lies["model"]["vocab"], "the shipped model was trained with other tokens"
    assert said[-1].startswith("exact_match_en ")


def test_transformers_reads_the_shipped_tokenizer_as_it_was_trained() -> None:
    theirs = AutoTokenizer.from_pretrained(FOLDER)
    for text in ("3 May 2026", "2026년 5월 3일(일)", "２０２６년 5월 3일", "MAY 3, 2026", "Montag, 3. Mai"):
        assert theirs(text)["input_ids"] == TOKENIZER.encode(text).ids
    assert (theirs.pad_token_id, theirs.eos_token_id, theirs.unk_token_id) == (0, 1, 2)
    assert theirs.decode(theirs("2026-05-03")["input_ids"], skip_special_tokens=True) == "2026-05-03"


def test_a_character_that_no_date_has_is_unknown() -> None:
    known = {token for token in TOKENIZER.get_vocab() if len(token) == 1}
    assert set("0123456789 ,.()-년월일화수목금토요") <= known
    assert TOKENIZER.encode("x").tokens == ["<unk>", "</s>"]
    assert TOKENIZER.encode("강").tokens == ["<unk>", "</s>"]
