"""Which tests are slow: whole folders, and files that take seconds even on a quiet machine.

`just fast` leaves them out. What remains runs every module of the package; a single test can also
be marked where it stands, with `@pytest.mark.slow`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FOLDERS = {"e2e", "packaging", "property"}
FILES = {
    "contract/test_refusals.py",
    "contract/test_requests.py",
    "sandbox/test_core.py",
    "sandbox/test_events.py",
    "sandbox/test_logs.py",
    "unit/test_approvals.py",
    "unit/test_bench.py",
    "unit/test_demo.py",
    "unit/test_doors.py",
    "unit/test_hostile_text.py",
    "unit/test_imports.py",
    "unit/test_outputs.py",
    "unit/test_passphrase.py",
    "unit/test_sessions.py",
    "unit/test_telemetry.py",
    "unit/test_views.py",
    "workflows/test_campaign_report.py",
    "workflows/test_check_coupon.py",
    "workflows/test_check_coupon_reads.py",
    "workflows/test_find_customer.py",
    "workflows/test_investigate_customer.py",
    "workflows/test_issue_coupon.py",
    "workflows/test_plan_gate.py",
    "workflows/test_set_up_campaign.py",
}
QUICK = {  # tests of these files and folders that are fast, and run modules that no others run
    "e2e/test_sandbox_command.py::test_a_wrong_option_is_named",
    "unit/test_demo.py::test_it_holds_against_the_real_one",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests."""
    for item in items:
        path = item.path.relative_to(TESTS)
        name = f"{path.as_posix()}::{item.name.partition('[')[0]}"
        if name in QUICK:
            continue
        if path.parts[0] in FOLDERS or path.as_posix() in FILES:
            item.add_marker("slow")
