r"""CSV that leaves: read right by a Korean spreadsheet, and harmless in any.

Excel takes a file without a mark for the system's code page, and runs a cell that begins with one of
`= + - @`, a tab or a line end as a formula. So a file begins with the UTF-8 mark, and such a text gets an
apostrophe before it; so does one that has apostrophes before such a beginning, so that the way back
(`as_written`, on our own uploads) is exact. Numbers stay numbers.

Source:
    OWASP, "CSV Injection".
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_ACTIVE = re.compile(r"'*[=+\-@\t\r]")
_NEUTRAL = re.compile(r"'+[=+\-@\t\r]")


def csv_bytes(frame: pd.DataFrame) -> bytes:
    r"""A table as a CSV file.

    Example:
        >>> import pandas as pd
        >>> csv_bytes(pd.DataFrame({"token": ["=1+1", "수도"], "bits": [-1.5, 2.0]})).decode()
        "\ufefftoken,bits\n'=1+1,-1.5\n수도,2.0\n"
    """
    safe = frame.rename(columns=neutral)
    for place, (_name, column) in enumerate(frame.items()):
        if column.dtype.kind not in "biufcmM":
            safe.isetitem(place, [neutral(value) for value in column])
    return codecs.BOM_UTF8 + safe.to_csv(index=False, lineterminator="\n").encode()


def neutral(value: object) -> object:
    """A text that no spreadsheet runs; anything else is given back.

    Example:
        >>> neutral("-x"), neutral(-1.5), neutral("'tis")
        ("'-x", -1.5, "'tis")
    """
    return f"'{value}" if isinstance(value, str) and _ACTIVE.match(value) else value


def as_written(field: str) -> str:
    """What `neutral` was given.

    Example:
        >>> as_written("'-x"), as_written("'tis")
        ('-x', "'tis")
    """
    return field[1:] if field.startswith("'") and _NEUTRAL.match(field) else field
