"""The named ways in which an action can fail, and the sentence with which each comes back to the model."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# In English, as the rest of the loop's form: it is read by the model, which knows no other language well.
SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "no_action": "Error: there is no action.",
        "not_json": "Error: this is not JSON.",
        "missing_field": "Error: the field {given} is missing.",
        "unclosed": "Error: the action does not end.",
        "unknown_tool": "Error: there is no tool {given}.",
        "not_allowed": "Error: the tool {given} is not allowed.",
        "empty_input": "Error: the input is empty.",
        "too_long": "Error: the input is too long.",
        "not_arithmetic": "Error: this is not arithmetic.",
        "divides_by_zero": "Error: division by zero.",
        "too_large": "Error: the number is too large.",
        "not_a_date": "Error: this is not a date.",
        "nothing_found": "Nothing found.",
    }
)
MAX_GIVEN = 24  # characters of what the model wrote that are said back


class ToolTrouble(Exception):
    """An action that could not be carried out.

    Attributes:
        name: Which trouble, a key of `SENTENCES`.
        given: The part of the action that it is about.

    Example:
        >>> str(ToolTrouble("unknown_tool", "cat"))
        'Error: there is no tool cat.'
    """

    def __init__(self, name: str, given: str = "") -> None:
        self.name, self.given = name, " ".join(given.split())[:MAX_GIVEN]
        super().__init__(name, given)

    def __str__(self) -> str:
        return SENTENCES[self.name].format(given=self.given)
