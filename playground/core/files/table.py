r"""CSV that leaves: read right by a Korean spreadsheet, and harmless in any.

Excel takes a file without a mark for the system's code page, and runs a cell that begins with one of
`= + - @`, a tab or a line end as a formula. So a file begins with the UTF-8 mark, and such a text gets an
apostrophe before it; so does one that has apostrophes before such a beginning, so that the way back
(`unescape`, on our own uploads) is exact. Numbers stay numbers.

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
    safe = frame.rename(columns=escape)
    for index, (_name, column) in enumerate(frame.items()):
        if column.dtype.kind not in "biufcmM":
            safe.isetitem(index, [escape(value) for value in column])
    return codecs.BOM_UTF8 + safe.to_csv(index=False, lineterminator="\n").encode()


def escape(value: object) -> object:
    """A text in a form that no spreadsheet runs; any other value is returned as it is.

    Example:
        >>> escape("-x"), escape(-1.5), escape("'tis")
        ("'-x", -1.5, "'tis")
    """
    return f"'{value}" if isinstance(value, str) and _ACTIVE.match(value) else value


def unescape(field: str) -> str:
    """The text that `escape` made harmless; the inverse of it.

    Example:
        >>> unescape("'-x"), unescape("'tis")
        ('-x', "'tis")
    """
    return field[1:] if field.startswith("'") and _NEUTRAL.match(field) else field
