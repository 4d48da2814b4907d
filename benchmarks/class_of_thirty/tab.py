"""A student's tab: widgets are found by their keys, whatever the language, and what comes is watched."""

from __future__ import annotations

import json
import random
import re
import struct
from typing import Any

from benchmarks.load_client import Reader, Run, Sent

Value = tuple[str, Any]  # field of the widget's state, value
MARK = re.compile(rb"reader(\d\d)zqvk")
QUEUE = re.compile(r"(?:Waiting: place |순서 )(\d+)")
OPEN_S = 150.0  # within which a server must take a connection
NO_PICTURE = {"share", "token_chips"}


def mark(student: int) -> str:
    """The word that a student's sentences carry, and nobody else's."""
    return f"reader{student:02}zqvk"


class Tab:
    """One tab of one student.

    Attributes:
        reader: Its connection.
        strangers: Numbers of other students whose mark came to this tab.
    """

    def __init__(self, student: int, url: str, page: str, query: str, before: str, pause_s: float) -> None:
        self.student, self.strangers = student, set[int]()
        self.n_messages = self.n_bytes = 0
        self.reader = Reader(
            url, page, query, before=before, on_payload=self.look_at, pause_s=pause_s, open_timeout_s=OPEN_S
        )

    def look_at(self, payload: bytes) -> None:
        """Count a message, and note the marks of others in it."""
        self.n_messages += 1
        self.n_bytes += len(payload)
        found = {int(number) for number in MARK.findall(payload)}
        self.strangers |= found - {self.student}

    def key(self, name: str) -> str:
        """The last widget of this key or, where words of a list have changed, of one that begins with it."""
        controls = self.reader.controls
        return name if name in controls else [key for key in controls if key.startswith(f"{name}_")][-1]

    def press(self, name: str) -> dict[str, Value]:
        """Click a button."""
        return {self.key(name): ("trigger_value", True)}

    def typed(self, name: str, words: str) -> dict[str, Value]:
        """Write into a field."""
        return {self.key(name): ("string_value", words)}

    def number(self, name: str, value: float) -> dict[str, Value]:
        """Write into a field of a number."""
        return {self.key(name): ("double_value", value)}

    def choose(self, name: str, place: int) -> dict[str, Value]:
        """Choose an option by its place, the last one where there are fewer."""
        key = self.key(name)
        control = self.reader.controls[key]
        options = [str(getattr(option, "content", option)) for option in control.options]
        option = options[min(place, len(options) - 1)]
        is_list = type(control).__name__ == "ButtonGroup"
        return {key: ("string_array_value", [option]) if is_list else ("string_value", option)}

    def slide(self, name: str, share: float) -> dict[str, Value]:
        """Put a slider there, 0 = left, 1 = right."""
        key = self.key(name)
        control = self.reader.controls[key]
        place = round(control.min + share * (control.max - control.min))
        if control.type == control.SELECT_SLIDER:
            return {key: ("string_array_value", [control.options[place]])}
        return {key: ("double_array_value", [float(place)])}

    def component(self, name: str) -> dict[str, Any]:
        """What a component of ours was told last: its JSON, or the head of its bytes."""
        element = self.reader.controls[self.key(name)]
        if element.WhichOneof("data") != "bytes":
            return dict(json.loads(element.json))
        (length,) = struct.unpack_from("<I", element.bytes)
        return dict(json.loads(element.bytes[4 : 4 + length]))

    def tells(self, name: str, value: dict[str, Any]) -> dict[str, Value]:
        """A component of ours changes its state."""
        return {self.key(name): ("json_value", json.dumps(value))}

    def session(self) -> str:
        """The id of the session, as the browser keeps it for a reload; "" where the server tells none."""
        return str(self.component("share")["session"]) if "share" in self.reader.controls else ""

    def text(self, run: Run) -> str | None:
        """The sentence that the page works on, None where this run did not tell."""
        chips = [one for one in run.sent if one.key == "token_chips"]
        return str(json.loads(chips[-1].element.json)["text"]) if chips else None


def first_picture(run: Run, picture: str, after: str = "") -> float | None:
    """Seconds until a picture came, None if it did not.

    Args:
        run: What came.
        picture: Beginning of a key, or a kind of element; "" = any picture.
        after: Beginning of a key, or a kind of element, that stands before it.
    """
    sent = run.sent
    if after:
        places = [place for place, one in enumerate(sent) if one.kind == after or one.key.startswith(after)]
        sent = sent[places[0] + 1 :] if places else []
    return next((one.at_s for one in sent if _is_picture(one, picture)), None)


def _is_picture(one: Sent, picture: str) -> bool:
    if picture:
        return one.kind == picture or (bool(one.key) and one.key.startswith(picture))
    is_ours = one.kind == "bidi_component" and one.key not in NO_PICTURE and not one.key.endswith("_save")
    return is_ours or one.kind == "vega_lite_chart"


def queue(run: Run) -> tuple[int, float]:
    """The last place in the queue that was shown, and until when; zeros where none was."""
    place, until_s = 0, 0.0
    for one in run.sent:
        if one.kind == "markdown" and (found := QUEUE.search(one.element.body)):
            place, until_s = int(found[1]), one.at_s
    return place, until_s


def trouble(run: Run) -> str:
    """What a reader must not see: an exception, or one of our sentences about an error; "" = nothing."""
    if run.failed:
        return "the script did not compile"
    for one in run.sent:
        if one.kind == "exception":
            return f"exception: {one.element.type}: {one.element.message}"[:300]
        if one.kind == "alert" and one.element.format == one.element.ERROR:
            return f"alert: {one.element.body}"[:300]
    return ""


def last_words(run: Run) -> str:
    """What the page says in boxes, such as that a click is needed first; "" where it says nothing."""
    return " / ".join(one.element.body for one in run.sent if one.kind == "alert")[-300:]


def sentence(student: int, draw: random.Random, korean: bool) -> str:
    """A new sentence with the student's mark."""
    name, number = mark(student), draw.randrange(2, 99)
    if korean:
        who, where = (
            draw.choice(("국어", "수학", "과학", "음악")),
            draw.choice(("도서관", "강가", "시장", "교실")),
        )
        return f"{who} 선생님은 {where}에서 {name} 학생에게 책 {number}권을 빌려주고"
    who = draw.choice(("cat", "teacher", "captain", "doctor", "gardener"))
    where = draw.choice(("market", "harbour", "library", "mill", "station"))
    return f"The old {who} told {name} that {number} people at the {where} were waiting because the"
