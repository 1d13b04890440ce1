"""Parses a prompt file, and reports each problem with its line.

A file begins with front matter (YAML between two lines of ---); the template follows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from talonone_mcp.core.names import did_you_mean
from talonone_mcp.core.text import clean, one_line

if TYPE_CHECKING:
    import yaml

PLACEHOLDER = re.compile(  # {{name}} is not one, but {"id": {name}} contains one
    r"(?:(?<=\{)(?P<double>)|(?<!\{))\{(?P<name>\w+)(?:\|(?P<text>[^{}]*))?\}(?(double)(?!\}))"
)
VARIABLE = re.compile(r"\{(\w+)\}")
COMPLETED = ("application", "campaign", "loyalty_program", "toolset", "coupon", "customer")
_PARTS = re.compile(r"\A---[ \t]*\n(.*?\n)---[ \t]*\n(.*)\Z", re.DOTALL)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_SCHEME = "talonone://"
_NEEDED = ("name", "title", "description")
_LISTS = ("arguments", "tools", "resources")

Path = tuple[str | int, ...]
"""A place in the front matter: keys and positions, from the top."""
Found = tuple[Path, str]
"""A place in the front matter and the problem there."""


def parsed(
    text: str, file: str, tools: Collection[str] | None = None
) -> tuple[dict[str, Any] | None, list[str]]:
    """Return a prompt in its JSON form, or None; and its problems, each with file and line.

    Args:
        text: the file's content.
        file: the file's name, `NAME.md`.
        tools: the names of everything that can be called; None skips that check.
    """
    parts = _PARTS.match(text.replace("\r\n", "\n"))
    if parts is None:
        return None, [f"{file}: line 1: it does not begin with front matter between lines of ---"]
    front, root, broken = _read_yaml(parts[1])
    if broken:
        return None, [f"{file}: {broken}"]
    found = [*_repeated(root), *_front(front, file.removesuffix(".md"))]
    if found:
        return None, [f"{file}: line {_line(root, path)}: {what}" for path, what in found]
    body = clean(parts[2])
    record = _record(front, body.strip())
    first = parts[1].count("\n") + 3  # two lines of ---, and lines count from 1
    wrong = list(_template(record, body, first))
    if tools is not None:
        wrong += [(_line(root, path), what) for path, what in _stray(record["tools"], tools)]
    problems = [f"{file}: line {line}: {what}" for line, what in sorted(wrong)]
    return (None, problems) if problems else (record, [])


def _read_yaml(text: str) -> tuple[Any, yaml.Node | None, str]:
    """Return the front matter's value, its root node, and why it cannot be read if it cannot."""
    import yaml  # noqa: PLC0415 - an installed server parses YAML only for a user's own files

    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        return (loader.construct_document(root) if root else None), root, ""
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = one_line(error.problem or "it cannot be read", 100)
        return None, None, f"line {mark.line + 2 if mark else 2}: the front matter: {problem}"
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return None, None, f"line 2: the front matter: {one_line(str(error), 100)}"


def _line(root: yaml.Node | None, path: Path) -> int:
    """Return the file's line of a place; of its nearest existing parent if it is missing."""
    node: Any = root
    line = 2
    for step in path:
        if isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 2
            continue
        pairs = [pair for pair in _pairs(node) if pair[0].value == str(step)]
        if not pairs:
            break
        key, node = pairs[-1]  # of duplicates, YAML uses the last
        line = key.start_mark.line + 2
    return line


def _repeated(root: yaml.Node | None) -> Iterator[Found]:
    """Find duplicate keys, which YAML drops silently: at the top level and in arguments."""
    yield from _twice(root, ())
    for key, below in _pairs(root):
        if key.value == "arguments" and isinstance(below.value, list):
            for number, argument in enumerate(below.value):
                yield from _twice(argument, ("arguments", number))


def _twice(node: Any, path: Path) -> Iterator[Found]:
    keys = [key.value for key, _ in _pairs(node)]
    for number, key in enumerate(keys):
        if key in keys[:number]:
            yield (*path, str(key)), f"{key} appears twice here"


def _pairs(node: Any) -> list[tuple[Any, Any]]:
    """Return a mapping node's keys and values; [] for any other node."""
    value = getattr(node, "value", None)
    pairs = value if isinstance(value, list) else []
    return [pair for pair in pairs if isinstance(pair, tuple)]


def _front(front: Any, stem: str) -> Iterator[Found]:
    if not isinstance(front, dict):
        yield (), "the front matter must be keys and values"
        return
    yield from _keys(front, (), (*_NEEDED, *_LISTS), _NEEDED)
    for key in _NEEDED:
        if key in front and not _is_text(front[key]):
            yield (key,), f"{key} must be text"
    name = front.get("name")
    if _is_text(name) and not (name == stem and _NAME.fullmatch(stem)):
        yield (
            ("name",),
            (f"name must match the file's, {stem}, in lower-case letters, digits and underscores"),
        )
    for key in _LISTS:
        if not isinstance(front.get(key, []), list):
            yield (key,), f"{key} must be a list"
            return
    yield from _arguments(front.get("arguments", []))
    yield from _names("tools", front.get("tools", []))
    yield from _resources(front)


def _keys(
    given: dict[Any, Any], path: Path, known: Collection[str], needed: Iterable[str]
) -> Iterator[Found]:
    for key in given:
        if key not in known:
            hint = did_you_mean(str(key), known, otherwise=f"; keys: {', '.join(known)}")
            yield (*path, key), f"there is no key {one_line(str(key), 40)}{hint}"
    for key in needed:
        if given.get(key) is None:
            yield path, f"{key} is missing"


def _arguments(arguments: list[Any]) -> Iterator[Found]:
    names: set[str] = set()
    for number, each in enumerate(arguments):
        path = ("arguments", number)
        if not isinstance(each, dict):
            yield path, "an argument must be keys and values"
            continue
        known = ("name", "description", "required", "text", "complete", "values")
        yield from _keys(each, path, known, ("name", "description"))
        name = each.get("name")
        if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
            yield (*path, "name"), "its name must be lower-case letters, digits and underscores"
        elif name in names:
            yield (*path, "name"), f"two arguments are named {name}"
        names.add(str(name))
        yield from _completion(each, path)


def _completion(argument: dict[Any, Any], path: Path) -> Iterator[Found]:
    if argument.get("description") is not None and not _is_text(argument["description"]):
        yield (*path, "description"), "description must be text"
    for key in ("required", "text"):
        if not isinstance(argument.get(key, False), bool):
            yield (*path, key), f"{key} must be true or false"
    if argument.get("complete", COMPLETED[0]) not in COMPLETED:
        yield (*path, "complete"), f"complete must be one of {', '.join(COMPLETED)}"
    values = argument.get("values", [""])
    if not (isinstance(values, list) and values and all(isinstance(v, str) for v in values)):
        yield (*path, "values"), "values must be a list of texts; put numbers in quotes"
    if "values" in argument and "complete" in argument:
        yield (*path, "values"), "an argument has complete or values, not both"


def _names(key: str, names: list[Any]) -> Iterator[Found]:
    for number, name in enumerate(names):
        if not _is_text(name):
            yield (key, number), f"each item of {key} must be text"
        elif name in names[:number]:
            yield (key, number), f"{name} appears twice in {key}"


def _stray(named: list[str], known: Collection[str]) -> Iterator[Found]:
    for number, name in enumerate(named):
        if name not in known:
            hint = did_you_mean(name, known, otherwise="")
            yield ("tools", number), f"there is no tool {one_line(name, 60)}{hint}"


def _resources(front: dict[Any, Any]) -> Iterator[Found]:
    resources = front.get("resources", [])
    yield from _names("resources", resources)
    given = [each for each in front.get("arguments", []) if isinstance(each, dict)]
    arguments = {each.get("name") for each in given}
    for number, template in enumerate(resources):
        if not isinstance(template, str):
            continue
        if not template.startswith(_SCHEME):
            yield ("resources", number), f"a resource must be one of ours, {_SCHEME}..."
        if set("{}") & set(VARIABLE.sub("", template)):
            yield ("resources", number), "it has an unmatched brace"
        for name in VARIABLE.findall(template):
            if name not in arguments:
                yield ("resources", number), f"there is no argument {name}"


def _record(front: dict[str, Any], template: str) -> dict[str, Any]:
    """Return the JSON form of valid front matter."""
    return {
        **{key: clean(front[key]).strip() for key in _NEEDED},
        "arguments": [
            each | {"description": clean(each["description"]).strip()}
            for each in front.get("arguments", [])
        ],
        "tools": front.get("tools", []),
        "resources": front.get("resources", []),
        "template": template,
    }


def _template(record: dict[str, Any], body: str, first: int) -> Iterator[tuple[int, str]]:
    """Yield each problem of the template with its line in the file."""
    if not record["template"]:
        yield first, "there is no text below the front matter"
    arguments = {each["name"]: each for each in record["arguments"]}
    for found in PLACEHOLDER.finditer(body):
        name, line = found["name"], first + body.count("\n", 0, found.start())
        if name not in arguments:
            yield (
                line,
                f"there is no argument {name}; {{{{{name}}}}} is left as it is",
            )
        elif arguments[name].get("text") and not _alone(found):
            yield line, f"{name} may have several lines, so it needs a line of its own"


def _alone(found: re.Match[str]) -> bool:
    """Tell whether a placeholder has its line to itself."""
    before = found.string[: found.start()].rpartition("\n")[2]
    after = found.string[found.end() :].partition("\n")[0]
    return not before and not after.strip()


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
