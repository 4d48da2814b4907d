"""Put a component's module into an empty page, as Streamlit would, and note what it sends."""

from __future__ import annotations

import base64
import tomllib
from typing import Any

from playwright.sync_api import Page

from playground.paths import site_root

MOUNT = """
async ([source, style, rootClass, theme]) => {
  document.body.replaceChildren();
  const host = document.createElement("div");
  for (const [name, value] of Object.entries(theme)) host.style.setProperty(name, value);
  document.body.append(host);
  Object.assign(document.body.style, { background: theme["--st-background-color"], width: "1000px" });
  const shadow = host.attachShadow({ mode: "open" });
  const root = document.createElement("div");
  root.className = rootClass;
  const sheet = document.createElement("style");
  sheet.textContent = style;
  shadow.append(sheet, root);
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const module = await import(url);
  window.sent = [];
  window.module = module;
  window.shadow = shadow;
  window.give = (text) => {
    const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const setStateValue = (name, value) => window.sent.push([name, value]);
    window.leave = module.default({ parentElement: shadow, data, setStateValue });
  };
}
"""
THEMES = tomllib.loads((site_root() / ".streamlit/config.toml").read_text("utf-8"))["theme"]


def _amounts(theme: str) -> dict[str, str]:
    """The colours of amounts and their paper, as Streamlit gives them to components."""
    paper, colours = THEMES[theme]["backgroundColor"], THEMES[theme]["chartSequentialColors"]
    return {"--st-background-color": paper, "--st-chart-sequential-colors": ",".join(colours)}


LIGHT = {
    **_amounts("light"),
    "--st-secondary-background-color": "#f0f2f6",
    "--st-text-color": "#1a1c20",
    "--st-border-color": "#d5dbe2",
    "--st-primary-color": "#0072b2",
    "--st-button-radius": "8px",
    "--st-font": "sans-serif",
    "--st-code-font": "monospace",
}
DARK = LIGHT | {
    **_amounts("dark"),
    "--st-secondary-background-color": "#262730",
    "--st-text-color": "#fafafa",
    "--st-border-color": "#3d4450",
    "--st-primary-color": "#56b4e9",
}


def mount(page: Page, source: str, style: str, root: str, data: bytes, *, dark: bool = False) -> None:
    """Draw a component.

    Args:
        page: An empty tab.
        source, style: From `playground.ui.components`.
        root: Class of the element it draws into.
        data: From `packed`.
        dark: The theme.
    """
    page.evaluate(MOUNT, [source, style, root, DARK if dark else LIGHT])
    give(page, data)


def give(page: Page, data: bytes) -> None:
    """New data from Python."""
    page.evaluate("(text) => window.give(text)", base64.b64encode(data).decode())


def sent(page: Page) -> list[Any]:
    """What the component has sent since it was mounted: names and values of its state."""
    found: list[Any] = page.evaluate("() => window.sent")
    return found
