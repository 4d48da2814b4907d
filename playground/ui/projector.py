"""Large type for the projector, on every page of the session that wants it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from playground.ui.state import outlives_reload
from playground.ui.text import _

LARGE = "large_type"
ZOOM = 1.25
outlives_reload(LARGE)

# The page is enlarged as a whole, with the pictures of our own components. Vega's pictures are not: it takes
# the place of a pointer for that in an unscaled picture. They get larger words and thicker lines instead.
_STYLE = f"""<style>
[data-testid="stMainBlockContainer"] {{ zoom: {ZOOM}; padding-inline: 1.2rem; }}
[data-testid="stVegaLiteChart"] {{ zoom: {1 / ZOOM}; }}
</style>"""
_LARGER: dict[str, Any] = {
    "axis": {"labelFontSize": 16, "titleFontSize": 17},
    "header": {"labelFontSize": 16, "titleFontSize": 17},
    "legend": {"labelFontSize": 16, "titleFontSize": 17, "symbolSize": 160, "symbolStrokeWidth": 3},
    "title": {"fontSize": 18},
    "line": {"strokeWidth": 4},
    "text": {"fontSize": 16},
}


def is_large() -> bool:
    """True if this session wants large type."""
    return bool(st.session_state.get(LARGE))


def toggle() -> None:
    """Draw the switch."""
    st.toggle(
        _("Large type for the projector"), key=LARGE, persist_state="session",
        help=_("For this browser tab only. The class sees its own pages as before."),
    )  # fmt: skip


def style() -> None:
    """Make the page large where it is wanted."""
    if is_large():
        st.html(_STYLE)


def enlarged(chart: dict[str, Any]) -> dict[str, Any]:
    """A Vega-Lite specification with larger words and thicker lines where large type is wanted.

    What the chart itself says of a size stays.
    """
    if not is_large():
        return chart
    config = {name: dict(part) for name, part in _LARGER.items()}
    for name, part in chart.get("config", {}).items():
        config[name] = config.get(name, {}) | part if isinstance(part, dict) else part
    return chart | {"config": config}
