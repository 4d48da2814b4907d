"""Stop strings in a text that comes in pieces, against a search in all that is known after each piece."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.stopping import StopStrings

few_letters = st.text("ab한", max_size=4)
stop_strings = st.lists(st.text("ab한", min_size=1, max_size=4), max_size=3)


def expected(before: str, pieces: list[str], stop: list[str]) -> tuple[str, bool]:
    """What comes after `before`, and whether it ended at a stop string that is not wholly in `before`."""
    text = before
    for piece in pieces:
        known, text = len(text), text + piece
        starts = [
            start
            for one in stop
            for start in range(len(text))
            if text.startswith(one, start) and start + len(one) > known
        ]
        if starts:
            return text[len(before) : max(min(starts), len(before))], True
    return text[len(before) :], False


@given(few_letters, st.lists(few_letters, max_size=12), stop_strings)
def test_the_text_ends_before_the_first_stop_string_in_whatever_pieces_it_comes(
    before: str, pieces: list[str], stop: list[str]
) -> None:
    until = StopStrings(stop, before)
    given_out, known = "", ""
    for piece in pieces:
        known += piece
        given_out += until.add(piece)
        if until.found:
            break
        longest = max(map(len, stop), default=1)
        assert len(known) - len(given_out) < longest, "no more is held back than may be taken away"
    found = until.found
    assert (given_out + until.rest(), found) == expected(before, pieces, stop)


@pytest.mark.parametrize(
    "pieces", [["stop"], ["st", "op"], ["st", "opera"], ["las", "topper"], ["s", "to", "pped"]]
)
def test_overhangs_on_both_sides_end_the_text_as_in_transformers(pieces: list[str]) -> None:
    """The examples of transformers' `StopStringCriteria`."""
    until = StopStrings(["stop"])
    given_out = [until.add(piece) for piece in pieces]
    assert until.found
    assert "".join(given_out) == "".join(pieces).split("stop")[0]
