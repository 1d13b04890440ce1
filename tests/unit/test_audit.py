"""The audit log keeps every line, and whatever was done to it afterwards shows."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from talonone_mcp.core.clock import Clock
from talonone_mcp.store.audit import AuditError, FileAuditLog, Verdict, log_files, verify

NONE = "0" * 64
CHAIN = ("seq", "time", "prev", "hash")
NOTED = "when the line was written, audit.head did not name the one before it"
AWKWARD: list[dict[str, Any]] = [
    {"tool": "get_campaign", "arguments": {"applicationId": 5, "text": 'é "日本" \\ \x00\x1f\x7f'}},
    {"outcome": "ok", "seconds": 0.25, "large": 1e16, "list": [1.0, -0.0, True, None, {}]},
    {"half": "\ud83d", "pair": "\ud83d\ude00", "turned": "\ude00\ud83d", "line": "\u2028\n"},
]


def log_of(folder: Path, count: int = 6, **options: Any) -> FileAuditLog:
    """Write `count` lines of 200 to 300 bytes."""
    log = FileAuditLog(folder, **options)
    for number in range(count):
        log.append({"tool": f"tool_{number}"})
    return log


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def whole(folder: Path) -> list[dict[str, Any]]:
    """Return every line of the log, oldest first."""
    rotated = folder.glob("audit.jsonl.*")
    paths = sorted(rotated, key=lambda path: int(path.suffix[1:]), reverse=True)
    return [
        json.loads(line) for path in [*paths, folder / "audit.jsonl"] for line in lines_of(path)
    ]


def forged(line: bytes, **changes: Any) -> bytes:
    """Change a line and give it the hash of what it says now."""
    value = {**json.loads(line), **changes}
    del value["hash"]
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    value["hash"] = hashlib.sha256(canonical.encode()).hexdigest()
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


# --- A line ------------------------------------------------------------------------------------


def test_a_line_has_number_time_the_fields_in_order_and_the_chain(tmp_path: Path) -> None:
    log = FileAuditLog(tmp_path, clock=Clock(lambda: 1_790_000_000.1239))
    log.append({"tool": "delete_campaign", "arguments": {"z": "é", "a": 1}, "by": "anna"})
    log.append({"tool": "get_campaign"})

    first, second = lines_of(tmp_path / "audit.jsonl")
    line = json.loads(first)
    assert list(line) == ["seq", "time", "tool", "arguments", "by", "prev", "hash"]
    assert line["seq"] == 1
    assert line["time"] == "2026-09-21T14:13:20.123Z"
    assert line["arguments"] == {"z": "é", "a": 1}
    assert line["prev"] == NONE
    assert first == forged(first)  # its hash is what the documentation says that it is
    assert json.loads(second)["seq"] == 2
    assert json.loads(second)["prev"] == line["hash"]
    assert verify(tmp_path) == Verdict(lines=2, files=1, first=1, problems=())


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "talonone"
    before = os.umask(0)
    try:
        log_of(folder, 6, max_bytes=600)
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {"audit.jsonl", "audit.jsonl.1", "audit.head", "audit.lock"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_numbers_that_json_does_not_have_are_written_as_text(tmp_path: Path) -> None:
    FileAuditLog(tmp_path).append({"values": [float("nan"), float("inf"), -float("inf")]})

    [line] = whole(tmp_path)
    assert line["values"] == ["NaN", "Infinity", "-Infinity"]
    assert verify(tmp_path).problems == ()


def test_lines_may_be_long(tmp_path: Path) -> None:
    log = FileAuditLog(tmp_path)
    for number in range(3):
        log.append({"number": number, "text": "x\n" * 500_000})

    assert [line["number"] for line in whole(tmp_path)] == [0, 1, 2]
    assert verify(tmp_path) == Verdict(3, 1, 1, ())


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({"path": Path("x")}, "cannot hold this record: Object of type PosixPath"),
        ({"seq": 7, "hash": "x"}, "cannot hold a record with seq, hash"),
        ({"head": "differs"}, "cannot hold a record with head"),
        (nested(65), "cannot hold a record nested 65 deep"),
        (nested(100_000), "cannot hold this record: maximum recursion depth"),
    ],
    ids=["no JSON", "the chain", "the note", "deep", "very deep"],
)
def test_what_cannot_be_read_again_is_not_written(
    tmp_path: Path, record: dict[str, Any], why: str
) -> None:
    log = log_of(tmp_path, 1)
    with pytest.raises(AuditError) as caught:
        log.append(record)

    assert f"{tmp_path / 'audit.jsonl'} {why}" in str(caught.value)
    log.append(nested(64))
    assert verify(tmp_path) == Verdict(2, 1, 1, ())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
RECORD = st.dictionaries(
    st.text(st.characters(exclude_categories=[])).filter(lambda key: key not in (*CHAIN, "head")),
    JSON,
    max_size=4,
)


@given(st.lists(RECORD, min_size=1, max_size=4))
@example(AWKWARD)
@settings(deadline=None)
def test_whatever_is_written_is_found_unchanged(records: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        log = FileAuditLog(Path(folder), max_bytes=500)
        for record in records:
            log.append(record)

        verdict, found = verify(Path(folder)), whole(Path(folder))
    assert (verdict.lines, verdict.first, verdict.problems) == (len(records), 1, ())
    for record, line in zip(records, found, strict=True):
        sent = json.loads(json.dumps(record), parse_constant=str)  # as JSON has it
        assert {key: line[key] for key in line if key not in CHAIN} == sent


# --- Tampering ---------------------------------------------------------------------------------

Change = Callable[[list[bytes]], list[bytes]]


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (
            lambda n: [*n[:2], n[2].replace(b"tool_2", b"tool_X"), *n[3:]],
            ["audit.jsonl:3: the line was changed"],
        ),
        (
            lambda n: [*n[:2], n[2].replace(b'"seq":3', b'"seq":9'), *n[3:]],
            ["audit.jsonl:3: the line was changed"],
        ),
        (
            lambda n: [*n[:2], n[2].replace(b'{"seq"', b'{"seq":3,"seq"'), *n[3:]],
            ["audit.jsonl:3: the line was changed"],
        ),
        (
            lambda n: [*n[:2], n[2].replace(b",", b", "), *n[3:]],
            ["audit.jsonl:3: the line was changed"],
        ),
        (
            lambda n: [*n[:5], n[5].replace(b"tool_5", b"tool_X")],
            ["audit.jsonl:6: the line was changed"],
        ),
        (
            lambda n: [*n[:2], forged(n[2], tool="tool_X"), *n[3:]],
            ["audit.jsonl:4: the line does not follow from the one before it"],
        ),
        (
            lambda n: [*n[:5], forged(n[5], tool="tool_X")],
            ["audit.jsonl: the last line is not the one that audit.head names"],
        ),
        (
            lambda n: [forged(n[0], prev="1" * 64), *n[1:]],
            [
                "audit.jsonl:1: the line does not follow from the one before it",
                "audit.jsonl:2: the line does not follow from the one before it",
            ],
        ),
        (lambda n: [*n[:2], *n[3:]], ["audit.jsonl:3: 1 line before it is missing"]),
        (lambda n: [*n[:2], *n[4:]], ["audit.jsonl:3: 2 lines before it are missing"]),
        (lambda n: n[1:], ["audit.jsonl:1: 1 line before it is missing"]),
        (lambda n: n[:5], ["audit.jsonl: the last line is missing"]),
        (lambda n: n[:2], ["audit.jsonl: the last 4 lines are missing"]),
        (lambda _: [], ["audit.jsonl: the last 6 lines are missing"]),
        (
            lambda n: [n[0], n[2], n[1], *n[3:]],
            [
                "audit.jsonl:2: 1 line before it is missing",
                "audit.jsonl:3: the line is out of order",
            ],
        ),
        (
            lambda n: [*n[:3], n[1], *n[3:]],
            ["audit.jsonl:4: the line is out of order"],
        ),
        (
            lambda n: [*n[:3], forged(n[3], tool="tool_X"), *n[3:]],
            [
                "audit.jsonl:5: the line is out of order",
                "audit.jsonl:6: the line does not follow from the one before it",
            ],
        ),
        (
            lambda n: [*n, forged(n[5], seq=7, prev=json.loads(n[5])["hash"])],
            ["audit.jsonl: the last line is not known to audit.head"],
        ),
        (
            lambda n: [*n[:3], b"{}\n", b"\n", *n[3:]],
            ["audit.jsonl:4: the line is damaged", "audit.jsonl:5: the line is damaged"],
        ),
        (
            lambda n: [*n[:3], b"\xff" + n[3], *n[4:]],
            ["audit.jsonl:4: the line is damaged", "audit.jsonl:5: 1 line before it is missing"],
        ),
    ],
    ids=[
        "a value edited",
        "its number edited",
        "a key doubled",
        "spaces added",
        "the last line edited",
        "edited with a new hash",
        "the last line edited with a new hash",
        "the first line put on another chain",
        "a line removed",
        "two lines removed",
        "the first line removed",
        "the last line removed",
        "four lines cut off",
        "all lines removed",
        "two lines swapped",
        "a line repeated",
        "a line inserted that fits",
        "a line added that fits",
        "rubbish inserted",
        "a line damaged",
    ],
)
def test_tampering_is_reported_with_its_place(
    tmp_path: Path, change: Change, problems: list[str]
) -> None:
    log_of(tmp_path)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(change(lines_of(path))))

    assert list(verify(tmp_path).problems) == problems


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of three files with every sort of value in it."""
    folder = tmp_path_factory.mktemp("rotated")
    log = FileAuditLog(folder, max_bytes=700)
    for record in AWKWARD * 2:
        log.append(record)
    assert verify(folder) == Verdict(6, 3, 1, ())
    return folder


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_no_byte_can_be_flipped_unnoticed(rotated: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]))
    content = bytearray((rotated / name).read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))

    with TemporaryDirectory() as folder:
        shutil.copytree(rotated, folder, dirs_exist_ok=True)
        (Path(folder) / name).write_bytes(content)
        assert any(problem.startswith(name) for problem in verify(Path(folder)).problems)


HOSTILE = {
    "no UTF-8": b"\xff\xfe\x00",
    "deep": b'{"seq":' + b"[" * 200_000,
    "a long number": b'{"seq":' + b"9" * 10_000 + b"}",
    "a large number": b'{"seq":9223372036854775808,"prev":"%b","hash":"%b"}'
    % (NONE.encode(), NONE.encode()),
    "a fraction": b'{"seq":1e999,"prev":"","hash":""}',
    "true": b'{"seq":true,"prev":"%b","hash":"%b"}' % (NONE.encode(), NONE.encode()),
    "doubled keys": b'{"seq":1,"seq":[],"hash":{},"hash":[]}',
    "no object": b'["seq","hash"]',
    "a text": b'"seq"',
    "nothing": b"",
    "null": b"null",
    "zeros": b"\x00" * 5000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_content_is_damage_and_nothing_worse(tmp_path: Path, content: bytes) -> None:
    log = log_of(tmp_path, 2)
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(content + b"\n")
    (tmp_path / "audit.head").write_bytes(content)
    (tmp_path / "audit.jsonl.0").write_bytes(content)
    (tmp_path / "audit.jsonl.old").write_bytes(content)

    damaged = ("audit.head: the file is damaged", "audit.jsonl:3: the line is damaged")
    assert verify(tmp_path) == Verdict(3, 1, 1, damaged)
    log.append({"tool": "next"})
    assert verify(tmp_path) == Verdict(4, 1, 1, (damaged[1], f"audit.jsonl:4: {NOTED}"))


def test_what_cannot_be_read_is_reported(tmp_path: Path) -> None:
    log_of(tmp_path, 2)
    os.mkfifo(tmp_path / "audit.jsonl.1")
    (tmp_path / "audit.head").unlink()
    (tmp_path / "audit.head").mkdir()

    assert verify(tmp_path).problems == (
        "audit.jsonl.1: cannot be read: it is not a file",
        "audit.head: cannot be read: Is a directory",
    )
    assert verify(tmp_path / "audit.jsonl").problems == (
        "audit.jsonl: cannot be read: Not a directory",
        "audit.head: cannot be read: Not a directory",
    )


def test_a_folder_without_a_log_is_left_as_it_is(tmp_path: Path) -> None:
    assert verify(tmp_path / "none") == Verdict(0, 0, 0, ())
    assert verify(tmp_path) == Verdict(0, 0, 0, ())
    assert list(tmp_path.iterdir()) == []


# --- audit.head --------------------------------------------------------------------------------


def test_lines_that_were_cut_off_stay_missing_when_others_follow(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(lines_of(path)[:2]))
    log.append({"tool": "next"})
    log.append({"tool": "next"})

    assert [line["seq"] for line in whole(tmp_path)] == [1, 2, 7, 8]
    assert verify(tmp_path).problems == ("audit.jsonl:3: 4 lines before it are missing",)


def test_a_log_that_was_deleted_stays_missing_when_lines_follow(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    (tmp_path / "audit.jsonl").unlink()
    assert verify(tmp_path).problems == ("audit.jsonl: the last 6 lines are missing",)
    log.append({"tool": "next"})

    assert verify(tmp_path).problems == ("audit.jsonl:1: 6 lines before it are missing",)


def test_a_lost_head_is_reported_and_stays_so(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    (tmp_path / "audit.head").unlink()
    assert verify(tmp_path).problems == ("audit.head: the file is missing",)
    log.append({"tool": "next"})
    log.append({"tool": "next"})

    assert verify(tmp_path).problems == (f"audit.jsonl:7: {NOTED}",)
    assert [line.get("head") for line in whole(tmp_path)][5:] == [None, "lost", None]


@pytest.mark.parametrize("first", [0, 7, 2**63, True, "1", None])
def test_a_head_that_cannot_be_is_damaged(tmp_path: Path, first: object) -> None:
    log_of(tmp_path)
    path = tmp_path / "audit.head"
    path.write_text(json.dumps({**json.loads(path.read_text()), "first": first}))

    assert verify(tmp_path).problems == ("audit.head: the file is damaged",)


@pytest.mark.parametrize(
    ("kept", "problem"),
    [
        (5, "audit.jsonl: the last line is not known to audit.head"),
        (3, "audit.jsonl: the last 3 lines are not known to audit.head"),
    ],
)
def test_a_head_that_is_behind_is_reported_and_stays_so(
    tmp_path: Path, kept: int, problem: str
) -> None:
    log = log_of(tmp_path, kept)
    old = (tmp_path / "audit.head").read_bytes()
    for number in range(kept, 6):
        log.append({"tool": f"tool_{number}"})
    (tmp_path / "audit.head").write_bytes(old)
    assert verify(tmp_path).problems == (problem,)
    log.append({"tool": "next"})

    assert verify(tmp_path).problems == (f"audit.jsonl:7: {NOTED}",)


def test_a_last_line_that_was_replaced_is_reported_and_stays_so(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    path = tmp_path / "audit.jsonl"
    *others, last = lines_of(path)
    path.write_bytes(b"".join([*others, forged(last, tool="tool_X")]))
    log.append({"tool": "next"})

    assert verify(tmp_path).problems == (f"audit.jsonl:7: {NOTED}",)


# --- Rotation ----------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("audit.jsonl*"))


def test_the_chain_goes_on_across_files(tmp_path: Path) -> None:
    log_of(tmp_path, 7, max_bytes=600)

    assert names(tmp_path) == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2", "audit.jsonl.3"]
    assert max(path.stat().st_size for path in tmp_path.glob("audit.jsonl*")) <= 600
    found = whole(tmp_path)
    assert [line["seq"] for line in found] == [1, 2, 3, 4, 5, 6, 7]
    assert [line["prev"] for line in found] == [NONE, *(line["hash"] for line in found[:-1])]
    assert len(lines_of(tmp_path / "audit.jsonl")) == 1
    assert verify(tmp_path) == Verdict(7, 4, 1, ())


def test_a_line_larger_than_a_file_has_its_own(tmp_path: Path) -> None:
    log_of(tmp_path, 3, max_bytes=10)

    assert names(tmp_path) == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    assert verify(tmp_path) == Verdict(3, 3, 1, ())


def test_the_oldest_lines_go_and_are_not_missed(tmp_path: Path) -> None:
    log_of(tmp_path, 11, max_bytes=600, keep=2)

    assert names(tmp_path) == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    assert verify(tmp_path) == Verdict(5, 3, 7, ())
    log_of(tmp_path, 2, max_bytes=600, keep=1)
    assert names(tmp_path) == ["audit.jsonl", "audit.jsonl.1"]
    assert verify(tmp_path) == Verdict(3, 2, 11, ())


@pytest.mark.parametrize(
    ("gone", "problem"),
    [
        ("audit.jsonl.4", "audit.jsonl.3:1: 2 lines before it are missing"),
        ("audit.jsonl.3", "audit.jsonl.2:1: 2 lines before it are missing"),
        ("audit.jsonl.1", "audit.jsonl:1: 2 lines before it are missing"),
        ("audit.jsonl", "audit.jsonl: the last line is missing"),
    ],
    ids=["the oldest", "one in the middle", "the newest renamed one", "the newest"],
)
@pytest.mark.parametrize("pruned", [False, True])
def test_a_removed_file_is_reported(tmp_path: Path, pruned: bool, gone: str, problem: str) -> None:
    log_of(tmp_path, 13 if pruned else 9, max_bytes=600, keep=4)
    assert verify(tmp_path) == Verdict(9, 5, 5 if pruned else 1, ())
    (tmp_path / gone).unlink()

    assert verify(tmp_path).problems == (problem,)


def test_a_removed_file_is_still_reported_after_the_next_rotation(tmp_path: Path) -> None:
    log = log_of(tmp_path, 9, max_bytes=600)
    (tmp_path / "audit.jsonl.2").unlink()
    for _ in range(2):
        log.append({"tool": "tool_0"})

    assert names(tmp_path) == [
        "audit.jsonl",
        *(f"audit.jsonl.{number}" for number in (1, 2, 3, 4)),
    ]
    assert verify(tmp_path).problems == ("audit.jsonl.2:1: 2 lines before it are missing",)


def test_a_change_in_a_renamed_file_is_reported(tmp_path: Path) -> None:
    log_of(tmp_path, 9, max_bytes=600)
    path = tmp_path / "audit.jsonl.3"
    path.write_bytes(path.read_bytes().replace(b"tool_3", b"tool_X"))

    assert verify(tmp_path).problems == ("audit.jsonl.3:2: the line was changed",)


def test_without_its_head_a_renamed_log_may_begin_anywhere(tmp_path: Path) -> None:
    log = log_of(tmp_path, 9, max_bytes=600, keep=2)
    (tmp_path / "audit.head").unlink()
    assert verify(tmp_path).problems == ("audit.head: the file is missing",)
    log.append({"tool": "tool_0"})

    assert verify(tmp_path) == Verdict(6, 3, 5, (f"audit.jsonl:2: {NOTED}",))
    first = tmp_path / "audit.jsonl.2"
    first.write_bytes(lines_of(first)[1])
    assert verify(tmp_path).problems[0] == "audit.jsonl.2:1: 1 line before it is missing"


@pytest.mark.parametrize("made", [False, True], ids=["no new file", "an empty new file"])
def test_the_chain_is_kept_when_a_crash_came_between_renaming_and_writing(
    tmp_path: Path, made: bool
) -> None:
    log = log_of(tmp_path, 2)
    (tmp_path / "audit.jsonl").rename(tmp_path / "audit.jsonl.1")
    if made:
        (tmp_path / "audit.jsonl").touch()
    assert verify(tmp_path) == Verdict(2, 1 + made, 1, ())
    log.append({"tool": "next"})

    assert verify(tmp_path) == Verdict(3, 2, 1, ())


@pytest.mark.parametrize(("step", "left"), [("unlink", 5), ("replace", 3)])
def test_a_rotation_that_stopped_half_way_looks_like_no_theft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, left: int
) -> None:
    log = log_of(tmp_path, 5, max_bytes=600, keep=2)
    log.append({"tool": "next"})
    real = getattr(Path, step)

    def stop(path: Path, *arguments: Any) -> Any:
        if path.name.startswith("audit.jsonl"):
            raise OSError(5, "Input/output error", str(path))
        return real(path, *arguments)

    with monkeypatch.context() as broken:
        broken.setattr(Path, step, stop)
        with pytest.raises(AuditError, match="Input/output error"):
            log.append({"tool": "next"})
    assert verify(tmp_path).problems == ()
    assert verify(tmp_path).lines == left + 1

    log.append({"tool": "next"})
    assert verify(tmp_path) == Verdict(5, 3, 3, ())


def test_no_file_at_all_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keep must be at least 1"):
        FileAuditLog(tmp_path, keep=0)


# --- Crashes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_a_half_written_line_breaks_nothing_after_it(tmp_path: Path, cut: int) -> None:
    log = log_of(tmp_path, 3)
    path = tmp_path / "audit.jsonl"
    head = (tmp_path / "audit.head").read_bytes()
    log.append({"tool": "next"})
    path.write_bytes(b"".join(lines_of(path)[:3]) + lines_of(path)[3][:cut])
    (tmp_path / "audit.head").write_bytes(head)

    damaged = ("audit.jsonl:4: the line is damaged",)
    assert verify(tmp_path) == Verdict(4, 1, 1, damaged)
    log.append({"tool": "next"})
    log.append({"tool": "next"})
    assert verify(tmp_path) == Verdict(6, 1, 1, damaged)
    assert [json.loads(line)["seq"] for line in lines_of(path)[4:]] == [4, 5]


def test_a_line_that_lacks_only_its_end_is_gone_on_from(tmp_path: Path) -> None:
    log = log_of(tmp_path, 3)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    assert verify(tmp_path).problems == ("audit.jsonl:3: the line was changed",)
    log.append({"tool": "next"})

    assert verify(tmp_path) == Verdict(4, 1, 1, ())


def test_the_last_whole_line_is_found_behind_much_rubbish(tmp_path: Path) -> None:
    log = log_of(tmp_path, 3)
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b"rubbish\n" * 20_000)
    log.append({"tool": "next"})

    assert verify(tmp_path).lines == 20_004
    assert set(verify(tmp_path).problems) == {
        f"audit.jsonl:{number}: the line is damaged" for number in range(4, 20_004)
    }


@contextmanager
def limited(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a full disk; as briefly as possible, for it is the
    whole process that is limited, its output included.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 100])
def test_a_line_that_does_not_fit_on_the_disk_leaves_no_trace(tmp_path: Path, room: int) -> None:
    log = log_of(tmp_path, 3)
    before = (tmp_path / "audit.jsonl").read_bytes()
    refused = pytest.raises(AuditError, match=r"audit\.jsonl cannot be written: \w+")
    with limited(len(before) + room), refused:
        log.append({"tool": "next"})

    assert (tmp_path / "audit.jsonl").read_bytes() == before
    assert verify(tmp_path) == Verdict(3, 1, 1, ())


def test_a_line_whose_head_cannot_be_written_leaves_no_trace(tmp_path: Path) -> None:
    log = log_of(tmp_path, 3)
    (tmp_path / "audit.head.new").mkdir()
    with pytest.raises(AuditError, match=r"audit\.head\.new cannot be written: Is a directory"):
        log.append({"tool": "next"})

    assert verify(tmp_path) == Verdict(3, 1, 1, ())


# --- What cannot be written --------------------------------------------------------------------


def a_file_in_place_of_the_folder(folder: Path) -> str:
    folder.write_text("")
    return f"{folder} cannot be written: File exists"


def a_file_above_the_folder(folder: Path) -> str:
    folder.write_text("")
    return f"{folder}/state cannot be written: Not a directory"


def a_folder_in_place_of_the_log(folder: Path) -> str:
    (folder / "audit.jsonl").mkdir(parents=True)
    return f"{folder}/audit.jsonl cannot be written: Is a directory"


def a_folder_in_place_of_the_head(folder: Path) -> str:
    (folder / "audit.head").mkdir(parents=True)
    return f"{folder}/audit.head cannot be written: Is a directory"


def a_folder_in_place_of_the_next_head(folder: Path) -> str:
    (folder / "audit.head.new").mkdir(parents=True)
    return f"{folder}/audit.head.new cannot be written: Is a directory"


def a_folder_in_place_of_the_lock(folder: Path) -> str:
    (folder / "audit.lock").mkdir(parents=True)
    return f"{folder}/audit.lock cannot be written: Is a directory"


@pytest.mark.parametrize(
    "use", [FileAuditLog.check, lambda log: log.append({})], ids=["check", "it"]
)
@pytest.mark.parametrize(
    "obstacle",
    [
        a_file_in_place_of_the_folder,
        a_file_above_the_folder,
        a_folder_in_place_of_the_log,
        a_folder_in_place_of_the_head,
        a_folder_in_place_of_the_next_head,
        a_folder_in_place_of_the_lock,
    ],
)
def test_an_error_names_the_place_and_the_reason(
    tmp_path: Path, obstacle: Callable[[Path], str], use: Callable[[FileAuditLog], None]
) -> None:
    folder = tmp_path / "log"
    message = obstacle(folder)
    with pytest.raises(AuditError) as caught:
        use(FileAuditLog(folder / "state" if "state" in message else folder))

    assert str(caught.value) == message


@pytest.mark.parametrize(
    "use", [FileAuditLog.check, lambda log: log.append({})], ids=["check", "it"]
)
def test_a_lock_that_is_never_free_is_an_error(
    tmp_path: Path, use: Callable[[FileAuditLog], None]
) -> None:
    log_of(tmp_path, 1)
    log = FileAuditLog(tmp_path, lock_timeout_s=0)
    with (tmp_path / "audit.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(AuditError, match=r"audit\.lock is locked by another process"):
            use(log)
        assert verify(tmp_path) == Verdict(1, 1, 1, ())  # reading needs no lock
    use(log)


def test_check_writes_no_line(tmp_path: Path) -> None:
    log = FileAuditLog(tmp_path / "new")
    log.check()
    assert verify(tmp_path / "new") == Verdict(0, 1, 0, ())
    log.append({"tool": "x"})
    before = {path: path.read_bytes() for path in (tmp_path / "new").iterdir()}
    log.check()

    assert {path: path.read_bytes() for path in (tmp_path / "new").iterdir()} == before
    assert verify(tmp_path / "new") == Verdict(1, 1, 1, ())


# --- Many writers ------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from talonone_mcp.core.clock import Clock
from talonone_mcp.store.audit import FileAuditLog
log = FileAuditLog(Path(sys.argv[1]), max_bytes=int(sys.argv[2]), keep=1000)
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    log.append({"writer": sys.argv[3], "number": number})
"""


def write_many(folder: Path, max_bytes: int, processes: int) -> None:
    """Append from 8 threads and some processes, all starting together."""
    log = FileAuditLog(folder, max_bytes=max_bytes, keep=1000)

    def write(writer: int) -> None:
        for number in range(60):
            log.append({"writer": str(writer), "number": number})

    with ExitStack() as running:
        pool = running.enter_context(ThreadPoolExecutor(8))
        others = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", WRITER, str(folder), str(max_bytes), str(8 + number)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(processes)
        ]
        for other in others:
            assert other.stdout
            assert other.stdout.readline() == "ready\n"
        for other in others:
            assert other.stdin
            other.stdin.write("go\n")
            other.stdin.flush()
        list(pool.map(write, range(8)))
        assert [other.wait() for other in others] == [0] * processes


@pytest.mark.parametrize("max_bytes", [10_000_000, 3_000], ids=["one file", "many files"])
def test_no_line_of_many_writers_is_lost(tmp_path: Path, max_bytes: int) -> None:
    write_many(tmp_path, max_bytes, processes=2)

    verdict = verify(tmp_path)
    assert (verdict.lines, verdict.first, verdict.problems) == (600, 1, ())
    assert (verdict.files > 1) == (max_bytes == 3_000)
    found = sorted((int(line["writer"]), line["number"]) for line in whole(tmp_path))
    assert found == [(writer, number) for writer in range(10) for number in range(60)]


def test_a_log_can_be_verified_while_it_is_written(tmp_path: Path) -> None:
    log = FileAuditLog(tmp_path, max_bytes=2_000, keep=2)
    looked_at_often_enough = threading.Event()

    def write() -> None:
        while not looked_at_often_enough.is_set():
            log.append({"operation": "list_coupons"})

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        verdicts: list[Verdict] = []
        while len({verdict.first for verdict in verdicts}) < 5 and not writing.done():
            verdicts.append(verify(tmp_path))
        looked_at_often_enough.set()
        writing.result()

    assert {verdict.problems for verdict in verdicts} == {()}


def test_threads_exclude_each_other_without_fcntl_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "fcntl", None)
    write_many(tmp_path, 10_000_000, processes=0)

    assert verify(tmp_path) == Verdict(480, 1, 1, ())
    assert not (tmp_path / "audit.lock").exists()
    (tmp_path / "audit.lock").touch()
    with pytest.raises(AuditError, match="is locked"):
        FileAuditLog(tmp_path, lock_timeout_s=0).append({})


def test_it_can_be_imported_without_fcntl() -> None:
    start = "import sys; sys.modules['fcntl'] = None; import talonone_mcp.store.audit"
    subprocess.run([sys.executable, "-c", start], check=True)
