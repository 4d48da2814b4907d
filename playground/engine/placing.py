"""Model folders that are whole or not there: written beside, renamed at the end, one writer at a time."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from playground.errors import DiskFull

METADATA = "playground.json"
_MARGIN_BYTES = 50 * 10**6


def is_model_folder(folder: Path) -> bool:
    """Whether a plain transformers folder with safetensors weights lies there."""
    return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


@contextmanager
def placing(folder: Path, size_bytes: int, *, keep_partial: bool = False) -> Iterator[Path | None]:
    """Give a temporary folder that becomes `folder` when the block ends well.

    A second process waits for the first one and then finds the folder there. What a killed process left
    lies under `partial/`, never under the model's name.

    Args:
        folder: Where the finished model lies.
        size_bytes: Space it needs on the disk.
        keep_partial: Leave the files of a failed attempt for the next one (a download continues).

    Yields:
        The folder to write into; None when the model is there by now and nothing is to be done.

    Raises:
        DiskFull: Before or while writing.
    """
    partial = folder.parent.parent / "partial" / folder.name
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(partial.with_name(partial.name + ".lock")):
            if is_model_folder(folder):
                yield None
                return
            yield from _write(folder, partial, size_bytes, keep_partial)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full(folder, size_bytes) from error
        raise


def _write(folder: Path, partial: Path, size_bytes: int, keep_partial: bool) -> Iterator[Path]:
    if not keep_partial:
        shutil.rmtree(partial, ignore_errors=True)
    already = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
    if shutil.disk_usage(partial.parent).free < size_bytes - already + _MARGIN_BYTES:
        raise _disk_full(folder, size_bytes)
    try:
        partial.mkdir(exist_ok=True)
        yield partial
        shutil.rmtree(folder, ignore_errors=True)  # a folder without weights, from somebody's hand
        partial.rename(folder)
    finally:
        if not keep_partial:
            shutil.rmtree(partial, ignore_errors=True)


def _disk_full(folder: Path, size_bytes: int) -> DiskFull:
    free = shutil.disk_usage(folder.parent).free
    return DiskFull(
        folder=str(folder.parent), needed_mb=(size_bytes + _MARGIN_BYTES) // 10**6, free_mb=free // 10**6
    )
