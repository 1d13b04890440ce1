"""Finds the operation for a method and path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.sandbox.ground.refusals import RefusalError


@dataclass(slots=True)
class _Node:
    """A node in the tree of paths: its children by segment, and its operations by method."""

    fixed: dict[str, _Node] = field(default_factory=dict)
    open: _Node | None = None
    operations: dict[str, Operation] = field(default_factory=dict)


class Router:
    """Finds operations by method and path. Fixed segments win over placeholders."""

    def __init__(self, catalog: Catalog) -> None:
        self._root = _Node()
        for operation in catalog:
            node = self._root
            for segment in operation.path.split("/"):
                if segment.startswith("{"):
                    node.open = node.open or _Node()
                    node = node.open
                else:
                    node = node.fixed.setdefault(segment, _Node())
            node.operations[operation.method] = operation

    def find(self, method: str, raw_path: str) -> tuple[Operation, dict[str, str]]:
        """Return the operation and its path arguments.

        Args:
            method: the HTTP method.
            raw_path: the path, still percent-encoded: an encoded slash does not separate.

        Raises:
            RefusalError: 404, when no operation has this path; 405, when it has other methods.
        """
        ends = _ends(self._root, raw_path.split("/"))
        for node, values in ends:
            if operation := node.operations.get(method):
                names = operation.path_arguments
                return operation, dict(zip(names, map(unquote, values), strict=True))
        path = unquote(raw_path)
        if ends:
            raise RefusalError(405, f"{path} does not take {method}")
        raise RefusalError(404, f"no such endpoint: {method} {path}")


def _ends(node: _Node, segments: Sequence[str]) -> list[tuple[_Node, list[str]]]:
    """Return the nodes where a path ends, fixed segments first, with the placeholders' values."""
    if not segments:
        return [(node, [])] if node.operations else []
    first, rest = segments[0], segments[1:]
    found = _ends(node.fixed[first], rest) if first in node.fixed else []
    if node.open:
        found += [(end, [first, *values]) for end, values in _ends(node.open, rest)]
    return found
