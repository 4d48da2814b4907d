"""From a fresh clone to a running playground, with nothing but Python: `make run` and `make test` call it.

    python playground/bootstrap.py run [--torch cpu|cuda] [options of `llm-playground run`]
    python playground/bootstrap.py test | check | fmt | bench | screenshots | explore
    python playground/bootstrap.py page NAME

Only the standard library is used. This file has no syntax newer than Python 3.6, so that an old Python gets
a sentence and not a SyntaxError; the others are read once the Python is new enough.
"""

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOO_OLD = (
    "Python {}.{} is too old: the playground needs {}.{} or newer. Install it from python.org (or "
    "`apt install python3.12 python3.12-venv`, `brew install python@3.12`), then: make run PYTHON=python3.12"
)


def main(arguments: "Sequence[str]") -> int:
    """Do what the first argument says, under a Python that is new enough; 0 when all went well."""
    if sys.version_info < OLDEST:
        return under_newer_python()
    from playground.actions import ACTIONS, perform

    if not arguments or arguments[0] not in ACTIONS:
        sys.stderr.write(__doc__ or "")
        return 2
    return perform(arguments[0], arguments[1:])


def under_newer_python() -> int:
    """Do the same again with a newer Python of this machine, or say which one to install."""
    newer = find_newer_python()
    if newer is None:
        sys.stderr.write("\n" + TOO_OLD.format(*(sys.version_info[:2] + OLDEST)) + "\n")
        return 1
    try:
        return subprocess.call([newer] + sys.argv)  # noqa: RUF005 - as an old Python reads it
    except KeyboardInterrupt:
        return 130


def find_newer_python() -> "str | None":
    """A Python on this machine that is new enough and starts; last, the one of the environment."""
    names = ["python3.{}".format(minor) for minor in (13, 12, 11, 14)]  # noqa: UP032 - as above
    for name in names + [os.path.join(ROOT, ".venv", "bin", "python")]:  # noqa: RUF005 - as above
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return path
    return None


if __name__ == "__main__":
    sys.path[0] = ROOT  # instead of this file's folder
    sys.exit(main(sys.argv[1:]))
