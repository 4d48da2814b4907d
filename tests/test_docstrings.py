"""Docstrings say plainly what a thing is, and name the shapes of the arrays that go in and out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "playground"
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_RIDDLE = re.compile(r"(?:Wh(?:at|o|om|ose|ich|ere|en|ether|y)|How|Of)\b")
_ARRAYS = {"NDArray", "ArrayLike", "Tensor"}
_SHAPE = re.compile(r"[Ss]hape|Length \[|\[(?:\.\.\.|[a-z_]+)(?:[ ,+*/-][^\]]*)?\]")


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def documented(path: Path) -> Iterator[tuple[str, Documented, str]]:
    """Place, node and docstring ("" without one) of the module and of everything in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Documented):
            name = "module" if isinstance(node, ast.Module) else f"{node.lineno} {node.name}"
            yield f"{path.relative_to(PACKAGE)}:{name}", node, ast.get_docstring(node) or ""


def test_every_module_has_a_docstring() -> None:
    paths = PACKAGE.rglob("*.py")
    assert [path for path in paths if not ast.get_docstring(ast.parse(path.read_text("utf-8")))] == []


def test_no_docstring_begins_as_a_riddle() -> None:
    riddles = [place for path in sources() for place, _node, text in documented(path) if _RIDDLE.match(text)]
    assert riddles == []


def names_of_arrays(path: Path) -> set[str]:
    """Types of arrays as this module writes them, with its own short names for them."""
    short = {
        ast.unparse(target)
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign) and "NDArray" in ast.unparse(node.value)
        for target in node.targets
    }
    return _ARRAYS | short


def takes_or_gives_arrays(function: ast.FunctionDef | ast.AsyncFunctionDef, arrays: set[str]) -> bool:
    of = function.args
    annotations = [each.annotation for each in (*of.posonlyargs, *of.args, *of.kwonlyargs)]
    return any(each and arrays & words_in(each) for each in (*annotations, function.returns))


def words_in(annotation: ast.expr) -> set[str]:
    return set(re.findall(r"\w+", ast.unparse(annotation)))


def without_example(text: str) -> str:
    return text.partition("Example:")[0] + text.partition("Source:")[2]


def unshaped(path: Path) -> Iterator[str]:
    """Public functions whose docstring names no shape of their arrays; a class may do so for its methods."""
    excused: set[int] = set()
    arrays = names_of_arrays(path)
    for place, node, text in documented(path):
        if isinstance(node, ast.ClassDef) and (node.name.startswith("_") or _SHAPE.search(text)):
            excused |= {id(member) for member in node.body}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            excused |= {id(inner) for inner in ast.walk(node) if inner is not node}
            is_checked = not node.name.startswith("_") and id(node) not in excused
            if (
                is_checked
                and takes_or_gives_arrays(node, arrays)
                and not _SHAPE.search(without_example(text))
            ):
                yield place


def test_public_functions_of_core_and_engine_name_the_shapes_of_their_arrays() -> None:
    rooms = ("core/", "engine/")
    paths = [path for path in sources() if path.relative_to(PACKAGE).as_posix().startswith(rooms)]
    assert [place for path in paths for place in unshaped(path)] == []
