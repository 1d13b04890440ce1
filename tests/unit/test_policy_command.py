"""`talonone-mcp policy`, as a script and as a person uses it; and a policy that cannot be used."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from talonone_mcp.core.settings import SANDBOX_URL
from talonone_mcp.store.sqlite_sums import SUMS_FILE, SqliteSums
from talonone_mcp.terminal.main import main
from tests.terminal import terminal

CAMPAIGN = ["applicationId=42", "campaignId=18"]
POINTS = ["loyaltyProgramId=5", "integrationId=anna.schmidt"]
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Said:
    """Run the command here, and return the exit status, the output and the complaints."""
    monkeypatch.setenv("TALONONE_STATE_DIR", str(tmp_path / "state"))

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["policy", *arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def policy_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Write the operator's policy."""

    def write(text: str) -> None:
        (tmp_path / "policy.yaml").write_text(text)
        monkeypatch.setenv("TALONONE_POLICY_FILE", str(tmp_path / "policy.yaml"))

    return write


def answered(result: tuple[int, str, str]) -> Any:
    status, out, err = result
    assert (status, err) == (0, "")
    return json.loads(out)


# --- show ----------------------------------------------------------------------------------------


def test_show_names_each_line_and_where_it_comes_from(
    said: Said, policy_file: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy_file("window: 12 hours\ngives:\n  points: {above: 50, sum_of_all_above: never}\n")
    monkeypatch.setenv("TALONONE_CONFIRM_CARDS_ABOVE", "7")

    shown = answered(said("show", "--json"))

    lines = {(line.pop("kind"), line.pop("unit")): line for line in shown["lines"]}
    assert shown["window"] == {"seconds": 43_200, "origin": "policy.yaml line 1"}
    assert lines["gives", "points"] == {
        "asked": "beyond", "above": 50, "sum_above": 50, "origin": "policy.yaml line 3"
    }  # fmt: skip
    assert lines["gives", "cards"]["origin"] == "TALONONE_CONFIRM_CARDS_ABOVE"
    percent = lines["prices", "percent"]
    assert (percent["from"], percent["sum_above"], percent["origin"]) == (20, 40, "built in")
    assert "at_least" not in percent
    assert lines["destroys", "other"] == {"asked": "always", "origin": "built in"}


def test_show_is_a_table_for_a_person(said: Said) -> None:
    status, out, _ = said("show")

    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert status == 0
    assert "destroys any always built in" in rows
    assert (
        "gives points above 1,000 in one call or in 24 hours, above 10,000 by all principals in 24"
        " hours built in"
    ) in rows
    assert "gives any other always built in" in rows
    assert (
        "prices percent 20 or more in one call, above 40 in 24 hours, above 400 by all principals"
        " in 24 hours built in"
    ) in rows


def test_show_reads_the_configuration_file(said: Said, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("destroys: never\n")
    config = tmp_path / "config.toml"
    config.write_text('[talonone]\npolicy_file = "own.yaml"\n')

    [line] = [
        line
        for line in answered(said("show", "--json", "--config", str(config)))["lines"]
        if line["kind"] == "destroys"
    ]
    assert (line["asked"], line["origin"]) == ("never", "own.yaml line 1")


# --- A policy that cannot be used ----------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [["policy", "show"], ["policy", "sums", "--sandbox"],
     ["policy", "explain", "--sandbox", "get_campaign", *CAMPAIGN],
     ["call", "--sandbox", "get_campaign", *CAMPAIGN], ["serve", "--sandbox"]],
    ids=" ".join,
)  # fmt: skip
def test_a_policy_that_cannot_be_used_stops_every_command(
    policy_file: Callable[[str], None], capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    policy_file("destroys: always\n\ngievs: never\ntakes: -1\n")

    status = main(command)

    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.removeprefix("talonone-mcp: ").removeprefix("cannot start. ").splitlines() == [
        'policy.yaml, line 3: there is no kind of impact "gievs"; did you mean gives?',
        'policy.yaml, line 4: must be never, always, or limits by unit, not "-1"',
    ]


def test_doctor_names_each_problem(
    policy_file: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    policy_file("gievs: never\ntakes: -1\n")

    assert main(["doctor", "--sandbox", "--json"]) == 2

    found = json.loads(capsys.readouterr().out)["findings"]
    says = [each["says"] for each in found if each["about"] == "configuration"]
    assert [each[:21] for each in says] == ["policy.yaml, line 1: ", "policy.yaml, line 2: "]


# --- sums ----------------------------------------------------------------------------------------


def test_sums_say_what_was_done_and_what_is_left(said: Said, tmp_path: Path) -> None:
    sums = SqliteSums(tmp_path / "state" / SUMS_FILE)
    sums.count(SANDBOX_URL, "anna", {("gives", "points"): 300}, {}, 60)
    sums.count(SANDBOX_URL, "ben", {("gives", "points"): 9600}, {}, 60)
    sums.count_asked(SANDBOX_URL, "anna", {("gives", "points"): 5000, ("opens", "campaigns"): 1})
    sums.count("https://acme.talon.one", "anna", {("gives", "points"): 77}, {}, 60)

    answer = answered(said("sums", "--sandbox", "--json"))
    _, table, _ = said("sums", "--sandbox")

    assert answer["deployment"] == SANDBOX_URL
    rows = {(each["principal"], each["kind"], each["unit"]): each for each in answer["sums"]}
    points = rows["anna", "gives", "points"]
    assert (points["unasked"], points["asked"], points["left"]) == (300, 5000, 100)
    assert rows["ben", "gives", "points"]["left"] == 0
    opened = rows["anna", "opens", "campaigns"]
    assert (opened["unasked"], opened["asked"], opened["left"]) == (0, 1, 0)
    assert rows["anna", "gives", "codes"]["left"] == 100
    assert "anna gives points 300 5,000 100" in [
        " ".join(row.split()) for row in table.splitlines()
    ]


def test_without_calls_all_is_left(said: Said) -> None:
    sums = answered(said("sums", "--sandbox", "--json"))["sums"]

    assert {each["principal"] for each in sums} == {"local"}
    assert {each["unit"]: each["left"] for each in sums}["points"] == 1000


def test_sums_that_cannot_be_read_are_named(said: Said, tmp_path: Path) -> None:
    (tmp_path / "state" / SUMS_FILE).mkdir(parents=True)

    status, out, err = said("sums", "--sandbox")

    assert (status, out) == (1, "")
    assert f"{tmp_path / 'state' / SUMS_FILE} cannot be used: " in err


# --- explain -------------------------------------------------------------------------------------


def test_explain_tells_impact_and_question_of_a_call(said: Said) -> None:
    answer = answered(
        said("explain", "add_loyalty_points", "--sandbox", *POINTS, "points=5000", "--json")
    )

    [impact] = answer["impact"]
    assert list(answer) == ["operation", "impact", "asked", "because", "question"]
    assert list(impact) == ["kind", "measure", "unit", "what"]
    assert (impact["kind"], impact["measure"], impact["unit"]) == ("gives", 5000, "points")
    assert answer["asked"] is True
    assert answer["because"] == "gives more than 1,000 points in one call (built in)"
    assert "5,000 points" in answer["question"]


def test_explain_follows_the_operators_policy(
    said: Said, policy_file: Callable[[str], None]
) -> None:
    policy_file("gives:\n  points: {above: 5000}\n")
    arguments = json.dumps({"loyaltyProgramId": "5", "integrationId": "anna.schmidt", "points": 1})

    answer = answered(
        said("explain", "--sandbox", "add_loyalty_points", "--arguments", arguments, "points=5000")
    )

    assert (answer["asked"], answer["question"]) == (False, "")
    assert answer["because"] == (
        "gives 5,000 points, which is within the limits (policy.yaml line 2)"
    )


def test_explain_says_what_is_wrong_with_a_call(said: Said) -> None:
    status, out, err = said("explain", "delete_campain", "--sandbox", "--json")
    assert (status, err) == (1, "")
    assert json.loads(out)["operation"] == "delete_campain"
    assert json.loads(out)["error"]["kind"] == "not_found"

    status, out, _ = said("explain", "delete_campaign", "--sandbox", "applicationId=42")
    assert (status, json.loads(out)["error"]["kind"]) == (2, "invalid_arguments")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "explain takes either an OPERATION or --stdin"),
        (["get_campaign", "--stdin"], "explain takes either an OPERATION or --stdin"),
        (["get_campaign", "applicationId"], "argument 1, 'applicationId', is not key=value."),
        (["get_campaign", "--arguments", "{"], "--arguments: the text, line 1, column 2: "),
        (["get_campaign", "--arguments", "[1]"], "--arguments: the text must hold a JSON object"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_cannot_be_read_is_named(said: Said, arguments: list[str], complaint: str) -> None:
    status, out, err = said("explain", "--sandbox", *arguments)

    assert (status, out) == (2, "")
    assert err.startswith(f"talonone-mcp: {complaint}")


def test_each_line_of_stdin_gets_a_line_whatever_is_wrong_with_it(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete = {"operation": "delete_campaign", "arguments": {"applicationId": 42, "campaignId": 18}}
    read = {"operation": "list_applications"}
    lines = [json.dumps(delete), "", "nonsense", "[1]", "[" * 100_000, "\xff", '{"operation": 5}',
             '{"operation": "x", "argument": {}}', '{"operation": "x", "arguments": []}',
             '{"operation": "no_such_thing"}', json.dumps(read)]  # fmt: skip
    sent = "\n".join(lines).encode("latin-1")  # of which one is no UTF-8
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sent)))

    status, out, err = said("explain", "--stdin", "--sandbox")

    answers = [json.loads(line) for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert answers[0]["asked"]
    assert [each["error"]["kind"] for each in answers[1:-2]] == ["invalid_arguments"] * 7
    assert answers[1]["error"]["message"] == "Line 3 is not JSON."
    assert answers[6]["error"]["message"] == "Line 8 has unknown argument."
    assert answers[-2]["error"]["kind"] == "not_found"
    assert (answers[-1]["operation"], answers[-1]["asked"]) == ("list_applications", False)


def test_a_person_reads_what_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALONONE_STATE_DIR", str(tmp_path))
    command = ["policy", "explain", "add_loyalty_points", "--sandbox", *POINTS]

    with terminal(*command, "points=5000") as screen:
        status, err = screen.end()
        assert (status, err) == (0, "")
        assert "A person is asked: gives more than 1,000 points in one call" in screen.text
        assert "gives 5,000 points to customer" in " ".join(screen.text.split())
    with terminal(*command, "points=-1") as screen:
        assert screen.end()[0] == 2
