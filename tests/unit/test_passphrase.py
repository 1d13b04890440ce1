"""The approver's passphrase as it is kept: in a hash, for its owner alone, and never half read."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from talonone_mcp.store.passphrase import (
    PASSPHRASE_FILE,
    PassphraseError,
    is_set,
    matches,
    set_passphrase,
)

GOOD = "correct horse"
AS_ROOT = pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything"
)


def test_none_is_set_and_nothing_matches(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "not there yet"):
        assert not is_set(folder)
        assert not matches(folder, "")
        assert not matches(folder, GOOD)


def test_one_that_is_set_matches_alone(tmp_path: Path) -> None:
    set_passphrase(tmp_path, GOOD)

    assert is_set(tmp_path)
    assert matches(tmp_path, GOOD)
    for other in ("", GOOD + " ", GOOD.upper(), "another one"):
        assert not matches(tmp_path, other)


def test_a_new_one_takes_the_place_of_the_old(tmp_path: Path) -> None:
    set_passphrase(tmp_path, GOOD)
    set_passphrase(tmp_path, "battery staple")

    assert matches(tmp_path, "battery staple")
    assert not matches(tmp_path, GOOD)
    assert [path.name for path in tmp_path.iterdir()] == [PASSPHRASE_FILE]


def test_the_same_letters_match_however_a_keyboard_composes_them(tmp_path: Path) -> None:
    set_passphrase(tmp_path, "schl\u00fcssel")

    assert matches(tmp_path, "schlu\u0308ssel")


def test_the_file_is_a_salted_hash_for_its_owner_alone(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "a" / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        set_passphrase(folder, GOOD)

    assert stat.S_IMODE(ours.stat().st_mode) == 0o700
    assert stat.S_IMODE((ours / PASSPHRASE_FILE).stat().st_mode) == 0o600
    kept = json.loads((ours / PASSPHRASE_FILE).read_text())
    assert {key: kept[key] for key in ("v", "n", "r", "p")} == {"v": 1, "n": 32768, "r": 8, "p": 1}
    assert GOOD not in (ours / PASSPHRASE_FILE).read_text()
    other = json.loads((theirs / PASSPHRASE_FILE).read_text())
    assert kept["salt"] != other["salt"]
    assert kept["hash"] != other["hash"]


@pytest.mark.parametrize("short", ["", "seven 7", "   five5   ", " " * 20])
def test_a_short_one_is_not_taken(tmp_path: Path, short: str) -> None:
    with pytest.raises(ValueError, match="at least 8 characters"):
        set_passphrase(tmp_path, short)

    assert not is_set(tmp_path)


def _kept(folder: Path) -> dict[str, Any]:
    set_passphrase(folder, GOOD)
    content: dict[str, Any] = json.loads((folder / PASSPHRASE_FILE).read_text())
    return content


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "null", '"text"', "not json", "\x00\x01", '{"v": 1', "[" * 100_000],
    ids=lambda content: repr(content[:10]),
)
def test_a_foreign_file_is_an_error_and_never_none(tmp_path: Path, content: str) -> None:
    (tmp_path / PASSPHRASE_FILE).write_text(content)

    with pytest.raises(PassphraseError, match=PASSPHRASE_FILE):
        is_set(tmp_path)
    with pytest.raises(PassphraseError, match=PASSPHRASE_FILE):
        matches(tmp_path, GOOD)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"salt": ""},
        {"salt": None},
        {"hash": ""},
        {"hash": "00"},
        {"hash": "zz" * 32},
        {"n": 0},
        {"n": 2.5},
        {"r": "8"},
    ],
    ids=repr,
)
def test_a_changed_file_is_an_error(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / PASSPHRASE_FILE).write_text(json.dumps(_kept(tmp_path) | change))

    with pytest.raises(PassphraseError, match="damaged"):
        is_set(tmp_path)


@pytest.mark.parametrize("change", [{"n": 3}, {"n": 2**40}, {"n": 2**80}, {"r": 2**20}], ids=repr)
def test_a_cost_that_nobody_can_pay_is_an_error(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / PASSPHRASE_FILE).write_text(json.dumps(_kept(tmp_path) | change))

    with pytest.raises(PassphraseError, match="damaged"):
        matches(tmp_path, GOOD)


def test_each_part_that_is_missing_is_an_error(tmp_path: Path) -> None:
    kept = _kept(tmp_path)
    for name in kept:
        (tmp_path / PASSPHRASE_FILE).write_text(
            json.dumps({k: v for k, v in kept.items() if k != name})
        )
        with pytest.raises(PassphraseError, match="damaged"):
            is_set(tmp_path)


def test_a_link_to_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / PASSPHRASE_FILE).symlink_to(tmp_path / "gone")

    with pytest.raises(PassphraseError, match="cannot be read"):
        is_set(tmp_path)


def test_a_folder_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / PASSPHRASE_FILE).mkdir()

    with pytest.raises(PassphraseError, match="cannot be read"):
        is_set(tmp_path)
    with pytest.raises(PassphraseError, match="cannot be written"):
        set_passphrase(tmp_path, GOOD)
    assert [path.name for path in tmp_path.iterdir()] == [PASSPHRASE_FILE], "nothing is left behind"


def test_a_state_directory_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")

    with pytest.raises(PassphraseError, match="cannot be read"):
        is_set(tmp_path / "state")
    with pytest.raises(PassphraseError, match="cannot be written"):
        set_passphrase(tmp_path / "state", GOOD)


@AS_ROOT
def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    set_passphrase(tmp_path, GOOD)
    (tmp_path / PASSPHRASE_FILE).chmod(0)

    with pytest.raises(PassphraseError, match="cannot be read"):
        is_set(tmp_path)
