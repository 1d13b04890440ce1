"""The sums of what calls did within a window: counted, bounded, given back, and kept."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from talonone_mcp.core.clock import Clock
from talonone_mcp.core.policy import MAX_WINDOW_S, Bound
from talonone_mcp.core.settings import load_settings
from talonone_mcp.store.local_store import local_store
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger
from talonone_mcp.store.sqlite_sums import SUMS_FILE, SqliteSums
from talonone_mcp.store.sums import Key, PrincipalSum, SumsError

LIVE, SANDBOX = "https://acme.talon.one", "https://sandbox.invalid"
POINTS: Key = ("gives", "points")
CODES: Key = ("gives", "codes")
HUNDRED: Mapping[Key, Bound] = {POINTS: Bound(100, 1000)}
DAY = 86_400.0


class Time:
    """A time of day that a test sets."""

    now = 1_000_000_000.0

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.now)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def sums(tmp_path: Path, time: Time) -> SqliteSums:
    return SqliteSums(tmp_path / "state" / SUMS_FILE, clock=time.clock)


def give(sums: SqliteSums, points: float, who: str = "anna", where: str = LIVE) -> str | None:
    return sums.count(where, who, {POINTS: points}, HUNDRED, DAY)


def test_what_would_exceed_a_bound_is_not_counted(sums: SqliteSums) -> None:
    assert give(sums, 60)
    assert give(sums, 41) is None
    assert give(sums, 40)
    assert give(sums, 0.5) is None
    assert sums.spent(LIVE, "anna", DAY).own == {POINTS: 100}


def test_all_principals_together_have_a_bound_of_their_own(sums: SqliteSums) -> None:
    assert all(give(sums, 100, f"p{number}") for number in range(10))

    assert give(sums, 1, "another") is None
    spent = sums.spent(LIVE, "another", DAY)
    assert (spent.own, spent.all) == ({POINTS: 0}, {POINTS: 1000})


def test_one_amount_beyond_its_bound_keeps_all_of_a_call_out(sums: SqliteSums) -> None:
    amounts, bounds = {CODES: 5.0, POINTS: 101.0}, {**HUNDRED, CODES: Bound(None, None)}

    assert sums.count(LIVE, "anna", amounts, bounds, DAY) is None
    assert sums.spent(LIVE, "anna", DAY).own == {}


def test_what_has_no_bound_is_counted_without_end(sums: SqliteSums) -> None:
    assert sums.count(LIVE, "anna", {CODES: 1e12}, HUNDRED, DAY)
    assert sums.count(LIVE, "anna", {CODES: 1e12}, HUNDRED, DAY)
    assert sums.spent(LIVE, "anna", DAY).own == {CODES: 2e12}


def test_what_upstream_refused_can_be_given_again(sums: SqliteSums) -> None:
    first = give(sums, 100)
    assert first
    assert give(sums, 100) is None

    sums.give_back(first)

    assert give(sums, 100)
    sums.give_back(first)  # once more changes nothing
    assert give(sums, 1) is None


def test_the_window_slides(sums: SqliteSums, time: Time) -> None:
    assert give(sums, 60)
    time.now += DAY / 2
    assert give(sums, 40)
    time.now += DAY / 2
    assert give(sums, 61) is None
    assert give(sums, 60)


def test_a_clock_that_is_set_back_makes_no_room(sums: SqliteSums, time: Time) -> None:
    assert give(sums, 100)
    time.now -= 10 * DAY
    assert give(sums, 1) is None


def test_a_yes_is_recorded_but_not_held_against_anybody(sums: SqliteSums) -> None:
    sums.count_asked(LIVE, "anna", {POINTS: 50_000})
    assert give(sums, 100)

    assert sums.by_principal(LIVE, DAY) == [PrincipalSum("anna", *POINTS, 100, 50_000)]
    assert sums.spent(LIVE, "anna", DAY).own == {POINTS: 100}


def test_the_sandbox_does_not_count_for_a_live_deployment(sums: SqliteSums) -> None:
    assert give(sums, 100, where=SANDBOX)
    assert give(sums, 100)
    assert sums.spent(LIVE, "anna", DAY).all == {POINTS: 100}


def test_a_restart_keeps_them(tmp_path: Path, sums: SqliteSums, time: Time) -> None:
    assert give(sums, 100)

    again = SqliteSums(tmp_path / "state" / SUMS_FILE, clock=time.clock)

    assert give(again, 1) is None


def test_what_no_window_reaches_is_deleted(sums: SqliteSums, time: Time) -> None:
    assert give(sums, 100)
    time.now += MAX_WINDOW_S + 1
    assert give(sums, 1)

    assert sums.by_principal(LIVE, 10 * MAX_WINDOW_S) == [PrincipalSum("anna", *POINTS, 1, 0)]


@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf")])
def test_no_amount_makes_room_for_others(sums: SqliteSums, amount: float) -> None:
    with pytest.raises(ValueError, match="cannot be counted"):
        give(sums, amount)
    with pytest.raises(ValueError, match="cannot be counted"):
        sums.count_asked(LIVE, "anna", {POINTS: amount})


def test_a_call_that_does_nothing_needs_no_file(tmp_path: Path, sums: SqliteSums) -> None:
    assert sums.count(LIVE, "anna", {}, HUNDRED, DAY)
    assert sums.count_asked(LIVE, "anna", {POINTS: 0})
    assert not (tmp_path / "state").exists()


def test_only_its_owner_may_read_the_file(tmp_path: Path, sums: SqliteSums) -> None:
    give(sums, 1)

    modes = [(tmp_path / name).stat().st_mode for name in ("state", f"state/{SUMS_FILE}")]
    assert [stat.S_IMODE(mode) for mode in modes] == [0o700, 0o600]


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "broken").write_bytes(b"no database " * 100)
    SqliteLedger(tmp_path / LEDGER_FILE).waiting()

    for path in (tmp_path, tmp_path / "file" / SUMS_FILE, tmp_path / "broken"):
        with pytest.raises(SumsError, match=f"{path} cannot be used: "):
            give(SqliteSums(path), 1)
    with pytest.raises(SumsError, match="is not a file of sums of this version; move it away"):
        give(SqliteSums(tmp_path / LEDGER_FILE), 1)


def test_a_full_or_read_only_disk_counts_nothing(tmp_path: Path, sums: SqliteSums) -> None:
    give(sums, 1)
    (tmp_path / "state" / f"{SUMS_FILE}-journal").mkdir()  # no transaction can write, even as root

    with pytest.raises(SumsError):
        give(sums, 1)


def test_the_store_of_a_machine_keeps_them_in_its_state_directory(tmp_path: Path) -> None:
    settings = load_settings({"sandbox": True}, {"TALONONE_STATE_DIR": str(tmp_path)})

    assert local_store(settings).sums.count(LIVE, "anna", {POINTS: 1}, HUNDRED, DAY)
    assert (tmp_path / SUMS_FILE).is_file()
