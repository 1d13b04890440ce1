"""Whatever a JSON or TOML file looks like, one entry goes in and out and the rest stays."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from talonone_mcp.terminal.hosts import json_editor, json_reader, toml_editor
from talonone_mcp.terminal.hosts.host_errors import ShapeError

ENTRY = {"command": "/a/talonone-mcp", "args": ["serve"], "env": {"A": 'é"\\\n\x7f'}}
NAMES = st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(["a", "servers", "//"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | NAMES
    | st.sampled_from(["/* no comment */", "// none", '"', "\\", "}", ","])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SERVERS = st.dictionaries(NAMES, VALUES, max_size=3)
ROOTS = st.builds(
    lambda before, servers, after: {**before, **servers, **after},
    st.dictionaries(NAMES, VALUES, max_size=2),
    st.just({}) | SERVERS.map(lambda servers: {"servers": servers}),
    st.dictionaries(NAMES, VALUES, max_size=2),
).filter(lambda root: isinstance(root.get("servers", {}), dict))
BETWEEN = st.sampled_from(
    ["", "", " ", "\n", "\r\n", "\t", "\n  ", "// note\n", "/* note */", " /* a\nb */ ", "\n//\n"]
)


@st.composite
def texts(draw: st.DrawFn, roots: st.SearchStrategy[dict[str, Any]] = ROOTS) -> str:
    """Draw an object as somebody might have written it."""

    def maybe() -> bool:
        return draw(st.booleans())

    def written(value: Any) -> str:
        if isinstance(value, dict):
            items = [
                f"{json.dumps(name)}{draw(BETWEEN)}:{draw(BETWEEN)}{written(each)}"
                for name, each in value.items()
            ]
            return collection("{", items, "}")
        if isinstance(value, list):
            return collection("[", [written(each) for each in value], "]")
        return json.dumps(value, ensure_ascii=maybe())

    def collection(first: str, items: list[str], last: str) -> str:
        spaced = [draw(BETWEEN) + item + draw(BETWEEN) for item in items]
        comma = "," + draw(BETWEEN) if items and maybe() else ""
        return first + (",".join(spaced) or draw(BETWEEN)) + comma + last

    return draw(BETWEEN) + written(draw(roots)) + draw(BETWEEN)


def comments(text: str) -> list[str]:
    """Return the comments of a text, in their order, without what is in strings."""
    found = re.findall(r'"(?:[^"\\]|\\.)*"|//[^\r\n]*|/\*.*?\*/', text, re.DOTALL)
    return [each for each in found if each.startswith("/")]


@given(texts())
def test_an_entry_is_added_and_all_else_says_what_it_said(text: str) -> None:
    before = json_reader.read(text).value

    after = json_editor.put(text, "servers", "ours", ENTRY)

    assert json_reader.read(after).value == {
        **before,
        "servers": {**before.get("servers", {}), "ours": ENTRY},
    }
    assert comments(after) == comments(text)
    assert json_editor.put(after, "servers", "ours", ENTRY) == after


@given(texts())
def test_an_entry_that_was_added_to_others_goes_without_a_trace(text: str) -> None:
    added = json_editor.put(text, "servers", "ours", ENTRY)

    removed = json_editor.take(added, "servers", "ours")

    before = json_reader.read(text).value
    assert json_reader.read(removed).value == {**before, "servers": before.get("servers", {})}
    assert comments(removed) == comments(text)
    if before.get("servers"):
        assert removed == text
    elif "servers" not in before and before:
        assert json_editor.take_section(removed, "servers") == text


@given(texts(), st.data())
def test_any_member_can_be_taken_out_alone(text: str, data: st.DataObject) -> None:
    before = json_reader.read(text).value
    servers = before.get("servers", {})
    name = data.draw(st.sampled_from([*servers, "none"]))

    removed = json_editor.take(text, "servers", name)

    left = {key: value for key, value in servers.items() if key != name}
    assert json_reader.read(removed).value == (before | {"servers": left} if servers else before)


@given(texts(st.lists(VALUES, max_size=3).map(lambda items: {"inputs": items})))
def test_an_item_is_added_to_an_array_and_goes_without_a_trace(text: str) -> None:
    before = json_reader.read(text).value["inputs"]

    added = json_editor.add(text, "inputs", {"id": "ours"})
    removed = json_editor.take_item(added, "inputs", {"id": "ours"})

    assert json_reader.read(added).value["inputs"] == [*before, {"id": "ours"}]
    assert json_reader.read(removed).value["inputs"] == before
    if before:
        assert removed == text


@given(VALUES)
def test_what_the_standard_library_writes_is_read_as_it_reads_it(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=2, ensure_ascii=False)):
        document = json_reader.read(text)
        assert document.value == json.loads(text)
        assert document.extension is None


@given(st.text(st.sampled_from('{}[]:,"/*1a\\\n -.etrufalsn'), max_size=20))
def test_what_the_standard_library_refuses_has_an_extension_or_is_refused(text: str) -> None:
    try:
        expected: Any = json.loads(text)
    except ValueError:
        expected = ValueError
    try:
        document = json_reader.read(text)
    except json_reader.JsonError:
        assert expected is ValueError
        return
    if document.extension is None and not document.blank:
        assert document.value == expected
    else:
        assert expected is ValueError


LINES = st.sampled_from(
    ["a = 1", "# note", "", "[b]", "c = [\n  1,\n]", 'd = """\n[mcp_servers.ours]\n"""',
     "[mcp_servers]", "[mcp_servers.x]", "[mcp_servers.ours]", 'command = "c"', "[[e]]",
     "[mcp_servers.ours.env]", "mcp_servers = { y = {} }", "[mcp_servers.'z.w']"],
)  # fmt: skip


@given(st.lists(LINES, max_size=8), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_table_goes_in_and_out_of_any_toml(lines: list[str], end: str, ended: bool) -> None:
    text = "\n".join(lines).replace("\n", end) + (end if ended else "")
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    servers = before.get("mcp_servers", {})
    try:
        added = toml_editor.put(text, "mcp_servers", "ours", ENTRY)
        removed = toml_editor.take(added, "mcp_servers", "ours")
    except ShapeError:
        assert "mcp_servers = {" in text
        return

    assert tomllib.loads(added) == {**before, "mcp_servers": {**servers, "ours": ENTRY}}
    left = {name: value for name, value in servers.items() if name != "ours"}
    assert tomllib.loads(removed).get("mcp_servers", {}) == left
    if "ours" not in servers:  # a comment within an entry goes with it
        assert added.startswith(text)
        assert removed.rstrip() == text.rstrip()


OTHERS = st.lists(LINES.filter(lambda line: not line.startswith("[mcp_servers.ours")), max_size=8)


@given(OTHERS, OTHERS, st.sampled_from(["", "\n# about what follows\n\n"]))
def test_what_stands_around_a_table_stays_to_the_byte(
    above: list[str], below: list[str], between: str
) -> None:
    first, rest = ("".join(f"{line}\n" for line in lines) for lines in (above, ["[z]", *below]))
    ours = toml_editor.put("", "mcp_servers", "ours", ENTRY)
    text = first + ours + between + rest
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    assert toml_editor.take(text, "mcp_servers", "ours") == first + between + rest
    other = {"command": "/b"}
    changed = toml_editor.put(text, "mcp_servers", "ours", other)
    assert changed == first + toml_editor.put("", "mcp_servers", "ours", other) + between + rest
