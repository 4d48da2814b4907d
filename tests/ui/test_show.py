"""What stands under a picture: code that no text can break."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st_

from playground.paths import site_root
from playground.ui import show

SCRIPTS = [
    path
    for path in sorted((site_root() / "assets" / "code").glob("*.py"))
    if "\ntext = " in path.read_text("utf-8")
]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_that_reads_a_text_starts_with_it(path: Path) -> None:
    tree = ast.parse(show.code(path.stem, text="the reader's own"))
    assigned = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert ast.literal_eval(assigned["text"]) == "the reader's own"


@given(st_.text())
def test_any_text_stays_a_string_in_the_code(text: str) -> None:
    script = show.code(SCRIPTS[0].stem, text=text)
    tree = ast.parse(script)
    (value,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "text"
    ]
    assert ast.literal_eval(value) == text
    assert len(tree.body) == len(ast.parse(SCRIPTS[0].read_text("utf-8")).body)


def test_a_variable_the_script_does_not_have_is_an_error() -> None:
    with pytest.raises(KeyError, match="no_such_variable"):
        show.code(SCRIPTS[0].stem, no_such_variable=1)
