"""What a class leaves behind: one record an action, and what must never happen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class Record:
    """One action of one student.

    Attributes:
        student: Number in the class.
        page: Name of the page it was done on.
        action: Its name, such as "sentence".
        kind: sentence, setting, panel, generate, sweep, training, run, page, reload, or rest for what
            the browser asks for by itself.
        at_s: Seconds from the beginning of the class to the event.
        first_s: Seconds from the event to the first picture that depends on it, None where there was none.
        done_s: Seconds from the event to the end of the work; until it was given up where `cut`.
        cut: Reason why the end of the work was not seen: "closed" (the tab), "over" (the class), "failed"; ""
            where it was.
        place: Last place in the queue that was shown, 0 = none.
        queued_s: Seconds from the event to the last moment when the page named a place in the queue.
        error: Reason why it failed, "" = it did not.
    """

    student: int
    page: str
    action: str
    kind: str
    at_s: float
    first_s: float | None = None
    done_s: float = 0.0
    cut: Literal["", "closed", "over", "failed"] = ""
    place: int = 0
    queued_s: float = 0.0
    error: str = ""

    @property
    def wait_s(self) -> float | None:
        """Seconds waited for what was asked for: for the picture, for the end where there is none.

        The least that it can be, of what the end of the class cut; None where the student closed the tab.
        """
        if self.first_s is not None:
            return self.first_s
        return None if self.cut == "closed" else self.done_s


@dataclass(slots=True)
class Class:
    """All of them.

    Attributes:
        records: In the order in which they ended.
        strayed: Each message that held another student's mark: who read whose.
        lost: Each time a page worked on another text than the one handed in.
        n_messages, n_bytes: Messages to all students, and their payload.
        n_closed, n_reloaded: Tabs closed in the middle of work, tabs loaded anew.
        lasted_s: Seconds from the first event to the end.
        slow: The student on a slow line, -1 = none; her waits are not the server's.
    """

    records: list[Record] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    n_messages: int = 0
    n_bytes: int = 0
    n_closed: int = 0
    n_reloaded: int = 0
    lasted_s: float = 0.0
    slow: int = -1

    @property
    def timed(self) -> list[Record]:
        """What the waits are taken from: the records of all but the student on a slow line."""
        return [one for one in self.records if one.student != self.slow]

    @property
    def errors(self) -> list[Record]:
        """Actions that failed."""
        return [one for one in self.records if one.error]
