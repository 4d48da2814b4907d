"""Errors that go away by themselves: the server is busy, or the request was stopped."""

from __future__ import annotations

from playground.errors.base import N_, BusyError


class QueueFull(BusyError):
    """The queue of the engine is full. Params: position."""

    msgid = N_("The server is busy, you would be number {position} in the queue: try again in a moment.")


class TimedOut(BusyError):
    """A request took too long and was stopped. Params: seconds."""

    msgid = N_("The answer took longer than {seconds:.0f} seconds and was stopped: try a shorter text.")


class NoRoom(BusyError):
    """The adapters, or networks, of all sessions fill the memory they may take."""

    msgid = N_(
        "The server has no room for what you want to keep: try again when others have closed their tabs."
    )


class Cancelled(BusyError):
    """The reader stopped it."""

    msgid = N_("Stopped.")


class Superseded(Cancelled):
    """A newer request of the same session and kind took its place."""

    msgid = N_("Replaced by a newer request.")


class ReplicaLost(BusyError):
    """The replica that computed an answer has died, and so has the one that tried again."""

    msgid = N_(
        "The machine that computed this has stopped, and another takes its place: try again in a moment."
    )
