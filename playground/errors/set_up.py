"""Errors of the installation or the configuration, for the person who runs the server."""

from __future__ import annotations

from playground.errors.base import N_, SetUpError


class DiskFull(SetUpError):
    """The disk of the models has too little space. Params: needed_mb, free_mb."""

    msgid = N_(
        "The disk of the models has {free_mb:,} MB free, but {needed_mb:,} MB are needed: free some space, "
        "or set PLAYGROUND_CACHE_DIR to a folder on another disk."
    )


class CannotWrite(SetUpError):
    """The folder of the models cannot be written. Params: reason (of the system)."""

    msgid = N_(
        "The folder of the models cannot be written ({reason}): set PLAYGROUND_CACHE_DIR to a folder that "
        "this account may write to."
    )


class FileLimit(SetUpError):
    """This account may not write files as large as a model. Params: needed_mb."""

    msgid = N_(
        "This account may not write files as large as a model, {needed_mb:,} MB: raise its limit on the size "
        "of files (ulimit -f unlimited)."
    )


class EngineFailed(SetUpError):
    """The engine could not start. Params: error."""

    msgid = N_("The engine could not start ({error}): run `llm-playground doctor` on the server.")
