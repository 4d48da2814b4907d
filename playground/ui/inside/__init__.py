"""What the page on the way through the layers is made of."""

from __future__ import annotations
