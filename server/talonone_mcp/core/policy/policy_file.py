"""Reads a policy from YAML, and says which line of it is wrong.

    window: 24 hours
    destroys: always
    gives:
      points: {above: 1000, sum_above: 1000, sum_of_all_above: 10000}
      other: always

Anchors and aliases are refused: a policy needs none, and a few lines of them can stand for
billions of values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talonone_mcp.core.policy.layer_reader import LayerReader
from talonone_mcp.core.policy.layers import Layer, laid_over
from talonone_mcp.core.policy.policy_lines import BUILT_IN, OTHER, PolicyError
from talonone_mcp.core.policy.rulings import Policy
from talonone_mcp.core.safe_files import UnsafeFileError, read_regular

if TYPE_CHECKING:
    from yaml import Node

_MAX_BYTES = 65_536
_MAX_DEPTH = 4  # of mappings in one another: the file, a kind, a unit; one to spare


def read_policy_file(path: Path, units: Iterable[str]) -> Layer:
    """Return what an operator's policy file says.

    Args:
        path: the file.
        units: what it may name as a unit.

    Raises:
        PolicyError: it cannot be read, or something in it is wrong.
    """
    try:
        content = read_regular(path, max_bytes=_MAX_BYTES)
    except UnsafeFileError as error:
        raise PolicyError(f"cannot read the policy {path}: it {error}") from None
    except OSError as error:
        raise PolicyError(f"cannot read the policy {path}: {error.strerror}") from None
    return parsed_policy(content, path.name, units)


def parsed_policy(content: bytes, name: str, units: Iterable[str] | None) -> Layer:
    """Return what the text of a policy says.

    Args:
        content: the YAML.
        name: what messages call the file.
        units: what it may name as a unit; None for anything.

    Raises:
        PolicyError: something in it is wrong; the message has a line for each problem.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PolicyError(f"{name}, line {line}: is not UTF-8 text") from None
    root = _root(text, name)
    reader = LayerReader(name, None if units is None else tuple(units))
    layer = reader.layer(root) if root is not None else Layer()
    if reader.problems:
        raise PolicyError("\n".join(reader.problems))
    return layer


def compiled_policy(path: Path, units: Iterable[str]) -> dict[str, Any]:
    """Return the JSON form of the built-in policy.

    Args:
        path: the file; without it, everything is asked about.
        units: those that operations count.

    Raises:
        PolicyError: something in it is wrong.
    """
    content = path.read_bytes() if path.is_file() else b""
    layer = parsed_policy(content, path.name, None)
    lines = tuple(replace(line, origin=BUILT_IN) for line in layer.lines)
    known = {*units, *(line.unit for line in lines)} - {OTHER, ""}
    policy = laid_over(
        Policy(units=tuple(sorted(known))), replace(layer, lines=lines, window_origin=BUILT_IN)
    )
    return policy.to_json()


def _root(text: str, name: str) -> Node | None:
    """Return the top of the document; None if it is empty.

    Raises:
        PolicyError: it is not YAML, or more than a policy needs.
    """
    import yaml  # noqa: PLC0415 - most servers parse no YAML at all

    # The loader is safe: nodes only, never objects. C's would not bound its own depth.
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if getattr(event, "anchor", None):
                raise PolicyError(f"{name}, line {line}: must not use anchors (&) or aliases (*)")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                raise PolicyError(f"{name}, line {line}: is nested too deeply")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = error.problem or error.context or "it cannot be parsed"
        raise PolicyError(f"{name}, line {line}: is not valid YAML: {what}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise PolicyError(f"{name}, line {line}: has a character that YAML forbids") from None
    return None if isinstance(root, yaml.ScalarNode) and not root.value else root
