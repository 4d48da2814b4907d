"""A sentence for the reader that is in no language yet: what the engine says of itself, and of an error."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence by its id in the catalogues, with its values; `ui.text.sentence` puts it into a language.

    Attributes:
        msgid: The English sentence, with Python's braces for the values.
        params: (name, value) of each brace: a number, a text that is shown as it is, or another message.

    Example:
        >>> weights = Message("Reading the weights")
        >>> str(Message("{doing} ({percent:.0f} %)", (("doing", weights), ("percent", 37.2))))
        'Reading the weights (37 %)'
    """

    msgid: str
    params: tuple[tuple[str, str | int | float | Message], ...] = ()

    def __str__(self) -> str:
        """The English sentence, for the log, the command line and scripts."""
        return self.msgid.format(**dict(self.params))
