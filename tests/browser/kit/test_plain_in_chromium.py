"""Text from outside in our own sentences is shown letter by letter, whatever Streamlit's Markdown knows."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.live_server import LiveServer
from playground.ui.text import WORD_JOINER
from tests.browser.reader import wait_run

CONSTRUCTS = [
    # links
    "http://evil.example/x",
    "HTTPS://evil.example",
    "www.evil.example",
    "see WWW.evil.example now",
    "<http://evil.example>",
    "a@evil.example",
    "mailto:a@evil.example",
    "xmpp:a@evil.example/r",
    "안녕 http://evil.example 하세요",
    "http\\://evil.example",
    "[x](javascript:alert(1))",
    "[x](http://e.x)",
    "![x](http://e.x/y.png)",
    "[x][y]\n\n[y]: http://e.x",
    "[x]: /y",
    # formulas, colours, icons
    "$x^2$",
    "$$x$$",
    "\\(x\\)",
    ":red[x]",
    ":red-background[x]",
    ":blue-badge[x]",
    ":rainbow[x]",
    ":small[x]",
    ':color[x]{foreground="red"}',
    ":material/home:",
    ":material_home:",
    "x:material/home:y",
    ":red-badge[:material/home: x]",
    ":streamlit:",
    ":smile:",
    ":+1:",
    "a :tada: b",
    "::name[x]{a=b}",
    ":::note\nx\n:::",
    "[x]{color=red}",
    # signs
    "->",
    "-> x",
    "x <- y",
    "a <-> b",
    "a -- b",
    "a >= b",
    "<= b",
    "~= c",
    "\ufeff->\ufeff",
    "\u00a0->\u00a0",
    "12:30:45",
    # emphasis, code, blocks
    "**b**",
    "__b__",
    "*i*",
    "_i_",
    "~~s~~",
    "`c`",
    "```\nx\n```",
    "~~~\nx\n~~~",
    "# h",
    "x\n# h",
    "x\n===",
    "x\n---",
    "---",
    "x\n\n    code",
    "x\n\n\tcode",
    "x\r\r    code",
    "    code",
    "> q",
    "- l",
    "+ l",
    "* l",
    "1. l",
    "1) l",
    "- [ ] t",
    "a | b\n--|--\n1 | 2",
    "[^1]\n\n[^1]: n",
    # HTML
    "<b>x</b>",
    "<script>x</script>",
    "<!-- c -->",
    "&amp;&lt;&copy;&#x41;",
    "\\",
    "a\\\nb",
    "a  \nb",
    "{x}",
]
SCRIPT = """
import json, pathlib
import streamlit as st
from playground.ui.text import plain, strong

for number, text in enumerate(json.loads(pathlib.Path({path!r}).read_text("utf-8"))):
    with st.container(key=f"alone_{{number}}"):
        st.markdown(plain(text))
    with st.container(key=f"within_{{number}}"):
        st.error("The value is " + plain(text) + " here")
"""
READ = """() => Object.fromEntries([...document.querySelectorAll("[class*=st-key-]")].map((box) => [
  [...box.classList].find((name) => name.startsWith("st-key-")).slice("st-key-".length),
  [box.querySelector("[data-testid=stMarkdownContainer]").textContent,
   [...box.querySelectorAll("p *, pre, h1, h2, ul, ol, table, blockquote, hr")].map((node) => node.tagName)],
]))"""


def _words(text: str) -> str:
    """Without what cannot be seen."""
    return " ".join(text.replace(WORD_JOINER, "").replace("\ufeff", "").split())


def test_every_construct_is_shown_as_it_was_written(browser: Browser, tmp_path: Path) -> None:
    texts, script = tmp_path / "texts.json", tmp_path / "script.py"
    texts.write_text(json.dumps(CONSTRUCTS), "utf-8")
    script.write_text(SCRIPT.format(path=str(texts)), "utf-8")
    with LiveServer.streamlit(script) as live:
        context = browser.new_context()
        page = context.new_page()
        page.goto(live.url)
        wait_run(page)
        page.locator(f".st-key-within_{len(CONSTRUCTS) - 1}").wait_for()
        page.wait_for_function(
            "document.querySelectorAll('[data-testid=stMarkdownContainer] p').length > 100"
        )
        shown = page.evaluate(READ)
        context.close()
    for number, text in enumerate(CONSTRUCTS):
        for name, wanted in ((f"alone_{number}", text), (f"within_{number}", f"The value is {text} here")):
            content, tags = shown[name]
            assert _words(content) == _words(wanted), (text, content)
            assert set(tags) <= {"BR"}, (text, tags)
