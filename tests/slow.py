"""Which tests are slow: folders, files and functions that take seconds even on a quiet machine.

`just fast` leaves them out. What remains runs every module of the package; a single test can also
be marked where it stands, with `@pytest.mark.slow`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FOLDERS = {"e2e", "gate", "packaging", "property"}
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
    "unit/test_paging.py",
    "unit/test_faults.py",
    "unit/test_wire.py",
    "unit/test_integration_keys.py",
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
FUNCTIONS = {  # each takes about a second or more
    "unit/test_accounts.py::test_a_session_that_upstream_ended_is_renewed_once",
    "unit/test_approvals_command.py::test_a_passphrase_is_set_and_changed_by_who_knows_it",
    "unit/test_approvals_command.py::test_the_passphrase_is_asked_for_and_not_shown",
    "unit/test_approvals_command.py::test_anything_but_yes_leaves_it_waiting",
    "unit/test_approvals_command.py::test_without_a_terminal_nobody_approves",
    "unit/test_completions.py::test_at_most_a_hundred_are_shown_and_all_are_counted",
    "unit/test_exports.py::test_what_is_not_there",
    "contract/test_views.py::test_the_documented_answer_has_its_form",
    "unit/test_doctor.py::test_http_where_https_is_spoken",
    "unit/test_gate.py::test_anything_but_a_plain_yes_is_a_no",
    "unit/test_install_settings.py::test_it_says_how_to_keep_a_secret_and_that_works",
    "unit/test_uninstall.py::test_the_file_is_as_it_was_to_the_byte",
    "unit/test_audit.py::test_a_lock_that_is_never_free_is_an_error",
    "unit/test_audit.py::test_whatever_is_written_is_found_unchanged",
    "unit/test_audit.py::test_no_line_of_many_writers_is_lost",
    "unit/test_call_command.py::test_a_list_of_many_pages_says_how_far_it_is",
    "unit/test_call_command.py::test_a_passphrase_is_asked_for_where_one_is_set",
    "unit/test_call_command.py::test_a_person_at_the_terminal_is_asked",
    "unit/test_call_command.py::test_what_customers_wrote_draws_nothing_at_the_terminal",
    "unit/test_csv_masking.py::test_a_cell_that_is_too_long_hides_nothing",
    "unit/test_doctor.py::test_each_applications_key_is_tried",
    "unit/test_exports.py::test_a_cancelled_export_leaves_nothing",
    "unit/test_own_prompts.py::test_a_file_that_cannot_be_read_is_named_and_the_rest_is_offered",
    "unit/test_subscriptions.py::test_it_is_told_over_every_transport",
    "unit/test_subscriptions.py::test_over_http_another_client_is_told",
    "unit/test_tools_command.py::test_a_shell_completes_what_the_catalog_knows",
    "unit/test_updating.py::test_what_is_not_named_is_sent_as_it_is",
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
        if path.parts[0] in FOLDERS or path.as_posix() in FILES or name in FUNCTIONS:
            item.add_marker("slow")
