"""`make page NAME=...`: the files of a new page, which runs and says *coming soon* until it is written.

Only the standard library is used.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Template

from playground.installation import SetUpFailed

NAME = re.compile(r"[a-z][a-z0-9_]*")
COMING_SOON = {"en": "Coming soon", "ko": "준비 중입니다"}
ENTRY = '    Page("$name", OUTPUT, ":material/construction:", reads_text=True),\n'

PACKAGE = '"""The page $title."""\n'
PAGE = '''"""Coming soon: $title."""

from __future__ import annotations

import streamlit as st

from playground.core.tables import tokenization as frames
from playground.ui import compute, show
from playground.ui.components.token_chips import token_chips
from playground.ui.frame import Drawn
from playground.ui.number import slider
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext
from playground.ui.try_this import Task


def draw(context: PageContext) -> Drawn:
    """Coming soon; until then, the first tokens of the sentence."""
    n_most = slider(_("Tokens at most"), range(1, 65), 32, key="${name}_n_most")
    tokens = compute.tokenize(context)
    table = frames.side_by_side([tokens]).head(n_most)
    token_chips(tokens, height=84)
    st.markdown(ngettext("{n:,} token", "{n:,} tokens", len(tokens)).format(n=len(tokens)))
    show.source(context.model)
    source = {"folder": show.model_folder(context.model.model_id), "text": context.text, "n_most": n_most}
    show.under_picture("$name", frame=table, code=show.code("$name", **source))
    tasks = [
        Task("tokens", "number", lambda: len(tokens)),
        Task("different", "number", lambda: len(set(tokens.input_ids))),
        Task("characters", "number", lambda: len(context.text)),
    ]
    return tasks, None
'''
CODE = '''"""Coming soon: the numbers of the page $title."""

from pathlib import Path

from transformers import AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is"
n_most = 32

tokenizer = AutoTokenizer.from_pretrained(Path(folder).expanduser())
ids = tokenizer(text, split_special_tokens=True).input_ids
print(len(ids), "tokens, the first of them:", ids[:n_most])
'''
TEST = '''"""Coming soon: the page $title, its numbers computed another way."""

from __future__ import annotations

from pathlib import Path

from playground.settings import Settings
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import folder, run_code

TEXT = "The cat sat on the mat"


def test_the_code_shown_gives_the_numbers_of_the_page(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("$name", lang="en", text=TEXT)
    assert not app.exception
    code = run_code("$name", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), text=TEXT)
    assert f"{len(code['ids'])} tokens" in [one.value for one in app.markdown]
'''
LESSON = """# $title

## question
$soon: $title?

## lead
$soon.

## lesson
$soon.

## task tokens
$soon.
> $soon.

## task different
$soon.
> $soon.

## task characters
$soon.
> $soon.

## take-away
$soon.
"""
FILES = {
    "playground/ui/$name/__init__.py": PACKAGE,
    "playground/ui/$name/page.py": PAGE,
    "assets/code/$name.py": CODE,
    "tests/pages/test_$name.py": TEST,
}


def write(name: str, root: Path) -> list[Path]:
    """Write the files of a page, name it in `navigation.PAGES` (last) and in both READMEs.

    Args:
        name: Name of its files and URL.
        root: Root of the repository.

    Returns:
        What is new or changed.

    Raises:
        SetUpFailed: It cannot be a page's name, or something has this name.
    """
    if not NAME.fullmatch(name):
        raise SetUpFailed(
            f"{name!r} is not a name for a page: small letters, digits and _ only, "
            "as in make page NAME=seq_to_seq"
        )
    words = {"name": name, "title": name.replace("_", " ").capitalize()}
    new = {Template(path).substitute(words): Template(text).substitute(words) for path, text in FILES.items()}
    first = (root / "pages" / "home.py").read_text("utf-8")
    new[f"pages/{name}.py"] = re.sub(r"\bhome\b", name, first)
    for language, soon in COMING_SOON.items():
        lesson = Template(LESSON).substitute(words, soon=soon)
        new[f"assets/lessons/{language}/{name}.md"] = lesson
    modules = f"playground/ui/{name}.py", f"playground/ui/{name}"
    taken = [path for path in (*new, *modules) if (root / path).exists()]
    if taken:
        raise SetUpFailed(f"{taken[0]} is there already: a page needs a name of its own")
    for path, text in new.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, "utf-8")
    _name_in_navigation(root / "playground" / "navigation.py", Template(ENTRY).substitute(words))
    for readme, soon in (("README.md", COMING_SOON["en"]), ("README.ko.md", COMING_SOON["ko"])):
        _name_in_readme(root / readme, f"| {words['title']} | {soon}: {words['title']}? |")
    return [root / path for path in (*new, "playground/navigation.py", "README.md", "README.ko.md")]


def _name_in_navigation(path: Path, entry: str) -> None:
    """Put an entry after the last one of PAGES."""
    text = path.read_text("utf-8")
    ends = [
        node.end_lineno
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PAGES"
    ]
    lines = text.splitlines(keepends=True)
    assert ends[0] is not None
    path.write_text("".join([*lines[: ends[0] - 1], entry, *lines[ends[0] - 1 :]]), "utf-8")


def _name_in_readme(path: Path, row: str) -> None:
    """Put a row after the last one of the table of pages, the only one with two columns."""
    text = path.read_text("utf-8")
    last = [match.end() for match in re.finditer(r"^\| [^|]+ \| [^|]+ \|$", text, re.MULTILINE)][-1]
    path.write_text(f"{text[:last]}\n{row}{text[last:]}", "utf-8")
