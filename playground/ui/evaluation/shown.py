"""Numbers on the screen that the tasks ask about."""

from __future__ import annotations

from dataclasses import dataclass

from playground.core.judging import Verdict


@dataclass
class Shown:
    """Numbers on the screen; empty until they are there.

    Attributes:
        perplexity: That of the text in its windows.
        whole: The same with all tokens before as context; None where that is not known.
        n_windows: Windows it was read in.
        better: The model with fewer bits per byte: first or second.
        verdict: The judge's on the first pair.
    """

    perplexity: float | None = None
    whole: float | None = None
    n_windows: int = 0
    better: str = ""
    verdict: Verdict | None = None
