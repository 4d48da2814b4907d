"""From idea to product: the map of a project, what decides, every run in a log, drift, what is watched."""

from __future__ import annotations

from playground.ui.frame import Drawn
from playground.ui.lifecycle import decide, drift, serve, station_map, track, watch
from playground.ui.lifecycle.tasks import tasks
from playground.ui.panels import Panel, pick
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """The one panel that the reader wants; the map first."""
    panels: dict[str, Panel[[PageContext]]] = {
        "map": Panel(_("Map"), station_map.panel),
        "decide": Panel(_("What to do next"), decide.panel),
        "track": Panel(_("Prompt tracking"), track.panel),
        "drift": Panel(_("Drift"), drift.panel),
        "watch": Panel(_("Watch"), watch.panel),
        "serve": Panel(_("Serve"), serve.panel),
    }
    later = pick("lc_panel", panels, _("Step")).draw(context)
    return tasks(context), later
