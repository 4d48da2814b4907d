"""What the page on prompts is made of."""

from __future__ import annotations
