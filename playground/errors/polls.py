"""Errors of a poll in a class."""

from __future__ import annotations

from playground.errors.base import N_, BusyError, InputError


class TooFewOptions(InputError):
    """A poll has less than two options."""

    msgid = N_("A poll needs two options at least.")


class TooManyOptions(InputError):
    """A poll has more options than it may have. Params: limit, got."""

    msgid = N_("The poll has {got} options and the limit is {limit}: take some out.")


class SameOptions(InputError):
    """Two options of a poll are the same. Params: option (1-based)."""

    msgid = N_("Option {option} of the poll is there already: nobody could tell the two apart.")


class OptionTooLong(InputError):
    """An option of a poll has too many characters. Params: option (1-based), limit, got."""

    msgid = N_("Option {option} has {got:,} characters and the limit is {limit:,}: shorten it.")


class PollOver(BusyError):
    """A poll takes no votes any more, or is another one by now."""

    msgid = N_("This poll takes no votes any more.")
