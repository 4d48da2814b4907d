"""What stands under every picture: where its numbers come from; values, files and code to take away."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from playground.core.trace import Trace
from playground.engine import catalogue
from playground.engine.base import ModelInfo
from playground.paths import site_root
from playground.ui.components.save_picture import save_picture
from playground.ui.state import settings
from playground.ui.text import _, plain

if TYPE_CHECKING:
    import pandas as pd


def provenance(trace: Trace, *, layer: int | None = None, head: int | None = None) -> None:
    """Draw the small line that says where a picture's numbers come from."""
    words = [trace.model_id, _("revision {hash}").format(hash=trace.revision[:12])]
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
        model: It.
        *more: What else there is to say.
    """
    revision = _("revision {hash}").format(hash=model.revision[:12])
    st.caption(plain(" · ".join([model.model_id, revision, model.dtype, model.device, *more])))


def under_picture(
    name: str,
    *,
    frame: pd.DataFrame | Callable[[], pd.DataFrame],
    code: str | Callable[[], str],
    picture: str | None = None,
) -> None:
    """Draw one row below a picture: values as a table, CSV, PNG and SVG, and the code that gives the numbers.

    Args:
        name: Of the picture; file names and widget keys start with it. Unique in the app, `[a-z_]+`.
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
            lambda: table().to_csv(index=False).encode(),
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
        name: Of the script.
        **values: Variable -> value, written with `repr`, so that no text can become code.

    Raises:
        KeyError: The script assigns no such variable.
    """
    script = _script(name)
    for variable, value in values.items():
        line = re.compile(rf"^{re.escape(variable)} = .*$", re.MULTILINE)
        if not line.search(script):
            raise KeyError(f"assets/code/{name}.py assigns no {variable}")
        script = line.sub(lambda _match, text=f"{variable} = {value!r}": text, script, count=1)  # type: ignore[misc]
    return script


def model_folder(model_id: str) -> str:
    """Where the shown code finds the model on this machine, `~` for the home folder."""
    folder = catalogue.model_folder(model_id, settings())
    home = Path.home()
    return f"~/{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else str(folder)


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
        key: Of the container around the chart (a chart alone leaves no trace of its key in the page); also
            the `picture` of `under_picture`.
        alt: What the picture shows, in words, for those who do not see it.
        data: Of a Vega-Lite specification.
    """
    with st.container(key=key):
        if isinstance(chart, dict):
            st.vega_lite_chart(data, chart, key=f"{key}_chart", alt=alt)
        else:
            st.altair_chart(cast("Any", chart), key=f"{key}_chart", alt=alt)


def html_frame(html: str, height: int, alt: str) -> None:
    """Draw a whole page in a frame, for a library that wants a document of its own.

    Args:
        html: Of our own making: what readers wrote stands in it as data only. It may do what this page may.
        height: In pixels.
        alt: What the picture shows, in words.
    """
    st.iframe(html, height=height, alt=alt)


@lru_cache
def _script(name: str) -> str:
    return (site_root() / "assets" / "code" / f"{name}.py").read_text("utf-8")
