"""The lines under every picture: the source of its numbers; values, files and code to take away."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from playground.core.files.table import csv_bytes
from playground.core.trace import Trace
from playground.engine.contract.models import AdapterName, ModelInfo
from playground.engine.contract.pretraining import MODEL_PREFIX
from playground.engine.models import catalogue
from playground.paths import site_root
from playground.ui import adapters, projector
from playground.ui.components.save_picture import save_picture
from playground.ui.state import settings
from playground.ui.text import _, plain

PADDING = {"right": 14}  # pixels of a chart: half of the last label of its axis
if TYPE_CHECKING:
    import pandas as pd


def provenance(trace: Trace, *, layer: int | None = None, head: int | None = None) -> None:
    """Draw the small line that says where a picture's numbers come from.

    Args:
        trace: The trace whose numbers are shown.
        layer: Layer as pages count: 1 is the first block, 0 the embedding.
        head: Counted from 1.
    """
    words = [
        *_named(trace.model_id, trace.adapter or ""),
        _("revision {hash}").format(hash=trace.revision[:12]),
    ]
    if layer is not None:
        words.append(_("layer {number}").format(number=layer))
    if head is not None:
        words.append(_("head {number}").format(number=head))
    words += [trace.dtype, trace.device, f"{trace.elapsed_ms:.0f} ms"]
    words.append(_("from the cache") if trace.cached else _("computed now"))
    st.caption(plain(" · ".join(words)))


def source(model: ModelInfo, *more: str) -> None:
    """Draw the small line that says which model gave a picture's numbers.

    Args:
        model: The model.
        *more: Further parts of the line.
    """
    revision = _("revision {hash}").format(hash=model.revision[:12])
    named = _named(model.model_id, model.adapter)
    st.caption(plain(" · ".join([*named, revision, model.dtype, model.device, *more])))


def other_settings(made: Mapping[str, object], now: Mapping[str, object]) -> None:
    """Say that a result was made with other settings than those that stand above it; nothing if it was not.

    Args:
        made: Name of each setting -> its value for the result.
        now: Name of each setting -> its value now; settings that `made` does not name do not count.
    """
    others = {name: value for name, value in made.items() if value != now[name]}
    if others:
        told = _("Made with other settings than those above: {settings}.")
        st.caption(f":material/history: {told.format(settings=listed(others))}")


def listed(settings: Mapping[str, object]) -> str:
    """Settings in one line: how each is called, and what it is."""
    words = [
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in settings.items()
    ]
    return plain(", ".join(words))


def _named(model_id: str, adapter: str) -> list[str]:
    """The base, and what is added to it, called as in every list: by its name, run and steps."""
    name = AdapterName.of(model_id)
    if not name.adapter_id:
        return [adapters.names().get(name.base_id, name.base_id)]
    called = adapters.names().get(f"{name.base_id}+{name.adapter_id}", adapter)
    told = _("adapter {name} at {percent:.0%}").format(name=called, percent=name.strength)
    return [name.base_id, told]


def under_picture(
    name: str,
    *,
    frame: pd.DataFrame | Callable[[], pd.DataFrame],
    code: str | Callable[[], str],
    picture: str | None = None,
) -> None:
    """Draw one row below a picture: values as a table, CSV, PNG and SVG, and the code that gives the numbers.

    Args:
        name: Name of the picture; file names and widget keys start with it. Unique in the app, `[a-z_]+`.
        frame: The numbers the picture shows, or what makes them when somebody asks.
        code: From `code`, or what makes it when somebody asks.
        picture: Key of the element or container that holds the picture, for PNG and SVG; None where the
            picture's own component saves itself.
    """

    def table() -> pd.DataFrame:
        return frame() if callable(frame) else frame

    with st.container(horizontal=True, gap="small", key=f"{name}_under"):
        values = st.popover(_("Values"), icon=":material/table:", key=f"{name}_values", on_change="rerun")
        if values.open:
            values.dataframe(table(), hide_index=True)
        st.download_button(
            _("CSV"),
            lambda: csv_bytes(table()),
            f"{name}.csv",
            "text/csv",
            key=f"{name}_csv",
            on_click="ignore",
            icon=":material/download:",
        )
        if picture is not None:
            save_picture(picture, file_name=name, png=_("PNG"), svg=_("SVG"), key=f"{name}_save")
        shown = st.popover(_("Show the code"), icon=":material/code:", key=f"{name}_code", on_change="rerun")
        if shown.open:
            script = code() if callable(code) else code
            shown.code(script, language="python")
            shown.download_button(
                _("Download the code"),
                script,
                f"{name}.py",
                "text/x-python",
                on_click="ignore",
                key=f"{name}_py",
            )


def code(name: str, **values: object) -> str:
    r"""The script `assets/code/<name>.py` with the right-hand sides of its first assignments replaced.

    Args:
        name: Name of the script.
        **values: Variable -> value, written with `repr`, so that no text can become code.

    Raises:
        KeyError: The script assigns no such variable.
    """
    script = _script(name)
    if any(map(_has_adapter, values.values())):
        script = _with(script, "merging")
    for variable, value in values.items():
        line = re.compile(rf"^{re.escape(variable)} = .*$", re.MULTILINE)
        if not line.search(script):
            raise KeyError(f"assets/code/{name}.py assigns no {variable}")
        script = line.sub(lambda _match, text=f"{variable} = {value!r}": text, script, count=1)  # type: ignore[misc]
    return script


class MergedFolder(str):
    """In the shown code, a folder made there: a base with an adapter, which the reader downloads, added."""

    call: str

    def __new__(cls, base: str, adapter: str, strength: float) -> MergedFolder:
        """Remember how the code makes it."""
        made = super().__new__(cls, base)
        made.call = f"merged({base!r}, {adapter!r}, {strength!r})"
        return made

    def __repr__(self) -> str:
        return self.call


def places(model: ModelInfo, *names: str) -> dict[str, str | int]:
    """Names of parts inside the model, for the shown code: variable -> dotted path."""
    known = catalogue.places_of(model.family)
    return {name: known[name] for name in names}


def model_folder(model_id: str) -> str:
    """Folder in which the shown code finds the model on this machine, `~` for the home folder.

    A model with an adapter is merged by the code, out of the adapter's downloaded folder; one that was
    trained from zero is downloaded on its page.
    """
    name = AdapterName.of(model_id)
    if name.base_id.startswith(MODEL_PREFIX):
        base = f"~/Downloads/{name.base_id.replace('/', '-')[:18]}"
    else:
        folder, home = catalogue.model_folder(name.base_id, settings()), Path.home()
        base = f"~/{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else str(folder)
    return MergedFolder(base, adapter_folder(model_id), name.strength) if name.adapter_id else base


def adapter_folder(model_id: str) -> str:
    """Folder in which the shown code looks for a downloaded adapter, unpacked."""
    return f"~/Downloads/adapter-{AdapterName.of(model_id).adapter_id[:8]}"


def show_chart(
    chart: object,
    key: str,
    alt: str,
    *,
    data: pd.DataFrame | None = None,
) -> None:
    """Draw a chart. A Vega-Lite dict with its data apart is the fast way: constant spec, changing data.

    Args:
        chart: An Altair chart, or a Vega-Lite specification as a dict.
        key: Key of the container around the chart (a chart alone leaves no trace of its key on the page);
            also the `picture` of `under_picture`.
        alt: Description of the picture, for readers who do not see it.
        data: Rows of a Vega-Lite specification.
    """
    with st.container(key=key):
        if isinstance(chart, dict):
            st.vega_lite_chart(
                data, {"padding": PADDING} | projector.enlarged(chart), key=f"{key}_chart", alt=alt
            )
        else:
            st.altair_chart(cast("Any", chart).properties(padding=PADDING), key=f"{key}_chart", alt=alt)


@lru_cache
def _script(name: str) -> str:
    folder = site_root() / "assets" / "code"
    script = (folder / f"{name}.py").read_text("utf-8")
    for line, part in re.findall(r"^(from (\w+) import \w+\n)", script, re.MULTILINE):
        if (folder / f"{part}.py").exists():
            script = _with(script.replace(line, ""), part)
    return script


def _has_adapter(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_adapter, value.values()))
    return (
        any(map(_has_adapter, value)) if isinstance(value, list | tuple) else isinstance(value, MergedFolder)
    )


def _with(script: str, part: str) -> str:
    """The script with the function of another file, before its first assignment."""
    first = re.search(r"^[a-z_]+ = ", script, re.MULTILINE)
    place = first.start() if first else len(script)
    return f"{script[:place]}{_script(part).rstrip()}\n\n\n{script[place:]}"
