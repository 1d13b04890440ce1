"""Imports point one way, from the faces down to the ground."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "server" / "talonone_mcp"
LAYERS = [
    {
        "__main__",
        "cli",
        "commands",
        "demo",
        "doctor",
        "app",
        "calls",
        "opening",
        "elicitation",
        "hosts",
        "http",
        "reporting",
        "serving",
    },
    {
        "dispatch",
        "workflows",
        "surface",
        "outputs",
        "doors",
        "door_calls",
        "search",
        "wording",
        "prompt_folder",
        "prompt_source",
        "prompts",
        "completions",
        "directory",
        "resources",
        "subscriptions",
    },
    {
        "answers",
        "cutting",
        "executor",
        "recorder",
        "gate",
        "question",
        "approvals",
        "audit",
        "exports",
        "fields",
        "imports",
        "paging",
        "request",
        "rows",
        "shape",
        "tables",
    },
    {"client"},
    {"catalog", "csv_masking", "masking", "principal", "settings", "state", "text"},
]
MODULES = sorted(PACKAGE.rglob("*.py"))


def top(module: str) -> str:
    """Return the module, or the subpackage, of a dotted name below the package."""
    return module.removeprefix("talonone_mcp").strip(".").partition(".")[0]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("talonone_mcp"):
            parts = [node.module or ""]
            if node.module == "talonone_mcp":
                parts = [f"talonone_mcp.{alias.name}" for alias in node.names]
            names |= {top(part) for part in parts}
    return names - {"", "__version__"}


def layer(name: str) -> int:
    [index] = [index for index, names in enumerate(LAYERS) if name in names]
    return index


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if own == "sandbox":
        assert imported(path) <= {"sandbox", "catalog", "settings"}
        return
    if own == "__init__":
        assert imported(path) == set()
        return
    others = imported(path) - {own}
    if "sandbox" in others:
        assert own in ("opening", "commands")
        others.remove("sandbox")
    assert all(layer(other) >= layer(own) for other in others)


def test_starting_loads_neither_the_http_client_nor_the_validator() -> None:
    start = """
import sys
from talonone_mcp import catalog
from talonone_mcp.app import build_server
from talonone_mcp.settings import load_settings
build_server(load_settings({"sandbox": True}, {}), catalog.load())
print([name for name in ("httpx", "jsonschema", "talonone_mcp.sandbox") if name in sys.modules])
"""
    loaded = subprocess.run(
        [sys.executable, "-c", start], capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "[]\n"


def test_the_table_of_layers_is_this_one() -> None:
    text = (PACKAGE.parents[1] / "docs" / "architecture.md").read_text("utf-8")
    section = text.partition("\n## Layers\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| [a-z ]+ \| (`.*?) \|", section, re.MULTILINE)

    assert [{name.strip("/") for name in re.findall(r"`([^`]+)`", row)} for row in rows] == LAYERS
