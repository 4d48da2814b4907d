"""Weights of a model that stand out, and the colours they are painted in."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, Position

CELL, LEFT, TOP = 64, 36, 20  # of layout.js, for six layers


def cell(page: Page, layer: int, head: int) -> Position:
    return {"x": LEFT + (layer + 0.5) * CELL, "y": TOP + (head + 0.5) * CELL}


def pixel(canvas: Locator, x: float, y: float) -> list[int]:
    """Red, green and blue of a canvas at a place in CSS pixels."""
    found: list[int] = canvas.evaluate(
        """(canvas, [x, y]) => {
          const fine = canvas.width / canvas.getBoundingClientRect().width;
          return [...canvas.getContext("2d").getImageData(x * fine, y * fine, 1, 1).data.slice(0, 3)];
        }""",
        [x, y],
    )
    return found
