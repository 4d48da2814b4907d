"""The text of a PDF, page by page, read in a process of its own: an endless one is killed.

`python -m playground.core.files.pdf_pages` is that process: the file comes in, a JSON object a line goes out.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from playground.errors import BadFile, Message
from playground.paths import PACKAGE

if TYPE_CHECKING:
    from pypdf import PdfReader

_AT_ONCE = threading.BoundedSemaphore(2)  # processes: thirty readers upload the same handout in one minute
_POLL_S = 0.2
_REASONS = {
    "encrypted": Message("it is encrypted: save it without a password."),
    "damaged": Message("it is damaged, or no PDF: open it in a PDF reader and save it again."),
}


@dataclass(frozen=True, slots=True)
class PdfPage:
    """A page that was read, or, before the first, the fact that nothing was read yet.

    Attributes:
        number, n_pages: Page from 1, and pages of the file; 0 while it waits.
        text: Its text, None if it cannot be read.
        date: Day the file says it was made, ISO, "" if it does not say.
    """

    number: int
    n_pages: int
    text: str | None = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class PdfLimits:
    """Limits of reading a PDF: pages, characters of all, seconds, and bytes of memory."""

    pages: int
    chars: int
    seconds: float
    memory_bytes: int


def pdf_pages(data: bytes, limits: PdfLimits) -> Generator[PdfPage]:
    """The pages as they are read, the first of them numbered 0; closing the iterator ends the process.

    Raises:
        BadFile: It is encrypted, damaged, too long, or takes too long.
    """
    while not _AT_ONCE.acquire(timeout=_POLL_S):
        yield PdfPage(0, 0)
    try:
        yield from _read(data, limits)
    finally:
        _AT_ONCE.release()


def _read(data: bytes, limits: PdfLimits) -> Generator[PdfPage]:
    command = [sys.executable, "-m", __name__, str(limits.pages), str(limits.chars)]
    process = subprocess.Popen(
        [*command, str(limits.memory_bytes)], cwd=PACKAGE.parent, text=True, encoding="ascii",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    timer, begun = threading.Timer(limits.seconds, process.kill), time.monotonic()
    timer.start()
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        _send(process.stdin, data)
        for line in process.stdout:
            said = json.loads(line)
            if "error" in said:
                raise BadFile(reason=_reason(said, limits))
            if "end" in said:
                return
            yield PdfPage(**said)
        if time.monotonic() - begun >= limits.seconds:
            told = Message(
                "it took longer than {seconds:.0f} seconds to read: save it again, or upload its text.",
                (("seconds", limits.seconds),),
            )
            raise BadFile(reason=told)
        raise BadFile(reason=_REASONS["damaged"])
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _send(pipe: Any, data: bytes) -> None:  # noqa: ANN401 - a text pipe, whose buffer takes bytes
    try:
        pipe.buffer.write(data)
        pipe.buffer.flush()
        pipe.close()
    except BrokenPipeError:  # it has ended already: its output, or the lack of it, says why
        pass


def _reason(said: dict[str, Any], limits: PdfLimits) -> Message:
    if said["error"] == "pages":
        return Message(
            "it has too many pages: {n:,}, and the limit is {limit:,}. Upload a part of it.",
            (("n", said["n"]), ("limit", limits.pages)),
        )
    if said["error"] == "chars":
        return Message(
            "it has more than {limit:,} characters: upload a part of it.", (("limit", limits.chars),)
        )
    return _REASONS[said["error"]]


# ---- in the process


def _extract(data: bytes, max_pages: int, max_chars: int, say: Callable[..., None]) -> None:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            say(error="encrypted")
            return
        n_pages = len(reader.pages)
    except (DependencyError, FileNotDecryptedError):
        say(error="encrypted")
        return
    if n_pages > max_pages:
        say(error="pages", n=n_pages)
        return
    say(number=0, n_pages=n_pages, date=_date(reader))
    n_chars = 0
    for number in range(1, n_pages + 1):
        try:
            text: str | None = reader.pages[number - 1].extract_text()
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001  (one page of a file from outside: pypdf raises nearly anything)
            text = None
        n_chars += len(text or "")
        if n_chars > max_chars:
            say(error="chars")
            return
        say(number=number, n_pages=n_pages, text=text)
    say(end=True)


def _date(reader: PdfReader) -> str:
    try:
        made = reader.metadata.creation_date if reader.metadata else None
        return made.date().isoformat() if made else ""
    except Exception:  # noqa: BLE001  (a date from outside)
        return ""


def _bound_memory(n_bytes: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (n_bytes, n_bytes))
    except (ImportError, ValueError, OSError):  # not on this system: the time is bounded all the same
        pass


def _main(arguments: list[str], given: Any, out: TextIO) -> None:  # noqa: ANN401 - standard input
    max_pages, max_chars, memory_bytes = map(int, arguments)
    _bound_memory(memory_bytes)

    def say(**values: object) -> None:
        print(json.dumps(values), file=out, flush=True)

    try:
        _extract(given.buffer.read(), max_pages, max_chars, say)
    except Exception:  # noqa: BLE001  (a file from outside: pypdf raises nearly anything)
        say(error="damaged")


if __name__ == "__main__":
    _main(sys.argv[1:], sys.stdin, sys.stdout)
