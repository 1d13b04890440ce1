"""The JSON Schema of every documented answer: which fields it has, where, and of which type.

It is separate from the catalog because few callers need it: calls that name `fields`, and hosts
that want output schemas. `tools/_answers.json` is read at the first such call.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from talonone_mcp.core.catalog.model import Schema

_FILE_NAME = "_answers.json"
_INSTALLED = Path(__file__).parents[2] / "tools" / _FILE_NAME
CHECKOUT = Path(__file__).parents[4] / "tools" / _FILE_NAME


@cache
def answers() -> Mapping[str, Schema]:
    """Return the answer schema of each operation by operation name, read once per process.

    The schemas use only `type`, `properties`, `items` and `additionalProperties`. They require
    nothing; an empty one means that upstream documents no more.
    """
    path = _INSTALLED if _INSTALLED.is_file() else CHECKOUT
    schemas: dict[str, Schema] = json.loads(path.read_bytes())
    return schemas


def answer_schema(operation_name: str) -> Schema | None:
    """Return the schema of an operation's answer as upstream sends it; None if it is not JSON."""
    return answers().get(operation_name)
