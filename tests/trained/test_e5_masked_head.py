"""The shipped masked-LM head: what its note says is true, and its script makes it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from playground.engine.models import whole_folder
from playground.engine.models.catalogue import shipped_figures
from playground.engine.models.shipped import shipped_head, trained_assets
from playground.settings import MULTILINGUAL_ENCODER, Settings
from playground.trained import e5_masked_head as script
from playground.trained.masked_texts import Sentence, cut, is_held_out, one_word_masked, some_masked
from playground.trained.scripts import SCRIPTS

FOLDER = trained_assets() / script.NAME
LINES = (FOLDER / script.SENTENCES).read_text("utf-8").splitlines()
MAX_BYTES = 10**6


def of(language: str, lines: list[str]) -> list[str]:
    return [line for line in lines if Sentence(line, (), ()).language == language]


@cache
def shipped(cache_dir: Path) -> script.Encoder:
    encoder = script.read_encoder(Settings(cache_dir=cache_dir, device="cpu", HF_HUB_OFFLINE=True))
    missing, unexpected = encoder.model.load_state_dict(load_file(FOLDER / "model.safetensors"), strict=False)
    assert unexpected == []
    assert not any(name.startswith("cls.predictions.transform") for name in missing)
    return encoder


def test_every_byte_of_the_head_is_in_its_note() -> None:
    said = json.loads((FOLDER / whole_folder.METADATA).read_text("utf-8"))
    weights = shipped_head(MULTILINGUAL_ENCODER)
    assert weights == FOLDER / "model.safetensors"
    assert said["revision"] == said["files"]["model.safetensors"]["sha256"] == whole_folder.sha256_of(weights)
    assert said["files"].keys() == {path.name for path in FOLDER.iterdir()} - {whole_folder.METADATA}
    assert weights.stat().st_size <= MAX_BYTES
    assert said["source"] == f"python -m playground.trained {FOLDER.name}"
    assert (said["script"], said["seed"]) == (script.__name__, script.SEED)
    assert FOLDER.name in SCRIPTS


def test_held_out_sentences_are_no_training_text() -> None:
    assert len(set(LINES)) == len(LINES)
    held = [line for line in LINES if is_held_out(line)]
    assert len(held) == pytest.approx(len(LINES) / 8, rel=0.1)
    said = shipped_figures(MULTILINGUAL_ENCODER)
    assert said["n_sentences"] == len(LINES) - len(held)
    assert shipped_figures("gpt2") == {}
    for language in ("en", "ko"):
        assert said[f"n_words_held_out_{language}"] > 100
        assert len(of(language, held)) > 100


@pytest.mark.real
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_shipped_head_fills_held_out_masks_as_its_note_says(with_e5: Settings, language: str) -> None:
    encoder, said = shipped(with_e5.cache_dir), shipped_figures(MULTILINGUAL_ENCODER)
    held = cut([line for line in of(language, LINES) if is_held_out(line)], encoder.tokenizer)
    found = script.measured(encoder, held)
    assert found == {
        name: pytest.approx(said[name], rel=1e-3, abs=0.005) for name in said if name.endswith(f"_{language}")
    }
    assert said[f"accuracy_{language}"] > 1.5 * said[f"most_frequent_{language}"]


@pytest.mark.real
def test_its_script_writes_a_whole_head_that_has_learnt(
    with_e5: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [*of("en", LINES)[100:140], *of("ko", LINES)[100:140]]
    (tmp_path / script.NAME).mkdir()
    (tmp_path / script.NAME / script.SENTENCES).write_text("\n".join(lines) + "\n", "utf-8")
    monkeypatch.setattr(script, "trained_assets", lambda: tmp_path)
    monkeypatch.setattr(script, "Settings", lambda **_: with_e5)
    monkeypatch.setattr(script, "N_PASSES", 1)
    monkeypatch.setattr(script, "N_EPOCHS", 12)
    said: list[str] = []
    SCRIPTS[script.NAME](tmp_path, said.append)
    folder = tmp_path / script.NAME
    assert whole_folder.damage(folder) == ""
    assert {path.name for path in folder.iterdir()} == {path.name for path in FOLDER.iterdir()}
    shapes = {name: value.shape for name, value in load_file(folder / "model.safetensors").items()}
    assert shapes == {name: value.shape for name, value in load_file(FOLDER / "model.safetensors").items()}
    epochs = [float(line.rpartition(" ")[2]) for line in said if line.startswith("epoch")]
    assert epochs[-1] < epochs[0]


@pytest.mark.real
def test_the_same_seed_gives_the_same_head(with_e5: Settings) -> None:
    encoder = shipped(with_e5.cache_dir)
    before = {
        name: value.clone() for name, value in encoder.model.cls.state_dict().items() if "decoder" not in name
    }
    sentences = cut(LINES[:16], encoder.tokenizer)

    def head() -> list[float]:
        encoder.model.cls.load_state_dict(before, strict=False)
        masked = script.states_at_masks(encoder, sentences, some_masked, np.random.default_rng(3))
        return list(script.losses(encoder, masked.states, masked.tokens, 2, 3))

    try:
        assert head() == head()
    finally:
        encoder.model.cls.load_state_dict(before, strict=False)


@pytest.mark.real
def test_masks_cover_single_tokens_or_all_of_a_word(with_e5: Settings) -> None:
    sentence = cut(["나는 최근 파리 여행을 다녀왔다."], shipped(with_e5.cache_dir).tokenizer)[0]
    assert sentence.words == (-1, 0, 1, 2, 2, 3, 4, 4, 4, 4, -1)
    drawn = np.random.default_rng(0)
    seen = {tuple(one_word_masked(sentence, drawn)) for _ in range(60)}
    assert seen == {(1,), (2,), (3, 4), (5,), (6, 7, 8, 9)}
    masked = [some_masked(sentence, drawn) for _ in range(200)]
    assert all(1 <= len(places) <= 4 and 0 not in places and 10 not in places for places in masked)
    assert {place for places in masked for place in places} == set(range(1, 10))
    assert one_word_masked(Sentence("a b", (0, 1, 2, 3), (-1, 0, 1, -1)), drawn) == []


def test_ranks_and_bits_are_those_of_a_softmax() -> None:
    class Fixed(torch.nn.Module):
        def forward(self, states: torch.Tensor) -> torch.Tensor:
            return states

    logits = torch.tensor([[0.0, 1.0, 2.0, 0.5], [3.0, 0.0, 0.0, 0.0]])
    encoder: Any = type("Encoder", (), {"model": type("Model", (), {"cls": Fixed()})()})()
    masked = script.Masked(logits, torch.tensor([1, 0]), torch.tensor([0, 1]))
    ranks, bits = script._judged(encoder, masked)
    assert ranks.tolist() == [1, 0]
    wanted = -torch.log2(torch.softmax(logits, 1)[[0, 1], [1, 0]])
    torch.testing.assert_close(bits, wanted)
