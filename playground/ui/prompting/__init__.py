"""The page on prompts."""

from __future__ import annotations
