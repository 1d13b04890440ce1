"""Take secrets out of an answer before anybody sees it: a model, a question, the log.

What is sent upstream again, such as the rest of a document that is replaced, is not shown and
keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import anyio.to_thread

from talonone_mcp.core.catalog import Operation, Tool
from talonone_mcp.core.catalog.problems import Problem
from talonone_mcp.core.csv_masking import hide_in_csv
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.hiding import hide
from talonone_mcp.core.secret_texts import HIDDEN
from talonone_mcp.store.secret_files import SecretFiles
from talonone_mcp.upstream.http_messages import Answer

_BEFORE_LOCATION = "[hidden: a person can read it in "
_NOTE = re.compile(rf"{re.escape(_BEFORE_LOCATION)}([^\]]{{1,4096}})\]")


def without_secrets(operation: Operation, body: Any) -> Any:
    """Return upstream's answer, JSON or CSV text, with every secret replaced by `HIDDEN`."""
    if operation.answer == "csv" and isinstance(body, str):
        return hide_in_csv(body)
    hidden = hide(body)
    for path in operation.hidden:
        hidden = _replaced(hidden, path.split("."), _hidden)
    return hidden


async def for_reading(operation: Operation, answer: Answer, files: SecretFiles) -> Answer:
    """Return an answer as callers get it: without secrets, and with where a person finds some.

    Args:
        operation: what was called; its `hidden` tells which secrets people need.
        answer: upstream's answer.
        files: where these are written.
    """
    body = without_secrets(operation, answer.body)
    paths = [path for path, reader in operation.hidden.items() if reader == "person"]
    found = {place: text for path in paths for place, text in _texts(answer.body, path)}
    if found:
        note = await anyio.to_thread.run_sync(_noted, files, operation.name, found)
        for path in paths:
            body = _replaced(body, path.split("."), lambda value: note if value else value)
    return replace(answer, body=body)


def with_secrets(
    operation: Operation, arguments: Mapping[str, Any], files: SecretFiles
) -> Mapping[str, Any]:
    """Return arguments to send: a secret one may be given as an answer showed it.

    So an invitation's token goes from one call to another, and nobody sees it.

    Raises:
        CallError: `invalid_arguments`, if its file is gone.
    """
    found = {
        name: _read(files, name, note[1])
        for name in operation.secrets
        if (note := _NOTE.fullmatch(str(arguments.get(name, ""))))
    }
    return {**arguments, **found}


def _read(files: SecretFiles, name: str, location: str) -> str:
    found = files.find(location)
    if found is None:
        raise CallError(
            "invalid_arguments",
            f"Nothing was sent: the file of {name} is gone.",
            details=[{"at": name, "problem": "is in no file any more"}],
            hint="Read it again, and call with what that answer shows.",
        )
    return found


def note_problems(tool: Tool, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the arguments that hold what an answer shows in place of a secret.

    Sent upstream, it would overwrite the secret.
    """
    for name, value in arguments.items():
        if name in tool.secrets and _NOTE.fullmatch(str(value)):
            continue
        for at in _notes(value, name):
            yield Problem(at, f"is no secret but {HIDDEN}; give its value, or leave it out")


def _notes(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, str) and (HIDDEN in value or _NOTE.search(value)):
        yield at
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _notes(item, f"{at}[{index}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _notes(item, f"{at}.{name}")


def _noted(files: SecretFiles, operation: str, found: Mapping[str, str]) -> str:
    """Write secrets to a file, and return what an answer says instead of them."""
    try:
        return f"{_BEFORE_LOCATION}{files.keep(operation, found)}]"
    except OSError as error:  # the call is made, and its answer must reach the caller
        return f"[hidden: no file could be written for a person: {error.strerror}]"


def _hidden(value: Any) -> Any:
    return HIDDEN if value and not isinstance(value, bool) else value


def _replaced(value: Any, path: list[str], change: Callable[[Any], Any]) -> Any:
    """Return JSON with what is at a path changed, in every item of a list on the way."""
    if not path:
        return change(value)
    if isinstance(value, list):
        return [_replaced(item, path, change) for item in value]
    if isinstance(value, dict) and path[0] in value:
        return value | {path[0]: _replaced(value[path[0]], path[1:], change)}
    return value


def _texts(value: Any, path: str, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text at a path, with its place."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, path, f"{at}[{index}]")
    elif isinstance(value, dict) and path:
        name, _, rest = path.partition(".")
        yield from _texts(value.get(name), rest, f"{at}.{name}".lstrip("."))
    elif isinstance(value, str) and value and not path:
        yield at, value
