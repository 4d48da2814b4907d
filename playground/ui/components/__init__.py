"""Browser components (components v2): a folder each, Python beside a plain ES module and its style."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def script(*names: str) -> str:
    """One ES module: `dom.js`, which all share, then these files of this folder, named without suffix."""
    return _joined(("dom", *names), "js")


def style(*names: str) -> str:
    """One style sheet out of these files of this folder, named without suffix."""
    return _joined(names, "css")


def _joined(names: tuple[str, ...], suffix: str) -> str:
    return "\n".join((_HERE / f"{name}.{suffix}").read_text("utf-8") for name in names)
