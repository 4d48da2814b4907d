"""Errors as plain data: they reach another process as what they are."""

from __future__ import annotations

import pickle
import string
from collections.abc import Iterator

import pytest

from playground.errors import PlaygroundError


def kinds(base: type[PlaygroundError] = PlaygroundError) -> Iterator[type[PlaygroundError]]:
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", sorted(set(kinds()), key=lambda kind: kind.__name__))
def test_an_error_is_the_same_after_pickling(kind: type[PlaygroundError]) -> None:
    names = [name for _text, name, _spec, _conversion in string.Formatter().parse(kind.msgid) if name]
    error = kind(**dict.fromkeys(names, 7))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.params, again.message) == (str(error), error.params, error.message)
