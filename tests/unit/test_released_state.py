"""The state directory of a released version opens as it is: nobody migrates by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from talonone_mcp.core.clock import Clock
from talonone_mcp.store import passphrase
from talonone_mcp.store.audit import FileAuditLog, Verdict, verify
from talonone_mcp.store.export_files import FileExports
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger

RELEASED = Path(__file__).parents[1] / "released_state"
EXPIRED = 1_796_139_448.85  # when the approval that each holds ends


@pytest.fixture(params=sorted(path.name for path in RELEASED.iterdir()))
def state_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of what a released version left: what it keeps, one of each."""
    return shutil.copytree(RELEASED / request.param, tmp_path / "state")


def test_an_approval_that_waits_can_be_given(state_dir: Path) -> None:
    path = state_dir / LEDGER_FILE
    [asked] = SqliteLedger(path, clock=Clock(lambda: EXPIRED - 1)).waiting()
    ledger = SqliteLedger(path, clock=Clock(lambda: asked.created + 1))

    assert (asked.state, asked.question, asked.call.tool) == (
        "pending", "Really?", "delete_campaign",
    )  # fmt: skip
    assert ledger.decide(asked.id, approve=True, by="anna").state == "approved"
    assert ledger.consume(asked.id)


def test_the_audit_log_goes_on(state_dir: Path) -> None:
    assert verify(state_dir) == Verdict(2, 1, 1, ())

    FileAuditLog(state_dir).append({"operation": "get_campaign"})
    assert verify(state_dir) == Verdict(3, 1, 1, ())


def test_the_passphrase_still_opens(state_dir: Path) -> None:
    assert passphrase.matches(state_dir, "correct horse")
    assert not passphrase.matches(state_dir, "wrong horse")


def test_exports_are_still_there(state_dir: Path) -> None:
    [about] = (state_dir / "exports").glob("*.json")
    exports = FileExports(state_dir, seconds=1e10, max_bytes=10**6)

    [export] = exports.kept("local")
    assert export.id == about.stem
    assert exports.text(export) == "a,b\n1,2\n"
