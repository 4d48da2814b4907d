"""Errors of a class that works together."""

from __future__ import annotations

from playground.errors.base import N_, BusyError, InputError


class NoName(InputError):
    """A nickname has nothing to see, or is too long. Params: limit (characters)."""

    msgid = N_("A nickname has 1 to {limit} characters that can be seen.")


class NameTaken(InputError):
    """Somebody in the class has this nickname, or one that looks the same. Params: name."""

    msgid = N_("Somebody here is called {name} already: take another nickname.")


class BadLink(InputError):
    """A link opens no page of this playground. Params: link."""

    msgid = N_(
        "{link} is not a link to a page of this playground: copy one with “Copy the link to this view”."
    )


class NoClass(BusyError):
    """There is no class, or it has ended."""

    msgid = N_("There is no class now.")


class RoomFull(BusyError):
    """The class has as many students as it may have. Params: limit."""

    msgid = N_("The class is full: {limit} have joined.")


class NotTeacher(InputError):
    """A session that is not signed in as teacher asked for what only a teacher may do."""

    msgid = N_("Only a teacher may do this: sign in on the page Classroom.")


class WrongTeacherPassword(InputError):
    """A password is not the teacher's."""

    msgid = N_("That is not the teacher's password.")


class TooManyAttempts(BusyError):
    """There were too many wrong passwords."""

    msgid = N_("Too many wrong passwords. Try again in a minute.")


class TrainingFrozen(BusyError):
    """A teacher lets training rest."""

    msgid = N_("Your teacher has paused training.")
