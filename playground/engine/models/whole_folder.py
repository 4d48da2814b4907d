"""Model folders that are whole or not there: written beside, sealed, renamed; one writer at a time.

The seal is what `playground.json` says of the other files: their sizes and SHA-256. At every start sizes are
compared, and the hashes of what is small; `damage` reads every byte.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from filelock import FileLock
from safetensors import SafetensorError, safe_open

from playground.errors import CannotWrite, DiskFull, FileLimit, Message

if TYPE_CHECKING:
    from numpy.typing import NDArray

Progress = Callable[[Message, float], None]  # what happens, and how far it is, 0..1

METADATA = "playground.json"
_MARGIN_BYTES = 50 * 10**6
_CLOCK_NS = 2 * 10**9  # coarsest clock of a file system (FAT): two changes within it may look like one
_FileAsItIs = tuple[str, int, int, int]  # name, bytes, time of its last change in ns, inode
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


def is_model_folder(folder: Path) -> bool:
    """True if a whole transformers folder with safetensors weights lies there, as far as a quick look shows.

    A folder without a seal (from somebody's hand, or an older version's) is judged by what its files say of
    themselves: JSON that can be read, weights as long as their own header announces. It is looked at once as
    long as no file of it changes: pages ask at every rerun.
    """
    try:
        files = tuple(sorted(map(_as_it_is, os.scandir(folder))))
    except OSError:  # there is none, or a file is leaving
        return False
    changed_ns = max((one[2] for one in files), default=0)
    look = _is_whole if time.time_ns() - changed_ns > _CLOCK_NS else _is_whole.__wrapped__
    return look(folder, files)


def _as_it_is(entry: os.DirEntry[str]) -> _FileAsItIs:
    stat = entry.stat()
    return entry.name, stat.st_size, stat.st_mtime_ns, stat.st_ino


@lru_cache
def _is_whole(folder: Path, files: tuple[_FileAsItIs, ...]) -> bool:
    names = [name for name, *_stat in files]
    has_weights = any(name.endswith(".safetensors") for name in names)
    return "config.json" in names and has_weights and not _broken(folder)


def damage(folder: Path) -> str:
    """The first file of a model folder that is not as written, read to its last byte; "" if none is."""
    return _broken(folder, thorough=True)


def origin(folder: Path) -> dict[str, Any]:
    """Origin of the model, from `playground.json`; {} if it is missing or cannot be read."""
    try:
        return _json_object(folder / METADATA)
    except (OSError, ValueError):
        return {}


def discard(folder: Path) -> None:
    """Throw a damaged model folder away, so that it is made or downloaded anew."""
    with writing(folder, 0):
        shutil.rmtree(folder)


@contextmanager
def whole_folder(folder: Path, size_bytes: int, *, keep_partial: bool = False) -> Iterator[Path | None]:
    """Give a temporary folder that becomes `folder` when the block ends well.

    A second process waits for the first one and then finds the folder there. What a killed process left
    lies under `partial/`, never under the model's name. A damaged folder is replaced.

    Args:
        folder: Folder for the finished model.
        size_bytes: Space it needs on the disk.
        keep_partial: Leave the files of a failed attempt for the next one (a download continues).

    Yields:
        The folder to write into; None when the model is there by now and nothing is to be done.

    Raises:
        DiskFull: Before or while writing.
        CannotWrite: The cache folder is not ours to write into.
        FileLimit: Files may not grow so large.
    """
    partial = folder.parent.parent / "partial" / folder.name
    with writing(folder, size_bytes):
        partial.parent.mkdir(parents=True, exist_ok=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(partial.with_name(partial.name + ".lock")):
            if is_model_folder(folder):
                yield None
                return
            yield from _write(folder, partial, size_bytes, keep_partial)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file of the cache folder and the folders above it: whole, or not at all.

    Raises:
        DiskFull, CannotWrite, FileLimit: As in `writing`.
    """
    with writing(path, len(data)):
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.with_name(f"{path.name}.{uuid4().hex}")
        try:
            whole.write_bytes(data)
            whole.replace(path)
        finally:
            with suppress(OSError):
                whole.unlink(missing_ok=True)


@contextmanager
def writing(path: Path, size_bytes: int) -> Iterator[None]:
    """Say in a sentence why something of this size cannot be written to a path of the cache folder.

    Raises:
        DiskFull: The disk, or this account's share of it, is full.
        CannotWrite: The folder is read-only or belongs to another account.
        FileLimit: Files may not grow so large.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            there = next(place for place in path.parents if place.exists())
            free_mb = shutil.disk_usage(there).free // 10**6
            raise DiskFull(needed_mb=(size_bytes + _MARGIN_BYTES) // 10**6, free_mb=free_mb) from error
        if error.errno == errno.EFBIG:
            raise FileLimit(needed_mb=size_bytes // 10**6) from error
        if error.errno in _FORBIDDEN:
            raise CannotWrite(reason=os.strerror(error.errno)) from error
        raise


def _write(folder: Path, partial: Path, size_bytes: int, keep_partial: bool) -> Iterator[Path]:
    if not keep_partial:
        shutil.rmtree(partial, ignore_errors=True)
    already = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
    if shutil.disk_usage(partial.parent).free < size_bytes - already + _MARGIN_BYTES:
        raise OSError(errno.ENOSPC, "No space left on device")
    try:
        partial.mkdir(exist_ok=True)
        yield partial
        seal(partial)
        shutil.rmtree(folder, ignore_errors=True)  # damaged, or without weights, from somebody's hand
        partial.rename(folder)
    finally:
        if not keep_partial:
            shutil.rmtree(partial, ignore_errors=True)


def seal(folder: Path) -> None:
    """Note size and SHA-256 of every file in `playground.json`, beside where the model came from."""
    files = {
        path.name: {"size": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(folder.iterdir())
        if path.name != METADATA
    }
    whole = json.dumps({**origin(folder), "files": files}, indent=2) + "\n"
    (folder / METADATA).write_text(whole, "utf-8")


def weight_names(folder: Path) -> set[str]:
    """Names of all weights in a model folder, from the files' headers.

    Raises:
        ValueError: A file is damaged.
    """
    names: set[str] = set()
    for path in folder.glob("*.safetensors"):
        try:
            with safe_open(path, framework="numpy") as weights:
                names.update(weights.keys())
        except SafetensorError as error:
            raise ValueError(f"{path.name} holds no weights") from error
    return names


def _broken(folder: Path, *, thorough: bool = False) -> str:
    """The first file that is not as written, or that does not fit what it says of itself; "" if none."""
    try:
        noted = _json_object(folder / METADATA) if (folder / METADATA).is_file() else {}
        sealed: dict[Path, tuple[int, str]] = {
            folder / name: (int(note["size"]), str(note["sha256"]))
            for name, note in noted.get("files", {}).items()
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        return METADATA
    for path, (size_bytes, sha256) in sealed.items():
        if not path.is_file() or path.stat().st_size != size_bytes:
            return path.name
        if (thorough or path.suffix != ".safetensors") and sha256_of(path) != sha256:
            return path.name
    own = [path for path in sealed if path.suffix == ".safetensors"] or sorted(folder.iterdir())
    return next((path.name for path in own if not _fits_itself(path)), "")


def _fits_itself(path: Path) -> bool:
    """True if JSON can be read, and weights are as long as their header announces."""
    try:
        if path.suffix == ".json":
            _json_object(path)
        elif path.suffix == ".safetensors":
            with safe_open(path, framework="numpy"):
                pass
    except (ValueError, SafetensorError):  # JSON that ends early, or bytes that are not text, are ValueErrors
        return False
    return True


def _json_object(path: Path) -> dict[str, Any]:
    values = json.loads(path.read_text("utf-8"))
    if not isinstance(values, dict):
        raise ValueError(f"{path.name} holds no JSON object")
    return values


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a small file for people and machines."""
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", "utf-8")


def write_weights(path: Path, tensors: dict[str, NDArray[Any]]) -> None:
    """Write a safetensors file for PyTorch.

    Args:
        path: The file.
        tensors: Name -> values, of any shape.

    Raises:
        OSError: The disk's own complaint, which safetensors wraps: "... (os error 28)".
    """
    from safetensors.numpy import save_file

    try:
        save_file(tensors, path, metadata={"format": "pt"})
    except SafetensorError as error:
        code = re.search(r"os error (\d+)", str(error))
        raise OSError(int(code[1]) if code else errno.EIO, str(error)) from error
