"""The folders of the package are its layers, and imports point down them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "server" / "talonone_mcp"
# From the faces down to the ground. A folder may be missing while nothing is in it.
LAYERS = (
    "terminal",
    "console",
    "server",
    "surface",
    "workflows",
    "calls",
    "upstream",
    "store",
    "rules",
    "core",
)
# Beside them: who may see the sandbox, and what it may see.
SANDBOX = "sandbox"
SANDBOX_SEES = {"rules", "core"}
SEES_SANDBOX = {"terminal", "server"}
# The same within the sandbox; `app` is its front, a module of its own.
SANDBOX_LAYERS = (
    "app",
    "http",
    "demo",
    "customer_data",
    "sessions",
    "rule_engine",
    "loyalty",
    "cards",
    "codes",
    "achievements",
    "customers",
    "ledgers",
    "scim",
    "team",
    "campaigns",
    "stores",
    "catalogs",
    "logs",
    "handling",
    "documents",
    "ground",
)
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_ENTRIES, MOST_LINES = 14, 400


def imports(path: Path, *, typing: bool = True) -> Iterator[tuple[str, ...]]:
    """Yield the modules of the package that a file imports, as the parts of their names.

    Imports inside functions count; those for type checkers count only if `typing` says so.
    """
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree if typing else without_typing_only(tree)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("talonone_mcp"):
            parts = tuple((node.module or "").split("."))[1:]
            for alias in node.names:
                within = PACKAGE.joinpath(*parts, alias.name)
                module = within.is_dir() or within.with_suffix(".py").is_file()
                yield (*parts, alias.name) if module else parts


def of(path: Path) -> tuple[str, ...]:
    """Return the parts of a module's own name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def without_typing_only(tree: ast.Module) -> ast.Module:
    """Return a module without what stands under `if TYPE_CHECKING`, which never runs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            node.body = [ast.Pass()]
    return tree


def public_classes(path: Path) -> Iterator[str]:
    """Yield the names of the public classes that a module defines."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def allowed(own: str) -> set[str]:
    """Return the rooms that a module of a room may see, beside its own."""
    if own == SANDBOX:
        return SANDBOX_SEES
    if own == "__main__":
        return {"terminal"}
    if not own:
        return set()
    return {*LAYERS[LAYERS.index(own) :]} | ({SANDBOX} if own in SEES_SANDBOX else set())


def test_imports_point_down() -> None:
    wrong = {}
    for path in MODULES:
        own = next(iter(of(path)), "")
        others = {parts[0] for parts in imports(path) if parts} - {own}
        if upwards := others - allowed(own):
            wrong[str(path.relative_to(PACKAGE))] = upwards

    assert wrong == {}


def test_imports_within_the_sandbox_point_down() -> None:
    wrong = {}
    for path in MODULES:
        if of(path)[:1] == (SANDBOX,):
            own = next(iter(of(path)[1:]), "")
            others = {parts[1] for parts in imports(path) if parts[:1] == (SANDBOX,)} - {own}
            below = {*SANDBOX_LAYERS[SANDBOX_LAYERS.index(own) :]} if own else set()
            if upwards := others - below:
                wrong[str(path.relative_to(PACKAGE))] = upwards

    assert wrong == {}


def test_the_sandbox_holds_its_layers_and_nothing_else() -> None:
    entries = {path.stem for path in (PACKAGE / SANDBOX).iterdir()}

    assert entries - {"__init__", "__pycache__"} == {*SANDBOX_LAYERS}


def test_no_modules_import_each_other() -> None:
    graph = {of(path): {*imports(path, typing=False)} - {of(path)} for path in MODULES}

    TopologicalSorter(graph).prepare()  # a CycleError names the modules of a cycle


def test_no_two_public_classes_have_the_same_name() -> None:
    places = defaultdict(list)
    for path in MODULES:
        for name in public_classes(path):
            places[name].append(of(path))

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_the_package_holds_its_layers_and_nothing_else() -> None:
    entries = {path.name for path in PACKAGE.iterdir()} - {"__pycache__"}
    rooms = entries - {"__init__.py", "__main__.py", "py.typed"}

    assert rooms <= {*LAYERS, SANDBOX}
    assert len(rooms) <= MOST_ENTRIES


def test_starting_loads_neither_the_http_client_nor_the_validator() -> None:
    start = """
import sys
from talonone_mcp.core import catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server
build_server(load_settings({"sandbox": True}, {}), catalog.load())
print([name for name in ("httpx", "jsonschema", "talonone_mcp.sandbox") if name in sys.modules])
"""
    loaded = subprocess.run(
        [sys.executable, "-c", start], capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "[]\n"


def test_no_two_modules_have_the_same_name() -> None:
    names = Counter(
        path.stem
        for path in MODULES
        if path.stem not in ("__init__", "__main__")
        and of(path)[0] != SANDBOX
        and of(path)[:2] != ("terminal", "commands")
    )

    assert [name for name, count in names.items() if count > 1] == []


def test_no_module_is_long() -> None:
    lines = {str(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}

    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}
