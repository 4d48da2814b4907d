"""The dependency rule of ARCHITECTURE.md, read off the source."""

from __future__ import annotations

import ast
import graphlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from playground import navigation

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "playground"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "pages").glob("*.py")])
LONGEST = 350  # lines of a file

LEAVES = {
    "playground.settings", "playground.setting_values", "playground.setting_limits", "playground.errors",
    "playground.paths", "playground.navigation",
}  # fmt: skip
MAY_IMPORT = {
    "core": {"playground.core"},
    "engine": {"playground.engine", "playground.core"},
    "charts": {"playground.charts", "playground.core"},
    "ui": {"playground.ui", "playground.charts", "playground.engine", "playground.core"},
    "pages": {"playground.ui"},
    "trained": {"playground.trained", "playground.engine", "playground.core"},
    "v1": {"playground.v1", "playground.engine.contract", "playground.core"},
}
LIBRARIES = {
    "streamlit": {"ui", "pages", "app", "server", "sessions", "door", "shell", "waking"},
    "torch": {"engine", "doctor", "trained"},
    "transformers": {"engine", "trained"},
    "altair": {"charts"},
    "bertviz": set(),  # charts/bertviz.py reads its two scripts
    "llguidance": {"engine", "trained"},
    "ray": {"engine"},  # one room of it: below
}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def layer(path: Path) -> str:
    inside = path.relative_to(ROOT).parts
    if inside[0] == "pages":
        return "pages"
    return inside[1].removesuffix(".py")


def modules(path: Path) -> Iterator[str]:
    """The modules that a file imports, `from folder import module` too."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} relative import"
            module = node.module or ""
            folder = ROOT.joinpath(*module.split("."))
            inside = {name.name for name in node.names if is_module(folder / name.name)}
            yield from (f"{module}.{name}" for name in sorted(inside))
            if len(inside) < len(node.names):
                yield module


def is_module(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


# Modules that are started, not imported.
STARTED = {"playground.app", "playground.bootstrap", "playground.cli", "playground.trained.__main__"}
# The ground of the page alignment; it is taken off here as it is built.
AHEAD: set[str] = set()


def test_every_module_is_imported_by_another() -> None:
    imported = {name for path in SOURCES for name in modules(path)}
    own = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in SOURCES
        if path.is_relative_to(PACKAGE) and path.name != "__init__.py"
    }
    assert own - imported == STARTED | AHEAD


def test_arrows_go_down_only() -> None:
    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SOURCES
        for name in modules(path)
        if not may_import(layer(path), name)
    ]
    assert upward == []


def may_import(own: str, name: str) -> bool:
    """Whether a module of this layer may import that one."""
    allowed = MAY_IMPORT.get(own)
    if allowed is not None and name.startswith("playground.") and name not in LEAVES:
        return any(name == low or name.startswith(low + ".") for low in allowed)
    library = name.split(".")[0]
    return library not in LIBRARIES or own in LIBRARIES[library]


def test_no_part_of_the_app_imports_a_script_that_trains() -> None:
    importers = {
        layer(path)
        for path in SOURCES
        if any(name.startswith("playground.trained") for name in modules(path))
    }
    assert importers == {"trained"}


# What ui may know of the engine: the contract, the one engine of this process, the list of models.
ENGINE_FOR_UI = (
    "playground.engine.contract",
    "playground.engine.process",
    "playground.engine.models.catalogue",
)


def test_ui_knows_the_contract_of_the_engine_only() -> None:
    past = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SOURCES
        if layer(path) in ("ui", "pages", "navigation", "app")
        for name in modules(path)
        if name.startswith("playground.engine") and not name.startswith(ENGINE_FOR_UI)
    ]
    assert past == []


# Rooms of the engine and their floors: a room knows itself and those of lower floors. Beside them stand
# `memory`, which knows nothing of the engine, and what starts it: `process` and the package itself.
FLOORS = {
    "contract": 1,
    "scheduling": 2, "models": 2,
    "adapters": 3, "constraining": 3, "forward": 3, "recurrent": 3, "retrieval": 3, "pretraining": 3,
    "decoding": 4, "task_heads": 4, "quantizing": 4,
    "training": 5,
    "local": 6,
    "remote": 7,
}  # fmt: skip


def test_rooms_of_the_engine_know_only_lower_floors() -> None:
    rooms = {path.parent.name for path in (PACKAGE / "engine").glob("*/__init__.py")}
    assert rooms == FLOORS.keys()
    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (PACKAGE / "engine").glob("*/*.py")
        for name in modules(path)
        if name.startswith("playground.engine") and not is_below(path.parent.name, name)
    ]
    assert upward == []


def is_below(room: str, name: str) -> bool:
    """Whether a module of the engine lies in this room or on a lower floor."""
    other = [*name.split("."), ""][2]
    return other in (room, "memory") or FLOORS.get(other, 99) < FLOORS[room]


def test_one_module_imports_ray() -> None:
    importers = {
        path.relative_to(PACKAGE).as_posix()
        for path in SOURCES
        for name in modules(path)
        if name.split(".")[0] == "ray"
    }
    assert importers == {"engine/remote/cluster.py"}


def test_the_contract_is_plain_data() -> None:
    """A second engine needs no more than this to be written, and no library beside NumPy."""
    known = ("playground.engine.contract", "playground.core", "playground.errors", "playground.settings")
    other = {
        name
        for path in (PACKAGE / "engine" / "contract").glob("*.py")
        for name in modules(path)
        if not name.startswith(known)
    }
    assert {name.split(".")[0] for name in other} <= {"numpy"} | sys.stdlib_module_names


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for types and within functions count too."""
    named = {module_name(path): path for path in PACKAGE.rglob("*.py")}
    imported = {name: set(modules(path)) & named.keys() - {name} for name, path in named.items()}
    assert sum(map(len, imported.values())) > 1_000
    graphlib.TopologicalSorter(imported).prepare()  # raises CycleError, which names one


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_one_module_of_ui_is_the_door_to_the_engine() -> None:
    sources = [path for path in SOURCES if layer(path) in ("ui", "pages")]
    openers = [path.name for path in sources if "playground.engine.process" in modules(path)]
    assert openers == ["compute.py"]
    whole = [
        path.name for path in sources if re.search(r"compute(\.| import )engine\b", path.read_text("utf-8"))
    ]
    assert sorted(whole) == [
        "collections.py",
        "footprints.py",
        "from_zero.py",
        "networks.py",
        "preferences.py",
        "quantized.py",
        "stepwise.py",
        "task_heads.py",
    ], "others ask by a function of compute, or by one part of the engine"


def test_a_folder_of_ui_is_one_page_and_no_page_imports_another() -> None:
    """A file directly in ui/ serves every page, so it imports no page's folder."""
    folders = {path.parent.name for path in (PACKAGE / "ui").glob("*/__init__.py")}
    assert folders - {"components"} == navigation.BY_NAME.keys()
    across = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SOURCES
        if layer(path) in ("ui", "pages")
        for name in modules(path)
        if page_of(PACKAGE.parent.joinpath(*name.split("."))) not in ("", page_of(path))
    ]
    assert across == []


def page_of(path: Path) -> str:
    """The page that a module belongs to, "" for the kit and everything that is not ui."""
    if path.parent == ROOT / "pages":
        return path.stem
    if not path.is_relative_to(PACKAGE / "ui"):
        return ""
    name = "".join(path.relative_to(PACKAGE / "ui").parts[:1])
    return name if (PACKAGE / "ui" / name / "page.py").is_file() else ""


def test_one_module_names_bertviz_as_a_package() -> None:
    """An import of it reads torch, IPython and boto3."""
    named = {path.name for path in SOURCES if 'distribution("bertviz")' in path.read_text("utf-8")}
    assert named == {"bertviz.py"}


def test_sizes() -> None:
    files = [*SOURCES, *PACKAGE.rglob("*.js"), *(ROOT / "tests").rglob("*.py")]
    too_long = [path.name for path in files if path.read_text("utf-8").count("\n") > LONGEST]
    too_long += [
        f"{path.name}: {node.name}"
        for path in SOURCES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno > 60
    ]
    assert too_long == []


def test_folders_of_tests_are_those_of_the_code() -> None:
    folders = {
        path.parent.relative_to(ROOT / "tests")
        for layer in ("core", "engine", "charts", "ui")
        for path in (ROOT / "tests" / layer).rglob("test_*.py")
    }
    assert [str(folder) for folder in folders if not (PACKAGE / folder).is_dir()] == []


def test_the_entry_stays_thin() -> None:
    assert (PACKAGE / "app.py").read_text("utf-8").count("\n") <= 60


def test_only_settings_reads_the_environment() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    allowed = {
        "playground/engine/__init__.py",  # writes OpenMP's waiting policy
        "playground/engine/remote/cluster.py",  # tells Ray to stay on this machine, before it is imported
        "playground/engine/models/tiktoken_files.py",  # tells tiktoken its cache folder
        "playground/settings.py",  # and refuses names that are none
        "playground/actions.py",  # runs before anything is installed: is this CI, are there replicas?
        "playground/chromium.py",  # the browser that a developer names
        "playground/cli.py",  # asks whether there is a screen to open a browser on
    }
    assert readers <= allowed


def test_a_run_ends_without_forgetting_the_next_click() -> None:
    """`st.stop()` forgets it; `ui.state.end_run` does not."""
    stops = [path.name for path in SOURCES if re.search(r"\bst\.stop\(\)(?!`)", path.read_text("utf-8"))]
    assert stops == []
