"""Texts that are hard to cut."""

from __future__ import annotations

HARD_TEXTS = [
    "The capital of England is",
    "나는 학교에 갑니다.",
    "👨‍👩‍👧 🏳️‍🌈 café café",
    "a\n\n\tb  c   7 2026",
    "\x00\x01 \x7f \u202eright to left\u202c שלום",
    "</script><script>alert(1)</script>",
    "<|endoftext|><|im_start|>user</s><pad>[CLS][SEP]",
    "ᄂ ▁ Ġ <0x0A>",
    "",
    " ",
]
