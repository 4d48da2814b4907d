"""The page on the way through the layers."""

from __future__ import annotations
