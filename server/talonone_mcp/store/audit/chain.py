"""The chain: what binds a line to the one before it, and how lines and head are spelled.

It is kept from the files, so that a writer and `verify` cannot differ in what a genuine line is:
both go by the bytes that are made and read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

NONE = "0" * 64  # the hash before the first line
OURS = ("seq", "time", "head", "prev", "hash")  # what no record may hold
_HASH = re.compile(r"[0-9a-f]{64}")
_MOST = 2**63  # no line has this number; a larger one was not written here


@dataclass(frozen=True, slots=True)
class Link:
    """What the next line goes on from: a line's number and hash."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """What `audit.head` says: the last line, and the number of the first that has to be there."""

    last: Link
    first: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was found.

    `genuine`: it is byte for byte what was written with this hash. `noted`: it says that
    `audit.head` did not fit.
    """

    link: Link
    prev: str
    genuine: bool
    noted: bool


def hash_of(line: Mapping[str, Any]) -> str:
    """Return the hash of a line, whether or not it holds one already."""
    rest = {key: value for key, value in line.items() if key != "hash"}
    return sha256(dumped(rest, sort_keys=True)).hexdigest()


def dumped(value: Mapping[str, Any], *, sort_keys: bool = False) -> bytes:
    """Return the JSON that is written and hashed, without a line feed."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys)
    # Half a surrogate pair has no UTF-8; this writes it as JSON's own escape.
    return text.encode("utf-8", "backslashreplace")


def read_line(raw: bytes) -> Line | None:
    """Read one line with its line feed, or return None if it is damaged."""
    try:
        line = json.loads(raw.decode("utf-8"))
        link = Link(line["seq"], line["hash"])
        if not (_is_link(link) and _is_hash(line["prev"])):
            return None
        # The same values can be spelled in other bytes; ours are the only ones that count.
        genuine = dumped(line) + b"\n" == raw and hash_of(line) == link.hash
        return Line(link, line["prev"], genuine, "head" in line)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def read_head(raw: bytes) -> Head | None:
    """Read the content of `audit.head`, or return None if it is damaged."""
    try:
        value = json.loads(raw.decode("utf-8"))
        head = Head(Link(value["seq"], value["hash"]), value["first"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    known = _is_link(head.last) and type(head.first) is int and 0 < head.first <= head.last.seq
    return head if known else None


def dumped_head(head: Head) -> bytes:
    """Return the content of `audit.head`."""
    value = {"seq": head.last.seq, "hash": head.last.hash, "first": head.first}
    return dumped(value) + b"\n"


def _is_link(link: Link) -> bool:
    return type(link.seq) is int and 0 < link.seq < _MOST and _is_hash(link.hash)


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None
