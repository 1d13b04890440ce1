"""`talonone-mcp call`, as a script and as a person uses it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from talonone_mcp.store.audit import verify
from talonone_mcp.store.passphrase import set_passphrase
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger
from talonone_mcp.terminal.main import main
from tests.terminal import terminal
from tests.upstream import Upstream

CAMPAIGN = ["applicationId=42", "campaignId=18"]
DELETE = ["call", "delete_campaign", *CAMPAIGN]
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Said:
    """Call here, and return the exit status, the output and the complaints."""
    for name, value in upstream.environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["call", *arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def answered(result: tuple[int, str, str]) -> dict[str, Any]:
    status, out, err = result
    assert (status, err) == (0, "")
    return dict(json.loads(out))


def test_a_pipe_gets_all_of_the_answer_as_json(said: Said) -> None:
    answer = answered(said("list_coupons", *CAMPAIGN))

    assert len(answer["data"]) == 40
    assert {"id", "created", "value", "batchId"} <= answer["data"][0].keys()


def test_fields_are_those_asked_for(said: Said) -> None:
    answer = answered(said("list_coupons", *CAMPAIGN, 'fields=["value"]', "pageSize=2"))

    assert [item.keys() for item in answer["data"]] == [{"value"}] * 2


def test_values_are_what_the_schema_wants(said: Said, upstream: Upstream) -> None:
    answered(said("search_coupons", "applicationId=42", "value=18", "exactMatch=true"))

    query = dict(upstream.requests[-1].query)
    assert (query["value"], query["exactMatch"]) == ("18", "true")


def test_a_file_holds_arguments_and_a_pair_goes_before_it(
    said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = json.dumps({"applicationId": 42, "campaignId": 99})
    file = tmp_path / "arguments.json"
    file.write_text(given)

    assert answered(said("get_campaign", "--input", str(file), "campaignId=18"))["id"] == 18
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    assert answered(said("get_campaign", "campaignId=18", "--input", "-"))["id"] == 18


def test_an_alias_and_a_workflow_are_called_too(said: Said) -> None:
    assert answered(said("get_applications"))["data"][0]["id"] == 42
    assert answered(said("check_coupon", "code=NO-SUCH-CODE"))["verdict"] == "invalid"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["get_campaign", "applicationId"], "argument 1, 'applicationId', is not key=value."),
        (["get_campaign", *CAMPAIGN, "=3"], "argument 3, '=3', is not key=value."),
        (["get_campaign", *CAMPAIGN, "campaignId=19"], "campaignId is given twice"),
        (["list_coupons", *CAMPAIGN, "fields=[value"], "fields: the JSON .* character 2: "),
        (["get_campain"], "there is no operation 'get_campain'; the nearest are get_campaign or "),
        (["get_campaign", "--input", "/no/such/file"], "--input: cannot read /no/such/file: "),
        (["get_campaign", "--input", "/"], "--input: cannot read /: "),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_cannot_be_read_is_named(said: Said, arguments: list[str], complaint: str) -> None:
    status, out, err = said(*arguments)

    assert (status, out) == (2, "")
    assert re.match(f"talonone-mcp: {complaint}", err)
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"[1]", "must hold a JSON object"),
        (b'{"a": 1,}', "line 1, column 9"),
        (b"\xff\xfe", "is no UTF-8 text"),
    ],
    ids=["a list", "broken", "no text"],
)
def test_a_file_that_cannot_be_used_is_named(
    said: Said, tmp_path: Path, content: bytes, complaint: str
) -> None:
    file = tmp_path / "arguments.json"
    file.write_bytes(content)

    status, _, err = said("get_campaign", "--input", str(file))

    assert status == 2
    assert str(file) in err
    assert complaint in err


def test_arguments_that_are_wrong_are_an_answer_and_nothing_is_sent(
    said: Said, upstream: Upstream
) -> None:
    status, out, _ = said("get_campaign", "applicationId=x")

    error = json.loads(out)["error"]
    assert (status, error["kind"]) == (2, "invalid_arguments")
    assert [each["at"] for each in error["details"]] == ["applicationId", "campaignId"]
    assert upstream.requests == []


def test_what_upstream_refuses_is_a_failure(said: Said) -> None:
    status, out, _ = said("get_campaign", "applicationId=42", "campaignId=99")

    assert (status, json.loads(out)["error"]["kind"]) == (1, "not_found")


def test_a_setting_that_is_missing_is_named(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TALONONE_BASE_URL")

    status, _, err = said("list_applications")

    assert status == 2
    assert "TALONONE_BASE_URL" in err


def test_without_a_terminal_what_a_person_must_confirm_waits(
    said: Said, upstream: Upstream
) -> None:
    status, out, _ = said("delete_campaign", *CAMPAIGN)

    error = json.loads(out)["error"]
    assert (status, error["kind"]) == (1, "approval_required")
    assert upstream.changes == []
    ledger = SqliteLedger(Path(upstream.state_dir) / LEDGER_FILE)
    [waiting] = ledger.waiting()
    ledger.decide(waiting.id, approve=True, by="somebody")
    assert said("delete_campaign", *CAMPAIGN)[0] == 0
    assert len(upstream.changes) == 1


def test_no_flag_waves_the_gate_away(said: Said) -> None:
    for flag in (["--yes"], ["--confirm", "off"], ["--confirm=off"], ["--force"]):
        with pytest.raises(SystemExit) as ended:
            said("delete_campaign", *CAMPAIGN, *flag)
        assert ended.value.code == 2


@pytest.mark.parametrize(("confirm", "kind"), [("off", "approval_required"), ("block", "blocked")])
def test_a_configuration_can_forbid_and_not_wave_away(
    said: Said, upstream: Upstream, tmp_path: Path, confirm: str, kind: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[serve]\nconfirm = "{confirm}"\n')

    _, out, _ = said("delete_campaign", *CAMPAIGN, "--config", str(file))

    assert json.loads(out)["error"]["kind"] == kind
    assert upstream.changes == []


@pytest.mark.parametrize(("typed", "sent"), [("yes", 1), ("no", 0), ("y", 0), ("", 0)])
def test_a_person_at_the_terminal_is_asked(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, typed: str, sent: int
) -> None:
    for name, value in upstream.environment.items():
        monkeypatch.setenv(name, value)
    with terminal(*DELETE) as person:
        person.expect("Removes 1 campaign for good")
        person.expect('campaign 18 "Summer promotions".\nCall: delete_campaign')
        person.expect("Do exactly this? Type yes: ")
        assert upstream.changes == []
        person.type(typed)
        status, err = person.end()

    assert len(upstream.changes) == sent
    assert status == (0 if sent else 1)
    assert ("declined: A person declined" in err) is (not sent)
    assert not verify(Path(upstream.state_dir)).problems


@pytest.mark.parametrize(("passphrases", "sent"), [(["correct horse"], 1), (["no", "no", "no"], 0)])
def test_a_passphrase_is_asked_for_where_one_is_set(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, passphrases: list[str], sent: int
) -> None:
    for name, value in upstream.environment.items():
        monkeypatch.setenv(name, value)
    set_passphrase(Path(upstream.state_dir), "correct horse")
    with terminal(*DELETE) as person:
        person.expect("Type yes: ")
        person.type("yes")
        for passphrase in passphrases:
            person.expect("Passphrase: ")
            assert upstream.changes == []
            person.type(passphrase)
        status, _ = person.end()

    assert len(upstream.changes) == sent
    assert status == (0 if sent else 1)


def test_people_get_a_table(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in upstream.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "120")
    with terminal("call", "list_coupons", *CAMPAIGN, "pageSize=2") as person:
        status, err = person.end()

    assert (status, err) == (0, "")
    head, _, first, second, _, foot = person.text.strip().splitlines()
    assert head.split()[:3] == ["id", "value", "usageCounter"]
    assert first.split()[1].startswith("SUMMER-")
    assert second.split()[1].startswith("SUMMER-")
    assert foot.startswith("2. There are more")


def test_a_list_of_many_pages_says_how_far_it_is(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in upstream.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "120")
    everything = ("call", "list_coupons", *CAMPAIGN, "fetchAll=1500")
    with terminal(*everything, all_shown=True) as person:
        status, _ = person.end()
    with terminal(*everything, "--json", all_shown=True) as script:
        script.end()

    assert status == 0
    assert "40 items of list_coupons" in person.text
    assert "\x1b[2K" in person.shown  # the bar is gone in the end
    json.loads(script.text[script.text.index("{") :])


def test_what_customers_wrote_draws_nothing_at_the_terminal(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in upstream.environment.items():
        monkeypatch.setenv(name, value)
    name = "[red]no markup[/red] \x1b[2J and no escape"
    assert main(["call", "update_campaign", *CAMPAIGN, f"name={name}"]) == 0
    with terminal("call", "list_campaigns", "applicationId=42", 'fields=["name"]') as person:
        status, _ = person.end()

    assert status == 0
    assert "[red]no markup[/red] [2J and no escape" in person.text
    assert "\x1b[2J" not in person.shown
