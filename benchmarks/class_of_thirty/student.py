"""One student: thinks, does something, waits for the picture; closes a tab, loads it anew."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from websockets.exceptions import WebSocketException

from benchmarks.class_of_thirty.actions import LIVE, Action, Book
from benchmarks.class_of_thirty.records import Class, Record
from benchmarks.class_of_thirty.tab import Tab, first_picture, last_words, mark, queue, sentence, trouble
from benchmarks.load_client import Run

KOREAN_OF = 3  # every third student reads Korean
ONE_MORE = 0.3  # of the new sentences: the last one and a word more
STAY = 3  # actions on a page before the next, on average
Troubles = (TimeoutError, ConnectionError, WebSocketException, LookupError)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one student does.

    Attributes:
        student: Number in the class.
        seed: Of everything that is drawn.
        url: Where the server answers.
        books: What can be done on each page.
        at: Seconds from the beginning -> "training", "sweep", "reload" or "close".
        think_s: Mean time between the end of an action and the next; exponential.
        pause_s: A slow line: seconds between two messages.
        only_deeds: Nothing but what is planned, all of it, and then the student leaves.
        patience_s: Seconds after which an answer is given up.
    """

    student: int
    seed: int
    url: str
    books: Mapping[str, Book]
    at: Mapping[float, str]
    think_s: float
    pause_s: float = 0.0
    only_deeds: bool = False
    patience_s: float = 170.0


class Student:
    """Acts until it is told to stop; every action becomes a record.

    Args:
        plan: What to do.
        of: The class; its records are appended to.
        began: When it began, by `time.perf_counter`.
    """

    def __init__(self, plan: Plan, of: Class, began: float) -> None:
        self._plan, self._class, self._began = plan, of, began
        self._draw = random.Random(f"{plan.seed}/{plan.student}")
        self._korean = plan.student % KOREAN_OF == KOREAN_OF - 1
        names = list(plan.books)
        self._draw.shuffle(names)
        start = plan.student % len(names)
        sorted_names = list(plan.books)
        names.remove(sorted_names[start])  # together they begin on all pages
        self._pages = _round([sorted_names[start], *names])
        self._decks = {name: _round(_shuffled(one.actions, self._draw)) for name, one in plan.books.items()}
        self._page = ""
        self._text: str | None = None
        self._tab: Tab | None = None
        self._now: Record | None = None

    async def live(self, until: float) -> None:
        """Until that time, by `time.perf_counter`; what is going on then may end.

        Raises:
            asyncio.CancelledError: The class is over.
        """
        todo = sorted(self._plan.at.items())
        if self._plan.only_deeds:
            until = math.inf
        try:
            while time.perf_counter() < until and (todo or not self._plan.only_deeds):
                try:
                    if self._tab is None:
                        await self._open()
                    await self._think(until)
                    if todo and time.perf_counter() - self._began >= todo[0][0]:
                        await self._planned(todo.pop(0)[1])
                    elif time.perf_counter() < until and not self._plan.only_deeds:
                        await self._something()
                except Troubles as error:
                    self._fail(error)
                    await self._leave()
        except asyncio.CancelledError:
            self._cut("over")
            raise
        finally:
            await self._leave()

    async def _open(self, before: str = "") -> None:
        """Load a page in a tab."""
        self._page = self._page or next(self._pages)
        first = "" if self._page == next(iter(self._plan.books)) else self._page
        words = {"lang": "ko" if self._korean else "en"} | ({"text": self._text} if self._text else {})
        record = self._begin("load the page", "reload" if before else "page")
        tab = Tab(self._plan.student, self._plan.url, first, urlencode(words), before, self._plan.pause_s)
        self._tab = tab
        await asyncio.wait_for(tab.reader.__aenter__(), self._plan.patience_s)
        await self._ended(record, tab.reader.first, self._plan.books[self._page].opened)

    async def _leave(self) -> None:
        tab, self._tab = self._tab, None
        if tab is not None:
            self._class.n_messages += tab.n_messages
            self._class.n_bytes += tab.n_bytes
            self._class.strayed += [f"{self._plan.student} saw {mark(other)}" for other in tab.strangers]
            with suppress(*Troubles):
                await asyncio.wait_for(tab.reader.__aexit__(None, None, None), 5)

    async def _think(self, until: float) -> None:
        """Wait, while fragments of the page go on repeating themselves."""
        assert self._tab is not None
        ends = min(until, time.perf_counter() + self._draw.expovariate(1 / self._plan.think_s))
        while self._tab.reader.ticks and time.perf_counter() < ends:
            run = await asyncio.wait_for(self._tab.reader.tick(), self._plan.patience_s)
            if wrong := trouble(run):
                raise LookupError(wrong)
        await asyncio.sleep(max(0.0, ends - time.perf_counter()))

    async def _something(self) -> None:
        actions = self._plan.books[self._page].actions
        if len(self._plan.books) > 1 and (not actions or self._draw.random() < 1 / STAY):
            await self._go(next(self._pages))
        else:
            await self._act(next(self._decks[self._page]))

    async def _planned(self, deed: str) -> None:
        if deed == "reload":
            assert self._tab is not None
            before = self._tab.session()
            await self._leave()
            self._class.n_reloaded += 1
            await self._open(before)
            return
        if deed == "close":
            await self._close_in_the_middle()
            return
        page, action = next(
            (page, one) for page, book in self._plan.books.items() for one in book.actions if one.kind == deed
        )
        if page != self._page:
            await self._go(page)
        await self._act(action)

    async def _close_in_the_middle(self) -> None:
        actions = self._plan.books[self._page].actions
        if actions:
            work = asyncio.create_task(self._act(next(self._decks[self._page])))
            await asyncio.wait([work], timeout=self._draw.uniform(0.05, 0.5))
            work.cancel()
            with suppress(asyncio.CancelledError, *Troubles):
                await work
            self._cut("closed")
        self._class.n_closed += 1
        await self._leave()
        self._page, self._text = "", None  # another tab, later

    async def _go(self, page: str) -> None:
        assert self._tab is not None
        self._page = page
        first = "" if page == next(iter(self._plan.books)) else page
        record = self._begin("open from the menu", "page")
        run = await asyncio.wait_for(self._tab.reader.go(first), self._plan.patience_s)
        await self._ended(record, run, self._plan.books[page].opened)

    async def _act(self, action: Action) -> None:
        tab = self._tab
        assert tab is not None
        try:
            if action.prepare is not None:
                await asyncio.wait_for(
                    tab.reader.rerun(**action.prepare(tab, self._draw)), self._plan.patience_s
                )
            changed = action.change(tab, self._draw) if action.change else tab.typed("text", self._sentence())
        except LookupError:
            return  # the page does not show this now
        if LIVE in changed:
            self._text = str(changed[LIVE][1])
        record = self._begin(action.name, action.kind)
        run = await asyncio.wait_for(tab.reader.rerun(**changed), self._plan.patience_s)
        await self._ended(record, run, action.picture, action.after, until_still=action.until_still)

    def _sentence(self) -> str:
        if self._text and self._draw.random() < ONE_MORE:
            self._text += " " + self._draw.choice(
                ("and", "then", "그리고") if self._korean else ("old", "big", "red")
            )
        else:
            self._text = sentence(self._plan.student, self._draw, self._korean)
        return self._text

    def _begin(self, name: str, kind: str) -> Record:
        self._now = Record(self._plan.student, self._page, name, kind, time.perf_counter() - self._began)
        return self._now

    async def _ended(
        self, record: Record, run: Run, picture: str, after: str = "", *, until_still: bool = False
    ) -> None:
        """Note what came; wait for the rest where the work goes on by itself."""
        tab = self._tab
        assert tab is not None
        record.first_s = None if picture == "-" else first_picture(run, picture, after)
        record.place, record.queued_s = queue(run)
        record.error = trouble(run)
        record.done_s = run.finished_s
        waits = record.first_s is None and picture != "-"
        while (waits or until_still) and tab.reader.ticks and not record.error:
            since = time.perf_counter() - self._began - record.at_s
            if since > self._plan.patience_s and not until_still:
                break
            run = await asyncio.wait_for(tab.reader.tick(), self._plan.patience_s)
            now = time.perf_counter() - self._began - record.at_s
            seen = first_picture(run, picture, after)
            if waits and seen is not None:
                record.first_s, waits = now - run.finished_s + seen, False
            record.error, record.done_s = trouble(run), now
            if (place := queue(run)[0]) > 0:
                record.place, record.queued_s = place, now
        if record.first_s is None and picture != "-" and not record.error:
            record.error = f"no picture came: {last_words(run)}"
        self._class.records.append(record)
        self._now = None
        self._check_text(run)
        await self._ask_for_the_rest(run)

    async def _ask_for_the_rest(self, run: Run) -> None:
        """What the browser does where *Inside* says that columns are missing."""
        tab = self._tab
        assert tab is not None
        if not any(one.key == "inside" for one in run.sent):
            return
        name: Any = tab.component("inside").get("wants", "")
        if name:
            record = self._begin("the other columns", "rest")
            more = await asyncio.wait_for(
                tab.reader.rerun(**tab.tells("inside", {"asked": name})), self._plan.patience_s
            )
            record.first_s, record.done_s = first_picture(more, "inside"), more.finished_s
            record.place, record.queued_s = queue(more)
            record.error = trouble(more)
            self._class.records.append(record)
            self._now = None

    def _check_text(self, run: Run) -> None:
        assert self._tab is not None
        seen = self._tab.text(run)
        if lost := is_lost(self._text, seen):
            self._class.lost.append(f"{self._plan.student} on {self._page}: {lost}")

    def _fail(self, error: BaseException) -> None:
        if self._now is not None:
            self._now.error = f"{type(error).__name__}: {error}"[:300]
            self._cut("failed")

    def _cut(self, why: Literal["closed", "over", "failed"]) -> None:
        """What is going on ends here, unfinished."""
        if self._now is not None:
            self._now.done_s = time.perf_counter() - self._began - self._now.at_s
            self._now.cut = why
            self._class.records.append(self._now)
            self._now = None


def is_lost(text: str | None, seen: str | None) -> str:
    """In words what the page works on instead of the text; "" where it is the text, or neither is known.

    Args:
        text: The sentence that was handed in last, None = none was.
        seen: The sentence that the page says it works on, None = it says nothing.
    """
    if text is None or seen is None or seen == text:
        return ""
    return f"“{seen}” for “{text}”"


def _shuffled(actions: tuple[Action, ...], draw: random.Random) -> list[Action]:
    return draw.sample(actions, len(actions))


def _round(things: list[Any]) -> Iterator[Any]:
    while things:
        yield from things
