"""What a patient and suspicious reader does: waits until a page is drawn, notes what went wrong unseen."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Locator, Page, Request, WebSocket

RUN_TIMEOUT_MS = 180_000
# Streamlit waits 150 ms for more changes of a widget, by the tab's clock, which a busy machine delays too.
AFTER_DEBOUNCE = "() => new Promise((done) => setTimeout(() => setTimeout(done, 5), 155))"
JUMPS = """async () => {
    const main = document.querySelector("[data-testid=stMain]");
    const frame = () => new Promise(requestAnimationFrame);
    const found = [];
    for (let still = 0, height = 0; still < 30; height = main.scrollHeight) {  // all is drawn
        await frame();
        still = main.scrollHeight === height ? still + 1 : 0;
    }
    for (let y = 0; y < main.scrollHeight; y += 500) {
        const height = main.scrollHeight;
        main.scrollTo(0, y);
        for (let i = 0; i < 3; i++) await frame();
        if (main.scrollHeight !== height) found.push([y, height, main.scrollHeight]);
    }
    return found;
}"""
# On a deep link Streamlit's front end first asks whether the page's path is a base path; "no" is a 404.
BASE_PATH_QUESTION = re.compile(r"http://127\.0\.0\.1:\d+/[\w-]+/_stcore/(health|host-config)")


def wait_run(page: Page) -> None:
    """Until the script that follows the last action has run, and nothing of it is left to draw."""
    page.evaluate(AFTER_DEBOUNCE)
    app = page.get_by_test_id("stApp")
    connected = app.and_(page.locator("[data-test-connection-state='CONNECTED']"))
    connected.wait_for(state="attached", timeout=RUN_TIMEOUT_MS)
    idle = app.and_(page.locator("[data-test-script-state='notRunning']"))
    idle.wait_for(state="attached", timeout=RUN_TIMEOUT_MS)


def jumps(page: Page) -> list[list[int]]:
    """Where the page changed its height while it was scrolled through: place, height before and after."""
    found: list[list[int]] = page.evaluate(JUMPS)
    return found


def sentence_box(page: Page) -> Locator:
    """The field of the reader's own sentence."""
    return page.get_by_test_id("stSidebar").locator("textarea")


def write(page: Page, sentence: str) -> None:
    """Type another sentence and hand it to the model."""
    box = sentence_box(page)
    box.fill(sentence)
    box.press("Control+Enter")
    wait_run(page)


def wait_sent(page: Page, seen: Watch, n: int) -> None:
    """Until the tab has sent this many frames; on a busy machine that takes longer than `wait_run` waits."""
    deadline = time.monotonic() + RUN_TIMEOUT_MS / 1_000
    while len(seen.sent) < n and time.monotonic() < deadline:
        page.wait_for_timeout(50)


def choose_language(page: Page, name: str) -> None:
    """Pick it in the sidebar."""
    page.locator(".st-key-lang_choice").get_by_text(name, exact=True).click()
    wait_run(page)


def hears_once(node: Locator) -> bool:
    """Whether no event of this very node has two listeners."""
    node.evaluate("node => { window.asked = node; }")
    session = node.page.context.new_cdp_session(node.page)
    asked = session.send("Runtime.evaluate", {"expression": "window.asked"})["result"]
    found = session.send("DOMDebugger.getEventListeners", {"objectId": asked["objectId"]})["listeners"]
    session.detach()
    kinds = [one["type"] for one in found]
    return 0 < len(kinds) == len(set(kinds))


@dataclass
class Watch:
    """What happened in a tab: what went wrong unseen, and what its websockets carried."""

    troubles: list[str] = field(default_factory=list)
    sent: list[str | bytes] = field(default_factory=list)
    received: list[str | bytes] = field(default_factory=list)
    n_sent: int = 0  # ever

    def forget(self) -> None:
        """Begin anew."""
        for seen in (self.troubles, self.sent, self.received):
            seen.clear()


def watch(page: Page) -> Watch:
    """Notes errors, CSP violations, dialogs, crashes, requests to anywhere else, and websocket frames."""
    seen = Watch()
    troubles = seen.troubles

    def on_console(message: ConsoleMessage) -> None:
        place = message.location.get("url", "")
        if BASE_PATH_QUESTION.fullmatch(place):
            return
        if message.type == "error" or "Content Security Policy" in message.text:
            troubles.append(f"console {message.type}: {message.text} ({place})")

    def on_failed_request(request: Request) -> None:
        """All that leave this machine fail in this Chromium; to hear of each request costs 0.1 s a page."""
        if re.match(r"(https?|wss?):", request.url) and urlsplit(request.url).hostname != "127.0.0.1":
            troubles.append(f"a request to the outside: {request.url}")

    def on_dialog(dialog: Dialog) -> None:
        troubles.append(f"a script asks: {dialog.message}")
        dialog.dismiss()

    def on_sent(frame: str | bytes) -> None:
        seen.sent.append(frame)
        seen.n_sent += 1

    def on_websocket(socket: WebSocket) -> None:
        socket.on("framesent", on_sent)
        socket.on("framereceived", lambda frame: seen.received.append(frame))

    page.on("console", on_console)
    page.on("pageerror", lambda error: troubles.append(f"uncaught in the page: {error}"))
    page.on("requestfailed", on_failed_request)
    page.on("dialog", on_dialog)
    page.on("websocket", on_websocket)
    page.on("crash", lambda _page: troubles.append("the page crashed"))
    return seen
