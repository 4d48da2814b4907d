"""These tests know the contract and nothing of the engines that pass them."""

from __future__ import annotations

import ast
from pathlib import Path


def test_tests_of_the_contract_import_it_alone() -> None:
    for path in Path(__file__).parent.glob("test_*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        named = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        engine = {name for name in named if name.startswith("playground.engine")}
        assert all(name.startswith("playground.engine.contract.") for name in engine), path.name
