"""The Chromium that drives the project's own browser tests: found on this machine, or brought."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from playground.installation import call, python, say

NO_CHROMIUM = (
    "They need Chromium, and there is none here: install Chrome or Chromium by hand, or name one: "
    "CHROMIUM=/path/to/chrome make test"
)
NAMES = (
    "chromium-headless-shell",  # no windows: half the start, and less work for every picture
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)


def find_chromium(places: Iterable[str] = PLACES) -> str | None:
    """An installed Chromium, Chrome or Edge, or the one that playwright brought; None if there is none."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return chosen
    names = (shutil.which(name) for name in NAMES)
    installed = next((path for path in names if path), None)
    return installed or next((path for path in places if Path(path).exists()), None) or playwright_chromium()


def playwright_chromium() -> str | None:
    """The Chromium that `playwright install` left on this machine."""
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    if not Path(python()).exists():
        return None
    answer = subprocess.run([python(), "-c", code], capture_output=True, text=True, check=False)
    path = answer.stdout.strip()
    return path if path and Path(path).exists() else None


def install_chromium() -> bool:
    """Install Chromium: the distribution's package for root, otherwise playwright's own download.

    Returns:
        True if there is one now.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Chromium for the browser tests (apt-get)")
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "fonts-noto-cjk"]
        if call(["apt-get", "update", "-qq"]) == 0:
            for package in ("chromium-headless-shell", "chromium"):
                if call([*install, package]) == 0 and find_chromium():
                    return True
    say("Installing Chromium for the browser tests (playwright)")
    return call([python(), "-m", "playwright", "install", "chromium"]) == 0 and find_chromium() is not None
