"""`talonone-mcp approvals`, as a person uses it in a terminal, and as an agent might try to."""

from __future__ import annotations

import json
import os
import pty
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from talonone_mcp.core.clock import Clock
from talonone_mcp.store import passphrase as passphrases
from talonone_mcp.store.ledger import Approval, GatedCall
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger
from talonone_mcp.terminal.main import main
from tests.terminal import DEADLINE, terminal

GOOD = "correct horse"
CALL = GatedCall(
    principal="local",
    client="claude 1.0",
    deployment="https://acme.talon.one",
    tool="delete_campaign",
    arguments='{"applicationId": 42, "campaignId": 18}',
    digest="d1",
)
QUESTION = (
    'Delete campaign "Summer promotions" (18) of Application 42? It is running, with 41 coupons'
    " created and 28 coupon redemptions. Its rules and coupons are deleted too. This cannot be"
    " undone."
)
COMMAND = [sys.executable, "-m", "talonone_mcp", "approvals"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALONONE_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def ledger(folder: Path) -> SqliteLedger:
    return SqliteLedger(folder / LEDGER_FILE)


@pytest.fixture
def waiting(ledger: SqliteLedger) -> Approval:
    return ledger.request(CALL, QUESTION, "seen")


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command here and return its exit status, its output and its complaints."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["approvals", *arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def expired(folder: Path) -> Approval:
    old = SqliteLedger(folder / LEDGER_FILE, clock=Clock(lambda: time.time() - 3600))
    return old.request(CALL, QUESTION, "seen")


def state_of(ledger: SqliteLedger, approval: Approval) -> Approval:
    found = ledger.get(approval.id)
    assert found is not None
    return found


def piped(*arguments: str, typed: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an agent's shell does."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=typed,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        start_new_session=True,
    )


# --- approve -------------------------------------------------------------------------------------


def test_yes_in_a_terminal_approves_and_warns(ledger: SqliteLedger, waiting: Approval) -> None:
    with terminal("approvals", "approve", waiting.id) as person:
        person.expect('"campaignId": 18')
        person.expect("| Delete campaign")
        person.expect("undone.")
        person.expect(
            "A yes allows one call of delete_campaign with exactly these arguments,"
            " by local on https://acme.talon.one, within 10 min."
        )
        person.expect("Approve exactly this call? Type yes: ")
        assert state_of(ledger, waiting).state == "pending"
        person.type("yes")
        person.expect("Approved: one call of delete_campaign")
        status, err = person.end()

    assert status == 0
    assert "talonone-mcp approvals passphrase" in err
    assert len(err.splitlines()) == 1
    approved = state_of(ledger, waiting)
    assert approved.state == "approved"
    assert approved.decided_by
    assert ledger.consume(waiting.id)


@pytest.mark.parametrize("answer", ["no", "", "y", "Yes", "yes please", "\x04"], ids=repr)
def test_anything_but_yes_leaves_it_waiting(
    ledger: SqliteLedger, waiting: Approval, answer: str
) -> None:
    with terminal("approvals", "approve", waiting.id) as person:
        person.expect("Type yes: ")
        person.type(answer)
        status, err = person.end()

    assert status == 1
    assert f"still waits. To refuse it: talonone-mcp approvals deny {waiting.id}" in err
    assert state_of(ledger, waiting).state == "pending"


def test_with_yes_it_does_not_ask_again(ledger: SqliteLedger, waiting: Approval) -> None:
    with terminal("approvals", "approve", "--yes", waiting.id) as person:
        person.expect("undone.")
        person.expect("Approved: ")
        status, err = person.end()
        assert "Type yes" not in person.shown

    assert status == 0
    assert "no passphrase is set" in err
    assert state_of(ledger, waiting).state == "approved"


@pytest.mark.parametrize("flags", [[], ["--yes"]])
@pytest.mark.parametrize("guarded", [False, True])
def test_without_a_terminal_nobody_approves(
    folder: Path, ledger: SqliteLedger, waiting: Approval, flags: list[str], guarded: bool
) -> None:
    if guarded:
        passphrases.set_passphrase(folder, GOOD)

    ran = piped("approve", *flags, waiting.id, typed=f"yes\n{GOOD}\n")

    assert (ran.returncode, ran.stdout) == (1, "")
    assert "needs a terminal" in ran.stderr
    assert "an agent with a shell is not one" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert state_of(ledger, waiting).state == "pending"


@pytest.mark.parametrize("given", ["stdin", "stdout"])
def test_half_a_terminal_is_none(ledger: SqliteLedger, waiting: Approval, given: str) -> None:
    master, slave = pty.openpty()
    try:
        ran = subprocess.run(
            [*COMMAND, "approve", "--yes", waiting.id],
            stdin=slave if given == "stdin" else subprocess.DEVNULL,
            stdout=slave if given == "stdout" else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
    finally:
        os.close(master)
        os.close(slave)

    assert ran.returncode == 1
    assert "needs a terminal" in ran.stderr
    assert state_of(ledger, waiting).state == "pending"


def test_closed_streams_are_no_terminal(ledger: SqliteLedger, waiting: Approval) -> None:
    ran = subprocess.run(
        ["sh", "-c", 'exec "$@" <&- >&-', "sh", *COMMAND, "approve", waiting.id],
        stderr=subprocess.PIPE,
        text=True,
        timeout=DEADLINE,
        check=False,
    )

    assert ran.returncode == 1
    assert "needs a terminal" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert state_of(ledger, waiting).state == "pending"


@pytest.mark.parametrize("flags", [[], ["--yes"]])
def test_the_passphrase_is_asked_for_and_not_shown(
    folder: Path, ledger: SqliteLedger, waiting: Approval, flags: list[str]
) -> None:
    passphrases.set_passphrase(folder, GOOD)

    with terminal("approvals", "approve", *flags, waiting.id) as person:
        if not flags:
            person.expect("Type yes: ")
            person.type("yes")
        person.expect("Passphrase: ")
        person.type("wrong once")
        person.expect("That is not it.")
        person.expect("Passphrase: ")
        assert state_of(ledger, waiting).state == "pending"
        person.type(GOOD)
        person.expect("Approved: ")
        status, err = person.end()
        assert GOOD not in person.shown

    assert (status, err) == (0, "")
    assert state_of(ledger, waiting).state == "approved"


def test_three_wrong_passphrases_are_the_end(
    folder: Path, ledger: SqliteLedger, waiting: Approval
) -> None:
    passphrases.set_passphrase(folder, GOOD)

    with terminal("approvals", "approve", "--yes", waiting.id) as person:
        for _ in range(3):
            person.expect("Passphrase: ")
            person.type("a wrong one")
        status, err = person.end()
        assert person.shown.count("Passphrase: ") == 3

    assert status == 1
    assert "the passphrase is wrong" in err
    assert state_of(ledger, waiting).state == "pending"


def test_a_damaged_passphrase_lets_nobody_approve(
    folder: Path, ledger: SqliteLedger, waiting: Approval
) -> None:
    (folder / passphrases.PASSPHRASE_FILE).write_text("{}")

    with terminal("approvals", "approve", "--yes", waiting.id) as person:
        status, err = person.end()

    assert status == 1
    assert "approver.json is damaged" in err
    assert len(err.splitlines()) == 1
    assert state_of(ledger, waiting).state == "pending"


def test_nobody_is_asked_about_what_cannot_be_approved(folder: Path, ledger: SqliteLedger) -> None:
    old, denied = expired(folder), ledger.request(CALL, QUESTION, "seen")
    ledger.decide(denied.id, approve=False, by="anna")

    for given, complaint in [
        (old.id, "has expired; the agent must call again"),
        (denied.id, "is already denied"),
        ("nonsense", "There is no approval nonsense. What waits: talonone-mcp approvals list"),
    ]:
        with terminal("approvals", "approve", "--yes", given) as person:
            status, err = person.end()
            assert person.shown == ""
        assert status == 1
        assert complaint in err
        assert len(err.splitlines()) == 1


def test_a_question_cannot_draw_over_itself(ledger: SqliteLedger) -> None:
    evil = "Delete?\x1b[2J\x1b[1;1H\nApproved: nothing.\r\u202eesle gnihtemos\x07"
    hidden = '{"name": "a\x7f\u202eb\u200b\U000e0041"}'
    call = GatedCall("lo\x1bcal", "cli\nent", "https://\x9bacme", "delete_campaign", hidden, "d2")
    approval = ledger.request(call, evil, "seen")

    with terminal("approvals", "approve", approval.id) as person:
        person.expect("Type yes: ")
        person.type("no")
        person.end()

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b\U000e0041]", person.shown)
    assert "\n| Delete?[2J[1;1H\n| Approved: nothing.esle gnihtemos\n" in person.shown
    assert '"a\\u007f\\u202eb\\u200b\\udb40\\udc41"' in person.shown, "sent, and so shown"


def test_a_question_is_below_whatever_the_arguments_are(ledger: SqliteLedger) -> None:
    long = json.dumps({"csv": ["x" * 50] * 500})
    approval = ledger.request(
        GatedCall("local", "c", "d", "import_coupons", long, "d3"), "Import?", "s"
    )

    with terminal("approvals", "approve", approval.id) as person:
        person.expect("| Import?")
        assert person.shown.count('"' + "x" * 50 + '"') == 500
        person.expect("Type yes: ")


# --- deny ----------------------------------------------------------------------------------------


def test_deny_needs_no_terminal_and_says_what_the_agent_reads(
    ledger: SqliteLedger, waiting: Approval
) -> None:
    ran = piped("deny", waiting.id, "--reason", "Not\x1b in \n July", typed="")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Denied: one call of delete_campaign" in ran.stdout
    assert "the agent is told: A person denied this: Not in July." in ran.stdout
    denied = state_of(ledger, waiting)
    assert (denied.state, denied.reason) == ("denied", "Not in July")
    assert denied.decided_by
    assert not ledger.consume(waiting.id)


def test_deny_without_a_reason(
    said: Callable[..., tuple[int, str, str]], ledger: SqliteLedger, waiting: Approval
) -> None:
    status, out, _ = said("deny", waiting.id)

    assert status == 0
    assert "the agent is told: A person denied this.\n" in out
    assert state_of(ledger, waiting).state == "denied"


def test_deny_what_cannot_be_denied(
    said: Callable[..., tuple[int, str, str]], folder: Path
) -> None:
    status, out, err = said("deny", expired(folder).id)
    assert (status, out) == (1, "")
    assert "has expired" in err

    status, out, err = said("deny", "no\x1b[2Jne")
    assert (status, out) == (1, "")
    assert "There is no approval no[2Jne. What waits: talonone-mcp approvals list" in err


# --- list and show -------------------------------------------------------------------------------


def test_nothing_waits(said: Callable[..., tuple[int, str, str]], folder: Path) -> None:
    assert said("list") == (0, "Nothing waits.\n", "")
    status, out, _ = said("list", "--json")
    assert (status, json.loads(out)) == (0, [])

    expired(folder)
    assert said("list") == (0, "Nothing waits.\n", "")


def test_the_list_is_a_table_with_the_newest_last(
    said: Callable[..., tuple[int, str, str]], ledger: SqliteLedger, folder: Path
) -> None:
    earlier = SqliteLedger(folder / LEDGER_FILE, clock=Clock(lambda: time.time() - 150))
    first = earlier.request(CALL, QUESTION, "seen")
    other = GatedCall("local", "c", "https://acme.talon.one", "import_coupons", "{}", "d4")
    second = ledger.request(other, "Import\n5 coupons?", "seen")
    ledger.decide(second.id, approve=True, by="anna")

    status, out, err = said("list")

    assert (status, err) == (0, "")
    _, head, rule, *rows, _ = out.splitlines()
    assert head.split() == ["id", "state", "tool", "expires", "deployment", "question"]
    assert set(rule) == {" ", "─"}
    assert [re.split(r" {2,}", row.strip()) for row in rows] == [
        [first.id, "pending", "delete_campaign", "in 7 min", "https://acme.talon.one",
         f"{QUESTION[:69]}…"],
        [second.id, "approved", "import_coupons", "in 9 min", "https://acme.talon.one",
         "Import 5 coupons?"],
    ]  # fmt: skip


def test_json_for_scripts(said: Callable[..., tuple[int, str, str]], waiting: Approval) -> None:
    status, out, _ = said("list", "--json")
    [listed] = json.loads(out)
    shown = json.loads(said("show", waiting.id, "--json")[1])

    assert status == 0
    assert listed == shown
    times = {name: datetime.fromisoformat(listed.pop(name)) for name in ("created", "expires")}
    assert all(moment.tzinfo is not None for moment in times.values())
    assert 599 <= (times["expires"] - times["created"]).total_seconds() <= 601
    expected: dict[str, Any] = {
        "id": waiting.id,
        "state": "pending",
        "tool": "delete_campaign",
        "arguments": {"applicationId": 42, "campaignId": 18},
        "question": QUESTION,
        "deployment": "https://acme.talon.one",
        "client": "claude 1.0",
        "principal": "local",
        "decided_by": "",
        "reason": "",
    }
    assert listed == expected


def test_show_tells_everything(
    said: Callable[..., tuple[int, str, str]], ledger: SqliteLedger, waiting: Approval
) -> None:
    ledger.decide(waiting.id, approve=False, by="anna", reason="Not in July")

    status, out, _ = said("show", waiting.id)

    assert status == 0
    facts = dict(re.findall(r"^(\w+(?: \w+)?) {2,}(\S.*)$", out, re.MULTILINE))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+", facts.pop("Created"))
    assert facts.pop("Expires")
    assert facts == {
        "Approval": waiting.id,
        "State": "denied",
        "Tool": "delete_campaign",
        "Deployment": "https://acme.talon.one",
        "Principal": "local",
        "Client": "claude 1.0",
        "Decided by": "anna",
        "Reason": "Not in July",
    }
    assert '\n  {\n    "applicationId": 42,\n    "campaignId": 18\n  }\n' in out
    question = [line.removeprefix("| ") for line in out.splitlines() if line.startswith("| ")]
    assert "".join(question).replace("    ", " ") == QUESTION
    assert len(question) > 1
    assert [line.startswith("    ") for line in question] == [False] + [True] * (len(question) - 1)
    assert all(len(line) <= 90 for line in question)


def test_what_expired_is_shown_as_expired(
    said: Callable[..., tuple[int, str, str]], folder: Path
) -> None:
    old = expired(folder)

    assert "expired" in said("show", old.id)[1]
    assert json.loads(said("show", old.id, "--json")[1])["state"] == "expired"


# --- prune and passphrase ------------------------------------------------------------------------


def test_prune_says_how_many_went(
    said: Callable[..., tuple[int, str, str]], ledger: SqliteLedger, folder: Path
) -> None:
    old, live = expired(folder), ledger.request(CALL, QUESTION, "another")

    assert said("prune") == (0, "1 entry deleted.\n", "")
    assert said("prune") == (0, "0 entries deleted.\n", "")
    assert ledger.get(old.id) is None
    assert ledger.get(live.id) is not None


def test_a_passphrase_is_set_and_changed_by_who_knows_it(folder: Path) -> None:
    with terminal("approvals", "passphrase") as person:
        person.expect("New passphrase: ")
        person.type(GOOD)
        person.expect("The new one again: ")
        person.type(GOOD)
        person.expect("Only its hash is stored")
        assert person.end() == (0, "")
        assert GOOD not in person.shown
    assert passphrases.matches(folder, GOOD)
    assert stat.S_IMODE((folder / passphrases.PASSPHRASE_FILE).stat().st_mode) == 0o600

    with terminal("approvals", "passphrase") as person:
        person.expect("Passphrase so far: ")
        person.type(GOOD)
        for prompt in ("New passphrase: ", "The new one again: "):
            person.expect(prompt)
            person.type("battery staple")
        assert person.end()[0] == 0
    assert passphrases.matches(folder, "battery staple")


def test_who_does_not_know_the_passphrase_cannot_change_it(folder: Path) -> None:
    passphrases.set_passphrase(folder, GOOD)

    with terminal("approvals", "passphrase") as person:
        for _ in range(3):
            person.expect("Passphrase so far: ")
            person.type("a guess")
        status, err = person.end()
        assert "New passphrase" not in person.shown

    assert status == 1
    assert "nothing was changed: the passphrase is wrong" in err
    assert passphrases.matches(folder, GOOD)


@pytest.mark.parametrize(
    ("first", "second", "complaint"),
    [("seven 7", "seven 7", "at least 8 characters"), (GOOD, GOOD + "!", "not the same")],
)
def test_a_passphrase_that_is_not_taken(
    folder: Path, first: str, second: str, complaint: str
) -> None:
    with terminal("approvals", "passphrase") as person:
        person.expect("New passphrase: ")
        person.type(first)
        person.expect("The new one again: ")
        person.type(second)
        status, err = person.end()

    assert status == 1
    assert complaint in err
    assert not passphrases.is_set(folder)


def test_a_passphrase_needs_a_terminal(folder: Path) -> None:
    ran = piped("passphrase", typed=f"{GOOD}\n{GOOD}\n")

    assert (ran.returncode, ran.stdout) == (1, "")
    assert "needs a terminal" in ran.stderr
    assert not passphrases.is_set(folder)


def test_a_damaged_passphrase_is_not_overwritten(folder: Path) -> None:
    folder.mkdir()
    (folder / passphrases.PASSPHRASE_FILE).write_text("")

    with terminal("approvals", "passphrase") as person:
        status, err = person.end()

    assert status == 1
    assert "approver.json is damaged" in err
    assert (folder / passphrases.PASSPHRASE_FILE).read_text() == ""


# --- What is wrong with the state ----------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [["list"], ["show", "x"], ["deny", "x"], ["prune"]], ids=lambda words: words[0]
)
def test_a_damaged_ledger_is_one_line(
    said: Callable[..., tuple[int, str, str]], folder: Path, command: list[str]
) -> None:
    folder.mkdir()
    (folder / LEDGER_FILE).write_bytes(b"no database at all" * 100)

    status, out, err = said(*command)

    assert (status, out) == (1, "")
    assert LEDGER_FILE in err
    assert len(err.splitlines()) == 1


def test_a_damaged_ledger_lets_nobody_approve(folder: Path) -> None:
    folder.mkdir()
    (folder / LEDGER_FILE).write_bytes(b"no database at all" * 100)

    with terminal("approvals", "approve", "--yes", "x") as person:
        status, err = person.end()

    assert status == 1
    assert LEDGER_FILE in err
    assert len(err.splitlines()) == 1


def test_a_lifetime_that_is_none_is_wrong_use(
    said: Callable[..., tuple[int, str, str]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALONONE_APPROVAL_SECONDS", "soon")

    status, out, err = said("list")

    assert (status, out) == (2, "")
    assert "TALONONE_APPROVAL_SECONDS" in err


@pytest.mark.parametrize("words", [[], ["approve"], ["nonsense"], ["approve", "x", "--force"]])
def test_wrong_use(said: Callable[..., tuple[int, str, str]], words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        said(*words)

    assert end.value.code == 2
