"""Tests come through the doors that users use: none touches a name that begins with `_`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("tests", "bench") for path in (ROOT / folder).rglob("*.py"))
OF_PYTHON = {"os._exit"}
OF_FUNCTIONS = {"__kwdefaults__", "__defaults__"}  # what a call leaves out is private too


def private_names(tree: ast.Module) -> Iterator[str]:
    """Yield the private names of others that a module reads, sets, imports or patches."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("talonone_mcp"):
            yield from (alias.name for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr"):
            texts = [str(each.value) for each in node.args[:2] if isinstance(each, ast.Constant)]
            yield from (text for text in texts if is_private(text.rpartition(".")[2]))


def is_private(name: str) -> bool:
    return (name.startswith("_") and not name.startswith("__")) or name in OF_FUNCTIONS


def test_no_private_name_is_touched() -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in FILES
        if (names := {*private_names(ast.parse(path.read_text("utf-8")))} - OF_PYTHON)
    }

    assert found == {}
