"""The hash chain: how a line is bound to the previous one, and the format of lines and head.

Both the writer and `verify` use this module, so they cannot disagree on what a genuine line is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

NO_HASH = "0" * 64  # the hash before the first line
RESERVED_FIELDS = ("seq", "time", "head", "prev", "hash")  # no record may use them
_HASH = re.compile(r"[0-9a-f]{64}")
_SEQ_LIMIT = 2**63  # sequence numbers are below; larger ones were not written here


@dataclass(frozen=True, slots=True)
class Link:
    """A line's number and hash, which the next line continues."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The content of `audit.head`: the last line, and the number of the first that must exist."""

    last: Link
    first: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line as read from a file.

    Attributes:
        link: its number and hash.
        prev: the hash of the line before it.
        genuine: whether it is byte for byte what was written with this hash.
        noted: whether it records that `audit.head` did not match.
    """

    link: Link
    prev: str
    genuine: bool
    noted: bool


def hash_of(line: Mapping[str, Any]) -> str:
    """Return the hash of a line, ignoring a hash that it already holds."""
    hashed = {key: value for key, value in line.items() if key != "hash"}
    return sha256(dumped(hashed, sort_keys=True)).hexdigest()


def dumped(value: Mapping[str, Any], *, sort_keys: bool = False) -> bytes:
    """Return the JSON to write or hash, without a line feed."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys)
    # UTF-8 cannot encode a lone surrogate; this writes it as a JSON escape.
    return text.encode("utf-8", "backslashreplace")


def read_line(raw: bytes) -> Line | None:
    """Parse one line including its line feed; return None if it is damaged."""
    try:
        line = json.loads(raw.decode("utf-8"))
        link = Link(line["seq"], line["hash"])
        if not (_is_link(link) and _is_hash(line["prev"])):
            return None
        # Other bytes can encode the same values; only ours are genuine.
        genuine = dumped(line) + b"\n" == raw and hash_of(line) == link.hash
        return Line(link, line["prev"], genuine, "head" in line)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def read_head(raw: bytes) -> Head | None:
    """Parse the content of `audit.head`; return None if it is damaged."""
    try:
        value = json.loads(raw.decode("utf-8"))
        head = Head(Link(value["seq"], value["hash"]), value["first"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    valid = _is_link(head.last) and type(head.first) is int and 0 < head.first <= head.last.seq
    return head if valid else None


def dumped_head(head: Head) -> bytes:
    """Return the content of `audit.head`."""
    value = {"seq": head.last.seq, "hash": head.last.hash, "first": head.first}
    return dumped(value) + b"\n"


def _is_link(link: Link) -> bool:
    return type(link.seq) is int and 0 < link.seq < _SEQ_LIMIT and _is_hash(link.hash)


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None
