"""The README's pictures, taken from the running app: `make screenshots` writes assets/screenshots/*.png."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal, NamedTuple
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.live_server import LiveServer
from playground.chromium import find_chromium

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "screenshots"
N_COLOURS = 256  # of the palette: a quarter of the size, no visible difference
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

SENTENCE = "The capital of England is"
ANIMAL = "The animal didn't cross the street because it was too tired"
PARIS = "나는 최근 파리 여행을 다녀왔다"

THEATRE = "&ret_panel=theatre"
LINK = "&token=8&att_head=13.8&att_score=link"  # where ` it` looks at ` animal`


class Shot(NamedTuple):
    """One picture: which page, in which language and scheme, with which text, and what must be drawn.

    `first` is the key of a button that is pressed before, `then` what it leads to.
    """

    name: str
    page: str
    language: str
    scheme: Literal["light", "dark"]
    text: str
    drawn: str
    link: str = ""
    first: str = ""
    then: str = ""


SHOTS = (
    Shot("home-en-light", "", "en", "light", SENTENCE, ".st-key-journey svg"),
    Shot("home-ko-dark", "", "ko", "dark", "대한민국의 수도는", ".st-key-journey svg"),
    Shot("sampling-en-light", "sampling", "en", "light", SENTENCE, ".st-key-sampler"),
    Shot("sampling-ko-dark", "sampling", "ko", "dark", "Once upon a time there", ".st-key-sampler"),
    Shot("prompting-en-light", "prompting", "en", "light", SENTENCE, ".st-key-pro_answer svg"),
    Shot("prompting-ko-dark", "prompting", "ko", "dark", SENTENCE, ".st-key-pro_answer svg"),
    Shot(
        "finetuning-en-light",
        "finetuning",
        "en",
        "light",
        SENTENCE,
        ".st-key-fin_loss_picture svg",
        first="fin_start",
        then="Done: 24 steps",
    ),
    Shot("finetuning-ko-dark", "finetuning", "ko", "dark", SENTENCE, ".scored-text"),
    Shot("tokenization-en-light", "tokenization", "en", "light", PARIS, ".st-key-tok_rows .character"),
    Shot("tokenization-ko-dark", "tokenization", "ko", "dark", PARIS, ".st-key-tok_rows .character"),
    Shot("embeddings-en-light", "embeddings", "en", "light", SENTENCE, "[class*=st-key-emb] svg"),
    Shot("attention-en-light", "attention", "en", "light", ANIMAL, ".st-key-att_map canvas", LINK),
    Shot("attention-ko-dark", "attention", "ko", "dark", ANIMAL, ".st-key-att_map canvas", LINK),
    Shot("inside-ko-dark", "inside", "ko", "dark", SENTENCE, ".st-key-ins_way .inside svg"),
    Shot("inside-en-light", "inside", "en", "light", SENTENCE, ".st-key-ins_way .inside svg"),
    Shot("seq2seq-en-light", "seq2seq", "en", "light", SENTENCE, ".st-key-seq_unrolled svg"),
    Shot("seq2seq-ko-dark", "seq2seq", "ko", "dark", PARIS, ".st-key-seq_unrolled svg"),
    Shot("families-en-light", "families", "en", "light", SENTENCE, ".st-key-families_picture canvas"),
    Shot("families-ko-dark", "families", "ko", "dark", PARIS, ".st-key-families_picture canvas"),
    Shot("masked-en-light", "masked", "en", "light", SENTENCE, "[class*=st-key-mas] svg"),
    Shot("masked-ko-dark", "masked", "ko", "dark", PARIS, "[class*=st-key-mas] svg"),
    Shot("tasks-en-light", "tasks", "en", "light", SENTENCE, ".confusion"),
    Shot("tasks-ko-dark", "tasks", "ko", "dark", PARIS, ".confusion"),
    Shot("evaluation-en-light", "evaluation", "en", "light", SENTENCE, ".scored-text"),
    Shot("evaluation-ko-dark", "evaluation", "ko", "dark", PARIS, ".scored-text"),
    Shot("retrieval-en-light", "retrieval", "en", "light", SENTENCE, ".theatre canvas", THEATRE),
    Shot("agents-en-light", "agents", "en", "light", SENTENCE, ".st-key-ag_bill_picture svg"),
    Shot("agents-ko-dark", "agents", "ko", "dark", PARIS, ".st-key-ag_bill_picture svg"),
    Shot("retrieval-ko-dark", "retrieval", "ko", "dark", PARIS, ".theatre canvas", THEATRE),
    Shot("alignment-en-light", "alignment", "en", "light", SENTENCE, "[data-testid=stVegaLiteChart] svg"),
    Shot("alignment-ko-dark", "alignment", "ko", "dark", PARIS, "[data-testid=stVegaLiteChart] svg"),
    Shot("pretraining-en-light", "pretraining", "en", "light", SENTENCE, "[data-testid=stVegaLiteChart] svg"),
    Shot("pretraining-ko-dark", "pretraining", "ko", "dark", PARIS, "[data-testid=stVegaLiteChart] svg"),
    Shot("memory-en-light", "memory", "en", "light", SENTENCE, ".st-key-mem_budget_picture"),
    Shot("memory-ko-dark", "memory", "ko", "dark", PARIS, ".st-key-mem_budget_picture"),
    Shot("scaling-en-light", "scaling", "en", "light", SENTENCE, ".st-key-sca_losses svg"),
    Shot("scaling-ko-dark", "scaling", "ko", "dark", PARIS, ".st-key-sca_losses svg"),
    Shot("lifecycle-en-light", "lifecycle", "en", "light", SENTENCE, ".station-map .station"),
    Shot("lifecycle-ko-dark", "lifecycle", "ko", "dark", PARIS, ".station-map .station"),
    Shot("positions-ko-light", "positions", "ko", "light", PARIS, "[class*=st-key-pos] svg"),
)


PASSWORD = "teach-the-class"
CLASS = {  # in each language: link of a page -> who is on it, and what to press
    "en": (
        {"tokenization": ("Mina", "Leo"), "attention": ("Jun", "Ada", "Sofia"), "sampling": ("Noah",)},
        ("For teachers", "Sign in", "Begin a class"),
    ),
    "ko": (
        {"tokenization": ("하늘", "지우"), "attention": ("민준", "서연", "도윤"), "sampling": ("은서",)},
        ("선생님께", "로그인", "수업 시작"),
    ),
}


def take_classroom(browser: Browser, url: str, language: str, scheme: Literal["light", "dark"]) -> bytes:
    """What a teacher sees of a class of six, as PNG."""
    pages, (for_teachers, sign_in, begin) = CLASS[language]
    teacher = browser.new_page(viewport={"width": 1366, "height": 768}, color_scheme=scheme)
    teacher.goto(f"{url}/classroom?lang={language}")
    teacher.get_by_text(for_teachers).click()
    teacher.locator(".st-key-class_given input").fill(PASSWORD)
    teacher.get_by_role("button", name=sign_in).click()
    teacher.get_by_role("button", name=begin).click()
    tabs = []
    for page, name in ((page, name) for page, names in pages.items() for name in names):
        tabs.append(browser.new_page())
        tabs[-1].goto(f"{url}/{page}?lang={language}")
        field = tabs[-1].locator(".st-key-class_nickname input")
        field.fill(name)
        field.press("Enter")
        tabs[-1].locator(".st-key-class_line").wait_for()
        teacher.locator(".st-key-class_map").get_by_text(name).wait_for()
    png = as_png(teacher)
    for tab in (*tabs, teacher):
        tab.close()
    return png


def take(browser: Browser, url: str, shot: Shot) -> bytes:
    """The page as a reader with a small projector sees it, as PNG."""
    tab = browser.new_page(viewport={"width": 1366, "height": 768}, color_scheme=shot.scheme)
    tab.goto(f"{url}/{shot.page}?{urlencode({'text': shot.text, 'lang': shot.language})}{shot.link}")
    if shot.first:
        tab.locator(f".st-key-{shot.first} button").click()
        tab.get_by_text(shot.then).wait_for(timeout=300_000)
    tab.locator(shot.drawn).first.wait_for()
    png = as_png(tab)
    tab.close()
    return png


def as_png(tab: Page) -> bytes:
    """What a tab shows once nothing runs, with few colours."""
    tab.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for(state="attached")
    tab.evaluate("document.fonts.ready")
    tab.wait_for_timeout(800)
    picture = Image.open(io.BytesIO(tab.screenshot()))
    small = io.BytesIO()
    picture.convert("RGB").quantize(N_COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def main() -> None:
    """Start the app, take every picture, say how large it is."""
    FOLDER.mkdir(exist_ok=True)
    with LiveServer.playground() as server, sync_playwright() as playwright:
        server.wait_ready()
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        for shot in SHOTS:
            png = take(browser, server.url, shot)
            write(shot.name, png)
        browser.close()
    shots: tuple[tuple[str, Literal["light", "dark"]], ...] = (("en", "light"), ("ko", "dark"))
    for language, scheme in shots:
        with NamedTemporaryFile("w", suffix=".txt") as file:
            print(PASSWORD, file=file, flush=True)
            with (
                LiveServer.playground("--teacher-password-file", file.name) as server,
                sync_playwright() as own,
            ):
                server.wait_ready()
                browser = own.chromium.launch(executable_path=find_chromium(), args=FLAGS)
                write(f"classroom-{language}-{scheme}", take_classroom(browser, server.url, language, scheme))
                browser.close()


def write(name: str, png: bytes) -> None:
    """Write a picture, and say how large it is."""
    (FOLDER / f"{name}.png").write_bytes(png)
    print(f"assets/screenshots/{name}.png  {len(png) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
