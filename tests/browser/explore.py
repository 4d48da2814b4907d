"""Operate every control of every page in both languages, then in random order; say what went wrong.

    python -m tests.browser.explore [--page sampling] [--language ko] [--seed 7] [--random-steps 40]

New pages and controls are found on the page itself. What counts as wrong: an exception or error box, a
console or page error, a request to the outside, a run that does not end, a text left in the other language,
a share not written as on every page.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import click
from babel.messages.pofile import read_po
from playwright.sync_api import Browser, Error, Page, sync_playwright

from benchmarks.live_server import LiveServer
from playground import navigation
from playground.chromium import find_chromium
from playground.errors import HubUnreachable, InputError, PlaygroundError
from playground.paths import site_root
from tests.browser.conftest import CHROMIUM_FLAGS, VIEWPORT
from tests.browser.reader import Watch, wait_run, watch

PAGES = tuple(sorted(navigation.BY_NAME))
CONTROLS = Path(__file__).with_name("controls.js").read_text("utf-8")
ACT_MS = 5_000  # for a control to be reachable
N_ALIKE = 4  # controls of one kind in one place that are operated: the ends and some between
ELSEWHERE = {"lang_choice"}  # both languages are explored anyway
LANGUAGES = {"English", "Korean"}  # each is named in its own words
ODD_TEXTS = ("", "</script>", "👍🏽 가나다", "7", "a " * 300)
ERRORS = "[data-testid=stException], [data-testid=stAlertContentError], [data-testid=stBidiComponentError]"
TEXTS = """() => {
  const app = document.querySelector("[data-testid=stApp]");
  const walker = document.createTreeWalker(app, NodeFilter.SHOW_TEXT);
  const found = new Set();
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const untold = "textarea, code, pre, script, style, [lang]:not(html), [data-testid=stIconMaterial]";
    if (node.parentElement.closest(untold)) continue;  // an icon's text is its name
    if (node.parentElement.checkVisibility()) found.add(node.data.trim());
  }
  return [...found];
}"""
TIGHT = re.compile(r"\d%")  # a share is written 58.9 %
OF_STREAMLIT = {
    "Browse files",
    "Drag and drop files here",
    "Press Enter to apply",
    "Choose an option",
    "No results",
}


@dataclass(frozen=True)
class Control:
    """A control: the nearest key around it, what is done with it, its words, which of equal ones."""

    place: str
    kind: str
    label: str
    nth: int

    def __str__(self) -> str:
        return f"{self.kind} {self.label!r} in {self.place or 'the page'}" + f" ({self.nth + 1})" * (
            self.nth > 0
        )


@dataclass(frozen=True)
class Trouble:
    """What went wrong, where, after which last steps."""

    page: str
    language: str
    steps: tuple[str, ...]
    what: str

    def __str__(self) -> str:
        return f"{self.page} [{self.language}] {self.what}\n    after " + " > ".join(self.steps[-4:])


@cache
def catalogue() -> dict[str, str]:
    """English sentence of the interface -> the Korean one."""
    with (site_root() / "assets/locale/ko/LC_MESSAGES/playground.po").open("rb") as file:
        return {one.id: str(one.string) for one in read_po(file) if isinstance(one.id, str) and one.id}


@cache
def left_in(language: str) -> frozenset[str]:
    """Sentences of the interface that mean: this text was not translated into `language`."""
    pairs = list(catalogue().items())
    pairs = [(english, korean) for english, korean in pairs if english != korean and len(english) > 3]
    pairs = [pair for pair in pairs if pair[0] not in LANGUAGES]
    english, korean = frozenset(pair[0] for pair in pairs), frozenset(pair[1] for pair in pairs)
    return english - korean | OF_STREAMLIT if language == "ko" else korean - english


def _leaves(error: type[PlaygroundError]) -> Iterator[type[PlaygroundError]]:
    yield error
    for kind in error.__subclasses__():
        yield from _leaves(kind)


VALUE = r"({.*?}|\[[가-힣]+/[가-힣]+\])"  # of a message, or the particle that it chooses


@cache
def answers_to_odd_input() -> re.Pattern[str]:
    """What a page may say in an error box: the reader can change it, or there is no model hub here."""
    english = [kind.msgid for kind in (*_leaves(InputError), HubUnreachable) if kind is not InputError]
    said = [sentence for one in english for sentence in (one, catalogue()[one])]
    patterns = [
        "".join(".*" if n % 2 else re.escape(part) for n, part in enumerate(re.split(VALUE, one)))
        for one in said
    ]
    return re.compile("|".join(patterns), re.DOTALL)


class Explorer:
    """Walks one page in one language.

    Args:
        tab: Where; its troubles are noted in `seen`.
        url: The server's address.
        name, language: The page.
        choose: Where the random order comes from.
        ends_at: On the clock of `time.monotonic`.
    """

    def __init__(
        self,
        tab: Page,
        seen: Watch,
        url: str,
        name: str,
        language: str,
        choose: random.Random,
        ends_at: float,
    ) -> None:
        self.tab, self.seen, self.name, self.language = tab, seen, name, language
        self.server = url
        self.address = f"{url}/{'' if name == 'home' else name}?lang={language}"
        self.choose, self.ends_at = choose, ends_at
        self.troubles: list[Trouble] = []
        self.steps: list[str] = []

    @property
    def in_time(self) -> bool:
        """Whether there is time for another step."""
        return time.monotonic() < self.ends_at

    def open(self) -> None:
        """Load the page anew."""
        self.steps = ["open"]
        self._do(lambda: self.tab.goto(self.address))

    def every_control(self) -> int:
        """Operate each control once, what appears through it first; how many.

        An odd text can take the page's controls away: then it is opened anew for those that are left.
        """
        done: set[Control] = set()
        before = -1
        while before < len(done) and self.in_time:
            before = len(done)
            self.open()
            todo = [control for control in reversed(self._controls()) if control not in done]
            while todo and self.in_time:
                control = todo.pop()
                if control in done or not self._operate(control):
                    continue
                done.add(control)
                fresh = [one for one in self._controls() if one not in done and one not in todo]
                todo.extend(reversed(fresh))
        return len(done)

    def at_random(self, n_steps: int) -> None:
        """Operate controls in random order; back, forward and reload among them."""
        self.open()
        moves: list[tuple[str, Callable[[], object]]] = [
            ("back", self.tab.go_back), ("forward", self.tab.go_forward), ("reload", self.tab.reload),
        ]  # fmt: skip
        for _step in range(n_steps):
            if not self.in_time:
                return
            controls = self._controls()
            if self.choose.random() < 0.1 or not controls:
                said, move = self.choose.choice(moves)
                self.steps.append(said)
                self._do(move)
            else:
                self._operate(self.choose.choice(controls))

    def _controls(self) -> list[Control]:
        found = [Control(**one) for one in self.tab.evaluate(CONTROLS)]
        alike: dict[tuple[str, str], list[Control]] = {}
        for control in found:
            if control.place not in ELSEWHERE:
                alike.setdefault((control.place, control.kind), []).append(control)
        return [control for group in alike.values() for control in self._some(group)]

    def _some(self, group: Sequence[Control]) -> Iterator[Control]:
        """All of a small group; the ends and a few others of one of hundreds of cells."""
        if len(group) <= 3 * N_ALIKE:
            yield from group
            return
        picked = random.Random(len(group)).sample(range(1, len(group) - 1), N_ALIKE)
        yield from (group[at] for at in (0, *sorted(picked), len(group) - 1))

    def _operate(self, control: Control) -> bool:
        """Do it; False if it is not there any more."""
        found = [Control(**one) for one in self.tab.evaluate(CONTROLS)]
        if control not in found:
            return False
        node = self.tab.evaluate_handle("at => window.controls[at]", found.index(control)).as_element()
        if node is None:
            return False
        self.steps.append(str(control))

        def act() -> None:
            if control.kind == "slider":
                for key in ("End", "Home"):
                    node.press(key, timeout=ACT_MS)
                    wait_run(self.tab)
            elif control.kind == "field":
                node.fill(
                    "7" if node.get_attribute("type") == "number" else self.choose.choice(ODD_TEXTS),
                    timeout=ACT_MS,
                )
                node.press("Control+Enter", timeout=ACT_MS)
            elif control.kind == "select":
                node.select_option(index=self.choose.randrange(node.evaluate("node => node.options.length")))
            else:
                node.click(timeout=ACT_MS)

        self._do(act)
        return True

    def _do(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Error:  # it went away or is covered: a reader cannot do it either
            self.steps.append("(not possible)")
        if not self.tab.url.startswith(self.server):  # back beyond the first page
            self.tab.goto(self.address)
        try:
            wait_run(self.tab)
        except Error:
            self._note(["a run does not end"])
            self.tab.goto(self.address)
        self.look()

    def look(self) -> None:
        """Note what is wrong now, and come back to the page if the last step left it."""
        boxes = [box.inner_text() for box in self.tab.locator(ERRORS).all()]
        problems = [f"an error: {box[:300]}" for box in boxes if not answers_to_odd_input().search(box)]
        shown = set(self.tab.evaluate(TEXTS))
        others = sorted(left_in(self.language) & shown)
        problems += [f"left in the other language: {text}" for text in others]
        problems += [f"no space before the sign: {text}" for text in sorted(shown) if TIGHT.search(text)]
        problems += self.seen.troubles
        self._note(problems)
        if (urlsplit(self.tab.url).path.strip("/") or "home") != self.name:
            self.steps.append("return")
            self.tab.goto(self.address)
            wait_run(self.tab)
        elif any("an error" in problem for problem in problems):
            self.tab.goto(self.address)
            wait_run(self.tab)

    def _note(self, problems: Sequence[str]) -> None:
        self.seen.forget()
        known = {trouble.what for trouble in self.troubles}
        self.troubles += [
            Trouble(self.name, self.language, tuple(self.steps), what)
            for what in problems
            if what not in known
        ]


@contextmanager
def exploring(
    browser: Browser, url: str, name: str, language: str, seed: int, seconds: float
) -> Iterator[Explorer]:
    """A new tab on one page in one language."""
    window = browser.new_context(viewport=VIEWPORT, locale="en-US")
    tab = window.new_page()
    choose = random.Random(f"{seed} {name} {language}")
    yield Explorer(tab, watch(tab), url, name, language, choose, time.monotonic() + seconds)
    window.close()


@click.command()
@click.option("--page", "pages", multiple=True, default=PAGES, help="Only this page (may be repeated).")
@click.option("--language", "languages", multiple=True, default=("en", "ko"), help="Only this language.")
@click.option("--seed", default=1, help="Of the random order.", show_default=True)
@click.option("--random-steps", default=40, help="Steps in random order, per page.", show_default=True)
@click.option("--seconds", default=1800.0, help="At most, per page and language.", show_default=True)
def main(
    pages: Sequence[str], languages: Sequence[str], seed: int, random_steps: int, seconds: float
) -> None:
    """Explore a server of its own; exit code 1 if anything went wrong."""
    n_troubles = 0
    with LiveServer.playground() as server, sync_playwright() as playwright:
        server.wait_ready()
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        for name, language in product(pages, languages):
            with exploring(browser, server.url, name, language, seed, seconds) as explorer:
                n_done = explorer.every_control()
                explorer.at_random(random_steps)
            click.echo(f"{name} [{language}]: {n_done} controls, {len(explorer.troubles)} troubles")
            for trouble in explorer.troubles:
                click.echo(f"  {trouble}")
            n_troubles += len(explorer.troubles)
        browser.close()
    sys.exit(1 if n_troubles else 0)


if __name__ == "__main__":
    main()
