"""What every error has, and the kinds of them."""

from __future__ import annotations

from typing import ClassVar


def N_(msgid: str) -> str:
    """Mark a string for translation; whoever shows it translates it."""
    return msgid


class PlaygroundError(Exception):
    """Base of everything shown to the reader as one sentence."""

    msgid: ClassVar[str] = N_("Something went wrong.")

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.msgid.format(**params))


class InputError(PlaygroundError):
    """The reader can change the input."""


class ModelError(PlaygroundError):
    """The model cannot do it."""


class BusyError(PlaygroundError):
    """Not now, but later."""


class SetUpError(PlaygroundError):
    """Params: reason, cure."""

    msgid = N_("{reason} {cure}")


class MissingExtra(PlaygroundError):
    """Params: package, cure."""

    msgid = N_("The package {package} is missing. {cure}")
