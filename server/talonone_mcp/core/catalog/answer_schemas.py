"""The form of every documented answer: which fields there are, where, and of which type.

It is apart from the catalog because few calls need it: those that name `fields`, and hosts that
ask for output schemas. `tools/_answers.json` is read when the first of them comes.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from talonone_mcp.core.catalog.model import Schema

_NAME = "_answers.json"
_INSTALLED = Path(__file__).parents[2] / "tools" / _NAME
CHECKOUT = Path(__file__).parents[4] / "tools" / _NAME


@cache
def answers() -> Mapping[str, Schema]:
    """Return the form of each operation's answer by the operation's name, read once a process.

    A form is a JSON Schema of `type`, `properties`, `items` and `additionalProperties` alone. It
    requires nothing, and an empty one says that upstream documents no more.
    """
    path = _INSTALLED if _INSTALLED.is_file() else CHECKOUT
    forms: dict[str, Schema] = json.loads(path.read_bytes())
    return forms


def answer_schema(operation_name: str) -> Schema | None:
    """Return the form of an operation's answer as upstream sends it; None where it has no JSON."""
    return answers().get(operation_name)
