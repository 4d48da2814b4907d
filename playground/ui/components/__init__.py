"""Browser components (components v2): a folder each, Python beside a plain ES module and its style."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HERE = Path(__file__).parent


def script(*names: str) -> str:
    """One ES module: `dom.js`, which all share, then these files of this folder, named without suffix."""
    return _joined(("dom", *names), "js")


def style(*names: str) -> str:
    """One style sheet out of these files of this folder, named without suffix."""
    return _joined(names, "css")


def packed(head: Mapping[str, Any], *arrays: NDArray[Any]) -> bytes:
    """One block of bytes: length of the JSON head, the head, the arrays row after row in their own types.

    The same view is the same bytes, and then Streamlit sends a hash of them only.
    """
    encoded = json.dumps(head).encode()
    rows = [np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes() for array in arrays]
    return b"".join([struct.pack("<I", len(encoded)), encoded, *rows])


def _joined(names: tuple[str, ...], suffix: str) -> str:
    return "\n".join((_HERE / f"{name}.{suffix}").read_text("utf-8") for name in names)
