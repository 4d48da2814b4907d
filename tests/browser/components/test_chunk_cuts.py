"""Chunks in Chromium: the browser cuts as core.chunks does."""

from __future__ import annotations

import random

from playwright.sync_api import Page

from playground.core import shipped_documents as shipped
from playground.core.chunks import ENDS, MEASURES, Chunking, boundaries, cut
from playground.ui.components import script

SOURCE = script("chunk_cuts/chunk_cuts")
TEXTS = (
    shipped.document("observatory", "en").text[:3_000],
    shipped.document("observatory", "ko").text[:2_000],
    "a" * 700,
    "  😀🎉 one. \n\n two three! 네.  x",
    "x",
    "",
)


def test_the_browser_cuts_as_python_does(page: Page) -> None:
    draw = random.Random(5)
    asked, expected = [], []
    for text in TEXTS:
        tokens = [end for end in range(1, len(text) + 1) if end % 3 == 0 or text[end - 1].isspace()]
        found = boundaries(text, tokens)
        for _ in range(25):
            size = draw.randint(1, 300)
            how = Chunking(draw.choice(MEASURES), size, draw.randint(0, size // 2), draw.choice(ENDS))
            ends = {"words": found.words, "sentences": found.sentences, "tokens": found.tokens}
            settings = {"measure": how.measure, "size": how.size, "overlap": how.overlap, "ends": how.ends}
            if how.overlap < how.size:
                asked.append([ends, settings])
                expected.append([list(span) for span in cut(found, how)])
    cuts = page.evaluate(
        """async ([source, asked]) => {
          const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
          const m = await import(url);
          return asked.map(([found, how]) => m.cutText(found, how));
        }""",
        [SOURCE, asked],
    )
    assert cuts == expected
