"""Text that ends before the first of its stop strings, whatever the pieces it comes in."""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Looks for stop strings in a text that grows piece by piece, and gives out what comes before them.

    What may still become a stop string is held back, so nothing that was given out is taken back.

    Args:
        stop: The strings; none of them is empty.
        before: Text that is there already: a stop string may begin in it, but must end after it.

    Attributes:
        found: Whether the text has ended: before the stop string that begins first.

    Example:
        >>> until = StopStrings(["\\n\\n"])
        >>> [until.add(piece) for piece in ("one\\n", "two\\n", "\\nthree")], until.found
        (['one', '\\ntwo', ''], True)

    Source:
        What the text is with and without the strings: vLLM, `v1/engine/detokenizer.py`, whose
        `include_stop_str_in_output` is off by default.
    """

    def __init__(self, stop: Sequence[str], before: str = "") -> None:
        self._stop = stop
        self._given, self._held = before, ""
        self.found = False

    def add(self, piece: str) -> str:
        """The text that can be given out once this piece is known."""
        text = self._given + self._held + piece
        n_given, n_known = len(self._given), len(text) - len(piece)
        starts = [text.find(string, max(0, n_known - len(string) + 1)) for string in self._stop]
        starts = [start for start in starts if start >= 0]
        if starts:
            self.found, self._held = True, ""
            return text[n_given : min(starts)]
        end = max(n_given, len(text) - _n_begun(text, self._stop))
        self._given, self._held = text[:end], text[end:]
        return text[n_given:end]

    def rest(self) -> str:
        """The text that was held back, where the text ends for another reason."""
        held, self._held = self._held, ""
        return held


def _n_begun(text: str, stop: Sequence[str]) -> int:
    """Number of characters at the end of the text that begin a stop string.

    Example:
        >>> _n_begun("to be ab", ["abc", "b!"])
        2
    """
    return max((n for string in stop for n in range(1, len(string)) if text.endswith(string[:n])), default=0)
