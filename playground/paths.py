"""The folder of pages, assets and configuration: beside the package in a checkout, below it in a wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def site_root() -> Path:
    """The folder that holds `pages/`, `assets/` and `.streamlit/`.

    Example:
        >>> (site_root() / ".streamlit" / "config.toml").is_file()
        True
    """
    installed = PACKAGE / "_site"
    return installed if installed.is_dir() else PACKAGE.parent
