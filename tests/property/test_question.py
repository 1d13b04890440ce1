"""A question says what its statement says and nothing else, however hostile the texts in it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from talonone_mcp.calls.question import (
    NOTHING,
    UNKNOWN,
    Change,
    Statement,
    is_elided,
    question_of,
)
from talonone_mcp.core.impact import KINDS, Impact
from talonone_mcp.core.text import quoted

# --- Hostile texts ------------------------------------------------------------------------------

FRAGMENTS = (
    *('"', "''", "\u201c", "\u201d", "\u201e", "\u00ab", "\uff02", "\u02ba", "\u3003", "\u2033"),
    *("\n", "\r\n", "\u2028", "\x85", "\x0b", "\t", "  ", "\u00a0", "\u2800", "\x1b[2J"),
    *("\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\ud800", "\u0338", "\u030b"),
    *("*", "**", "_", "__", "~~", "`", "[a](b)", "![x](", "](y)", "[", "]", "<b>", "<!--", "|"),
    *("&quot;", "&#34;", "&", "\\", "$", "# ", "> ", "- ", "---", "http://e.vil", "mailto:"),
    *("Undo: ", "Call: delete_campaign (Delete).", "Where: sandbox", "\nNow: points: ", "nothing"),
    *(" → ", ", ", ": ", "; ", "{", "}", ".", "(cut, 9 characters)", "(right to left)", "12", "a"),
    *("\u05d0\u05d1", "\u0627\u0644", "\u0661", "Summer_Sale", "\u00e9", "e\u0301", "\U0001f600"),
    *("x" * 99, "www.e.vil"),
)
hostile = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join),
    st.text(st.characters(exclude_categories=[]), max_size=40),
)
numbers = st.one_of(st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False))
scalars = st.one_of(hostile, numbers, st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda below: st.one_of(
        st.lists(below, max_size=3), st.dictionaries(hostile, below, max_size=3)
    ),
    max_leaves=3,
)
words = st.sampled_from(["points", "Application", "loyalty program", "customer's card"])
labelled = st.lists(st.tuples(words, values), max_size=3).map(tuple)
impacts = st.builds(
    Impact,
    kind=st.sampled_from(KINDS),
    measure=st.one_of(st.none(), st.floats(0, 1e12), st.integers(0, 10**9)),
    unit=st.sampled_from(["points", "codes", "people", "money", "percent", "hosts"]),
    what=st.one_of(st.just(""), hostile.map(lambda text: f"to customer {quoted(text)}")),
)
changes = st.builds(
    Change,
    field=st.one_of(hostile, st.sampled_from(["endTime", "limits", "attributes.size"])),
    old=st.one_of(values, st.just(NOTHING), st.just(UNKNOWN)),
    new=st.one_of(values, st.just(NOTHING)),
)
statements = st.builds(
    Statement,
    tool=st.just("update_campaign"),
    title=st.just("Update a campaign"),
    deployment=st.sampled_from(["sandbox", "mycompany.europe-west1.talon.one"]),
    is_sandbox=st.booleans(),
    ids=labelled,
    name=hostile,
    impacts=st.lists(impacts, max_size=3).map(tuple),
    now=labelled,
    changes=st.lists(changes, max_size=3).map(tuple),
    warnings=st.lists(
        hostile.map(lambda text: f"It could not be read: {quoted(text)}"), max_size=2
    ).map(tuple),
    undo=st.sampled_from(["", "This cannot be undone."]),
    steps=st.sampled_from([(), ("create_campaign", "create_coupons")]),
    whole=st.just("talonone-mcp approvals show 3f9a12cd"),
)

# --- A reader of the documented grammar, which knows nothing of the code that writes it ----------

TEXT = re.compile(
    r'"[^"]*"(?: \(cut, [\d,]+ characters\) "[^"]*")?(?: \(right to left\))?(?=$|[^\w(])'
)
BARE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")
WORDS = {"true": True, "false": False, "null": None, "nothing": NOTHING, "unknown": UNKNOWN}
IMPACT = re.compile(
    r"(?:Removes|Changes|Sends|Takes|Gives|Lowers|Closes|Opens|Empties)"
    r' [^":]+?(?=: to customer|\.$)'
)


class Reader:
    """Reads a line from left to right. Texts stay as they are written, in their marks."""

    def __init__(self, line: str) -> None:
        self.line, self.at = line, 0

    def take(self, expected: str) -> bool:
        found = self.line.startswith(expected, self.at)
        self.at += len(expected) * found
        return found

    def need(self, expected: str) -> None:
        assert self.take(expected), (self.line[self.at :], expected)

    def match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.line, self.at)
        assert found, (self.line[self.at :], pattern.pattern)
        self.at = found.end()
        return found[0]

    def done(self) -> bool:
        return self.at == len(self.line)

    def name(self) -> str:
        return self.match(TEXT if self.line[self.at] == '"' else BARE)

    def several(self, end: str, one: Callable[[], Any]) -> list[Any]:
        found: list[Any] = []
        while not self.take(end):
            if found:
                self.need(", ")
            found.append(one())
        return found

    def pair(self) -> tuple[str, Any]:
        name = self.name()
        self.need(": ")
        return name, self.value()

    def value(self) -> Any:
        if self.line.startswith('"', self.at):
            return self.match(TEXT)
        if self.take("["):
            return self.several("]", self.value)
        if self.take("{"):
            return ("object", self.several("}", self.pair))
        for word, meant in WORDS.items():
            if self.take(word):
                return meant
        return json.loads(self.match(NUMBER))


def read(question: str) -> Iterator[tuple[Any, ...]]:
    """Yield what each line says: its first words, and the values after them."""
    for line in question.split("\n"):
        reader = Reader(line)
        if IMPACT.match(line):
            yield ("Impact", reader.match(IMPACT), *quotations(reader))
        elif reader.take("Where: "):
            yield ("Where", *where(reader))
        elif reader.take("Change: "):
            field = reader.name()
            reader.need(": ")
            old = reader.value()
            reader.need(" → ")
            new, different = reader.value(), reader.take("; different: ")
            if different:
                reader.value()
                reader.need(" → ")
                reader.value()
            yield "Change", field, old, new
        elif reader.take("Set: "):
            yield ("Set", *reader.pair())
        elif reader.take("Now: "):
            label = reader.match(re.compile("[A-Za-z' ]+"))
            reader.need(": ")
            yield "Now", label, reader.value()
        elif reader.take("Note: It could not be read: "):
            yield "Note", reader.match(TEXT)
        else:  # a line with no value in it
            yield (reader.match(re.compile('[^"]*')),)
        assert reader.done(), line[reader.at :]


def quotations(reader: Reader) -> Iterator[str]:
    if reader.take(": to customer "):
        yield reader.match(TEXT)
    reader.need(".")


def where(reader: Reader) -> Iterator[Any]:
    yield reader.match(re.compile(r'[^;"]+(?=; )|[^;"]+(?=\.$)'))
    while not reader.take("."):
        reader.need("; ")
        if reader.line.startswith('"', reader.at):
            yield "name", reader.match(TEXT)
            continue
        label = reader.match(re.compile("[A-Za-z' ]+?(?= [^A-Za-z' ]| true| false| null)"))
        reader.need(" ")
        yield label, reader.value()
        if reader.take(" "):
            yield "name", reader.match(TEXT)


# --- What it must read --------------------------------------------------------------------------


def meant(value: Any) -> Any:
    if isinstance(value, str):
        return quoted(value, 200)
    if isinstance(value, list):
        return [meant(item) for item in value]
    if isinstance(value, dict):
        return ("object", [(named(key), meant(item)) for key, item in value.items()])
    return value


def named(name: str) -> str:
    bare = len(name) <= 40 and BARE.fullmatch(name) and not name.lower().startswith("www.")
    return name if bare else quoted(name)


def changed(change: Change) -> tuple[Any, ...]:
    if change.old is UNKNOWN:
        return "Set", named(change.field), meant(change.new)
    return "Change", named(change.field), meant(change.old), meant(change.new)


def expected(statement: Statement) -> Iterator[tuple[Any, ...]]:
    host = statement.deployment
    place = f"{host} (a practice account, nothing real changes)" if statement.is_sandbox else host
    name = [("name", quoted(statement.name, 200))] if statement.name else []
    if not statement.impacts:
        yield (f"{statement.title}.",)
    yield ("Where", place, *((label, meant(value)) for label, value in statement.ids), *name)
    yield (f"Call: {statement.tool} ({statement.title}).",)
    if statement.steps:
        yield (f"Steps: {', '.join(statement.steps)}.",)
    yield from map(changed, statement.changes)
    yield from (("Now", label, meant(value)) for label, value in statement.now)
    for warning in statement.warnings:
        yield "Note", warning.removeprefix("It could not be read: ")
    if statement.undo:
        yield (f"Undo: {statement.undo}",)
    if is_elided(statement):
        yield (f"All of it: run {statement.whole}",)


@given(statements)
def test_a_question_read_by_its_grammar_gives_back_its_fields(statement: Statement) -> None:
    lines = list(read(question_of(statement).text))
    count = len(statement.impacts)

    assert all(line[0] == "Impact" for line in lines[:count])
    assert sorted(line[2:] for line in lines[:count]) == sorted(
        (impact.what.removeprefix("to customer "),) if impact.what else ()
        for impact in statement.impacts
    )
    assert lines[count:] == list(expected(statement))


# --- What a value cannot hold ---------------------------------------------------------------------

LOOK_LIKE_MARKS = set('"\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033\u2036\u301d\u301e\u301f\uff02')
MARKDOWN = set("*~`[]<|\\$")
HIDDEN = {"Cc", "Cs", "Zl", "Zp"}
MARKDOWN_READER = MarkdownIt("commonmark").enable(["strikethrough", "table"])


@given(hostile, st.integers(4, 300))
@example("''", 10)
@example("&quot;", 10)
@example("_a_ __b__", 20)
def test_nothing_in_quotation_marks_can_close_them(text: str, limit: int) -> None:
    found = re.fullmatch(TEXT, quoted(text, limit))

    assert found
    inside = found[0].split('"')[1::2]
    assert sum(map(len, inside)) <= limit
    for part in inside:
        assert not set(part) & (LOOK_LIKE_MARKS | MARKDOWN)
        assert not any(unicodedata.category(sign) in HIDDEN for sign in part)
        assert not re.search(r"''|://|www\.|mailto:|&#?\w|(?<!\w)_|_(?!\w)|\s\s", part, re.I)


@given(statements)
def test_markdown_shows_a_question_as_it_is(statement: Statement) -> None:
    """A reader of Markdown finds one paragraph of plain text, without links or emphasis."""
    question = question_of(statement).text
    tokens = MARKDOWN_READER.parse(question)

    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    shown = tokens[1].children or []
    assert {token.type for token in shown} <= {"text", "softbreak"}
    assert (
        "".join("\n" if token.type == "softbreak" else token.content for token in shown) == question
    )


@given(statements)
def test_words_of_ours_follow_a_text_from_right_to_left(statement: Statement) -> None:
    """Otherwise, a number or a text after it would be drawn before it."""
    question = question_of(statement).text

    for text, follows in re.findall(r'"([^"]*)"( \((?:cut, \d|right to left\)))?', question):
        turned = {unicodedata.bidirectional(sign) for sign in text} & {"R", "AL", "AN"}
        assert follows or not turned
    assert not {unicodedata.bidirectional(sign) for sign in TEXT.sub("", question)} & {"R", "AL"}


# --- What a yes is bound to -----------------------------------------------------------------------


@given(statements, st.sampled_from([each.name for each in fields(Statement)]), statements)
def test_another_question_has_another_digest(one: Statement, name: str, other: Statement) -> None:
    mixed = replace(one, **{name: getattr(other, name)})
    same = question_of(one).text == question_of(mixed).text

    assert (question_of(one).seen == question_of(mixed).seen) is same
