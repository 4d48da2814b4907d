"""Browser components (components v2): one folder each, Python beside a plain ES module and its style."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_HERE = Path(__file__).parent
# A failed import is remembered by the browser under its address.
_FETCH: Final = """const at = new URL({address}, location.origin).href;
const module = await import(at).catch(() => import(`${{at}}?again`));
export default module.default;
"""
_modules: dict[str, str] = {}  # address -> source, one for each component
_served_below: list[str] = []  # the address, once there is a server of ours


def serve_below(address: str) -> Mapping[str, str]:
    """Let browsers fetch scripts once from below `address`: Streamlit would send them with every run.

    Args:
        address: Absolute path; comes before the components are imported.

    Returns:
        Address -> source of each module; grows as components are imported.
    """
    _served_below[:] = [address]
    return MappingProxyType(_modules)


def script(*names: str) -> str:
    """One ES module: `dom.js`, which all share, then these files of this folder, named without suffix.

    Returns:
        The source, or, where a server of ours has it, a line that fetches it.
    """
    source = _joined(("dom", *names), "js")
    if not _served_below:
        return source
    address = f"{_served_below[0]}/{sha256(source.encode()).hexdigest()[:16]}.js"
    _modules[address] = source
    return _FETCH.format(address=json.dumps(address))


def style(*names: str) -> str:
    """One style sheet out of these files of this folder, named without suffix."""
    return _joined(names, "css")


def packed(head: Mapping[str, Any], *arrays: NDArray[Any]) -> bytes:
    """One block of bytes: length of the JSON head, the head, the arrays row after row in their own types.

    Arrays have any shape. The same view is the same bytes, and then Streamlit sends a hash of them only.
    """
    encoded = json.dumps(head).encode()
    rows = [np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes() for array in arrays]
    return b"".join([struct.pack("<I", len(encoded)), encoded, *rows])


def _joined(names: tuple[str, ...], suffix: str) -> str:
    return "\n".join((_HERE / f"{name}.{suffix}").read_text("utf-8") for name in names)
