"""What a class leaves behind: one record an action, and what must never happen."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Record:
    """One action of one student.

    Attributes:
        student: Number in the class.
        page: Name of the page it was done on.
        action: Its name, such as "sentence".
        kind: sentence, setting, panel, generate, sweep, training, run, page, reload, or rest for what the browser
            asks for by itself.
        at_s: Seconds from the beginning of the class to the event.
        first_s: Seconds from the event to the first picture that depends on it, None where there was none.
        done_s: Seconds from the event to the end of the work; until it was given up where `cut`.
        cut: The end of the work was not seen: the tab was closed, or the class was over.
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
    cut: bool = False
    place: int = 0
    queued_s: float = 0.0
    error: str = ""


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
    """

    records: list[Record] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    n_messages: int = 0
    n_bytes: int = 0
    n_closed: int = 0
    n_reloaded: int = 0
    lasted_s: float = 0.0

    @property
    def errors(self) -> list[Record]:
        """Actions that failed."""
        return [one for one in self.records if one.error]
