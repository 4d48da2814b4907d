"""What a page shows, read back: the code under a picture run, the bytes of a component taken apart."""

from __future__ import annotations

import contextlib
import io
import json
import re
import runpy
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from streamlit.testing.v1 import AppTest

from playground.engine.models.catalogue import places_of
from playground.engine.models.families.table import FAMILIES
from playground.settings import Settings
from playground.ui import show

HALF = "\ufffd"  # what the shown code writes for a character that a text only begins; the page writes nothing


def upload(app: AppTest, key: str, name: str, data: bytes, *, use: bool = True) -> AppTest:
    """Give a file to the field `key` and use what its preview shows."""
    (field,) = [one for one in app.get("file_uploader") if (one.key or "").startswith(key)]
    field.set_value((name, data, "application/octet-stream")).run()
    if use:
        app.button(key=f"{key}_use").click().run()
    assert not app.exception
    return app


def run_code(name: str, tmp_path: Path, **values: object) -> dict[str, Any]:
    """Run what the page shows, with the places of parts inside the model of its folder; its variables."""
    return run_script(show.code(name, **_places(name, values) | values), tmp_path)[0]


def _places(name: str, values: Mapping[str, object]) -> dict[str, object]:
    config = Path(str(values.get("folder", ""))) / "config.json"
    if not config.is_file():
        return {}
    family = json.loads(config.read_text("utf-8"))["model_type"]
    asked = re.findall(r"^(\w+) = ", show.code(name), re.MULTILINE)
    known = places_of(family) | {"is_causal": FAMILIES[family].kind == "decoder"}
    return {place: known[place] for place in asked if place in known}


def run_script(script: str, tmp_path: Path) -> tuple[dict[str, Any], str]:
    """Run a script; its variables and what it printed."""
    file = tmp_path / "shown.py"
    file.write_text(script, "utf-8")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        return runpy.run_path(str(file)), printed.getvalue()


def folder(settings: Settings, model: str) -> str:
    """Where a tiny model lies."""
    return str(settings.cache_dir / "models" / model.replace("/", "--"))


def unpacked(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON head of a block of bytes, and the numbers after it."""
    (length,) = struct.unpack("<I", data[:4])
    return dict(json.loads(data[4 : 4 + length])), data[4 + length :]


def drawn(app: AppTest, component: str) -> tuple[dict[str, Any], bytes]:
    """What one component of the page got."""
    assert not app.exception
    found = [element.proto for element in app.get("bidi_component")]
    return unpacked(next(proto.bytes for proto in found if proto.component_name == f"playground.{component}"))


def charts(app: AppTest) -> list[pd.DataFrame]:
    """The rows of every chart, in the page's order."""
    found = []
    for element in app.get("vega_lite_chart"):
        proto = element.proto
        data = proto.datasets[0].data.data if proto.datasets else proto.data.data
        found.append(pa.ipc.open_stream(data).read_pandas())
    return found
