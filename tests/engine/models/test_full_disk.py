"""A disk that is full, or not ours, while the server runs: one sentence, and no half file stays."""

from __future__ import annotations

import errno
import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.decoding import product_times
from playground.engine.decoding.products import Products
from playground.engine.models import named_tokenizers
from playground.engine.models.named_tokenizers import UNIGRAM, NamedTokenizers
from playground.errors import CannotWrite, DiskFull, FileLimit, PlaygroundError
from playground.settings import Settings
from tests import tiny
from tests.engine.collections_built import ENGLISH, built, document, request
from tests.engine.training.learning import run_of, trained


def _no_model(_model_id: str) -> None: ...


def of(settings: Settings) -> NamedTokenizers:
    return NamedTokenizers(settings, _no_model)  # type: ignore[arg-type]


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


@contextmanager
def fails_halfway(code: int) -> Iterator[None]:
    """A disk that takes the first bytes of a file and no more."""
    real = Path.write_bytes

    def half(path: Path, data: bytes) -> int:
        real(path, data[:100])
        raise OSError(code, "a test's")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", half)
        yield


SENTENCES: dict[int, type[PlaygroundError]] = {
    errno.ENOSPC: DiskFull,
    errno.EROFS: CannotWrite,
    errno.EFBIG: FileLimit,
}


@pytest.mark.parametrize("code", SENTENCES)
@pytest.mark.parametrize("name", [UNIGRAM, "o200k_base"])
def test_a_tokenizer_that_cannot_be_kept_is_one_sentence_and_leaves_no_half_file(
    empty_settings: Settings, name: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named_tokenizers, "train_unigram", lambda *_args: "{}" * 1_000)
    with fails_halfway(code), pytest.raises(SENTENCES[code]):
        of(empty_settings).tokenize(name, "a text", add_special_tokens=False)
    assert files_below(empty_settings.cache_dir) == []


def test_times_of_products_that_cannot_be_kept_are_used_all_the_same(
    empty_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    empty_settings.cache_dir.mkdir()
    (empty_settings.cache_dir / "products").write_text("a file where the folder would be", "utf-8")
    products, weight = Products(empty_settings), torch.zeros(256, 256)
    shape = (256, 256)
    ways = products.for_weight(weight)
    times = dict.fromkeys(products._ways, 1.0) | {"turned": 0.5}
    with caplog.at_level(logging.WARNING):
        products._take({(shape, rows): times for rows in (1, 4, 12, 30)})
    assert "are not kept" in caplog.text
    assert ways[1] is products._ways["turned"]
    assert product_times.read(product_times.Machine.here(empty_settings).file(empty_settings),
                              product_times.Machine.here(empty_settings)) == {}  # fmt: skip


@contextmanager
def no_file_grows() -> Iterator[None]:
    """For real: this process may not write a byte into any file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _train_and_save(engine: Engine) -> None:
    state = trained(engine, run_of(1, n_steps=2))  # type: ignore[arg-type]
    assert state.status == "done", state.error
    assert engine.adapters.exported(state.adapter, {})[:2] == b"PK"


def _import(engine: Engine) -> None:
    state = trained(engine, run_of(2, n_steps=2))  # type: ignore[arg-type]
    data = engine.adapters.exported(state.adapter, {})
    assert engine.adapters.imported(tiny.LLAMA, "mine.zip", data, "reader")


def _collect(engine: Engine) -> None:
    assert engine.retrieval.info(built(engine, request("r", document("a", ENGLISH))), "r").n_chunks


@pytest.mark.parametrize("work", [_train_and_save, _import, _collect], ids=lambda work: work.__name__)
def test_what_readers_make_needs_no_disk(tiny_settings: Settings, work: Callable[[Engine], None]) -> None:
    """Adapters, their files and collections live in memory: nothing of a reader is lost, or written."""
    engine = create_engine(tiny_settings)
    try:
        with no_file_grows():
            work(engine)
    finally:
        engine.close()
