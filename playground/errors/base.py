"""The base of all errors, and their kinds."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from playground.errors.message import Message


def N_(msgid: str) -> str:
    """Mark a string for translation; the page that shows it translates it."""
    return msgid


class PlaygroundError(Exception):
    """Base of every error that is shown to the reader as one sentence."""

    msgid: ClassVar[str] = N_("Something went wrong.")

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.msgid.format(**params))

    def __reduce__(self) -> tuple[partial[PlaygroundError], tuple[()]]:
        """The same error in another process: made again from its parts."""
        return partial(type(self), **self.params), ()

    @property
    def message(self) -> Message:
        """The sentence as plain data, which can be kept and sent without the error."""
        values = ((name, _plain(value)) for name, value in self.params.items())
        return Message(self.msgid, tuple(values))


def _plain(value: object) -> str | int | float | Message:
    return value if isinstance(value, str | int | float | Message) else str(value)


class InputError(PlaygroundError):
    """The reader can change the input."""


class ModelError(PlaygroundError):
    """The model cannot do it."""


class BusyError(PlaygroundError):
    """Not now, but later."""


class SetUpError(PlaygroundError):
    """The installation or the configuration of the server is wrong. Params: reason, cure."""

    msgid = N_("{reason} {cure}")


class MissingExtra(PlaygroundError):
    """An optional package is not installed. Params: package, cure."""

    msgid = N_("The package {package} is missing. {cure}")
