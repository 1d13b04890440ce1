"""The rows of an import are read before anybody is asked."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talonone_mcp.calls.imports import ImportFiles, Rows, Total, read_rows
from talonone_mcp.core.catalog import Columns, load
from talonone_mcp.core.clock import Clock
from tests.contract.facts import documented_path, load_facts
from tests.sandbox.door import MANAGEMENT, door

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
PAST, SOON, LATER = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"
FACTS = {fact["tool"]: fact for fact in load_facts()}


def columns_of(name: str) -> Columns:
    body = load().operations[name].body
    assert body is not None
    assert body.columns is not None
    return body.columns


@pytest.mark.parametrize("name", [each.name for each in load() if each.body and each.body.columns])
def test_the_catalog_names_columns_that_there_are(name: str) -> None:
    columns = columns_of(name)
    named = {*columns.kinds, *columns.groups, *columns.not_both}
    named |= {kind.after for kind in columns.kinds.values() if kind.after}

    assert named <= {*columns.all}
    assert columns.unique_unless in {"", *load().operations[name].query}


def read(name: str, text: str, **options: Any) -> tuple[Rows, list[str]]:
    rows, problems = read_rows(columns_of(name), text, NOW, **options)
    assert {problem.at for problem in problems} <= {"csv"}
    return rows, [problem.problem for problem in problems]


def written(header: list[str], table: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([header, *table])
    return text.getvalue()


# --- What upstream would refuse -----------------------------------------------------------------

POINTS = "customerprofileid,amount"
CODE = "code,advocateprofileintegrationid"
TIERS = "customerprofileid,tiername,expirydate"
# An import, its CSV with one broken row, and what is said about it
REFUSED = [
    (
        "import_coupons",
        "value\nCOUP1\nAB\n",
        'line 3: value must have at least 3 characters, not "AB"',
    ),
    ("import_coupons", 'value,limitval\nCOUP1,1\n"",1\n', "line 3: value is empty"),
    ("import_coupons", "value,limitval\nCOUP1,1\nCOUP2\n", "line 3: has 1 value, not 2"),
    ("import_coupons", "value\nCOUP1\nCOUP2,1\n", "line 3: has 2 values, not 1"),
    (
        "import_coupons",
        "value\nCOUP1\n\nCOUP1\n",
        'line 4: value "COUP1" also appears on an earlier line',
    ),
    (
        "import_coupons",
        "value,limitval\nCOUP1,-1\n",
        'line 2: limitval must be a whole number, or 0 for no limit, not "-1"',
    ),
    ("import_coupons", "value,limitval\nCOUP1,1.5\n", "line 2: limitval must be a whole number"),
    ("import_coupons", "value,limitval\nCOUP1,many\n", "line 2: limitval must be a whole number"),
    (
        "import_coupons",
        "value,discountlimit\nCOUP1,nan\n",
        'line 2: discountlimit must be a number, not "nan"',
    ),
    (
        "import_coupons",
        "value,discountlimit\nCOUP1,1_000\n",
        "line 2: discountlimit must be a number",
    ),
    (
        "import_coupons",
        "value,startdate\nCOUP1,2027-01-01\n",
        "line 2: startdate must be an RFC 3339 time",
    ),
    (
        "import_coupons",
        "value,startdate\nCOUP1,2027-02-30T00:00:00Z\n",
        "line 2: startdate must be an",
    ),
    (
        "import_coupons",
        f"value,startdate,expirydate\nCOUP1,{LATER},{SOON}\n",
        "line 2: expirydate must not be before startdate",
    ),
    (
        "import_coupons",
        "value,attributes\nCOUP1,{a: 1}\n",
        "line 2: attributes must be a JSON object",
    ),
    ("import_coupons", "value,attributes\nCOUP1,[]\n", "line 2: attributes must be a JSON object"),
    ("import_coupons", 'value\n"COUP1\n', "line 2: is not CSV: unexpected end of data"),
    ("import_referrals", f"{CODE}\nREF-1,\n", "line 2: advocateprofileintegrationid is empty"),
    ("import_referrals", f"{CODE},limitval\nREF-1,anna.schmidt,-2\n", "line 2: limitval must be"),
    (
        "import_giveaways",
        f"code,startdate,enddate\nCARD-1,{LATER},{SOON}\n",
        "line 2: enddate must not be before startdate",
    ),
    (
        "import_loyalty_points",
        f"{POINTS}\nanna.schmidt,10\nanna.schmidt,ten\n",
        'line 3: amount must be a number, not "ten"',
    ),
    ("import_loyalty_points", f"{POINTS}\nanna.schmidt,\n", "line 2: amount is empty"),
    (
        "import_loyalty_points",
        f"{POINTS},startdate\nanna.schmidt,1,soon\n",
        "line 2: startdate must be immediate, on_action or an RFC 3339 time",
    ),
    (
        "import_loyalty_points",
        f"{POINTS},startdate,expirydate\nanna.schmidt,1,{LATER},{SOON}\n",
        "line 2: expirydate must not be before startdate",
    ),
    (
        "import_loyalty_points",
        f"{POINTS},expirydate,validityDuration\nanna.schmidt,1,{SOON},5D\n",
        "line 2: give expirydate or validityDuration, not both",
    ),
    (
        "import_loyalty_points",
        f"{POINTS},validityDuration\nanna.schmidt,1,5 days\n",
        "line 2: validityDuration must be a whole number plus s, m, h, D, W, M or Y, such as 5D",
    ),
    (
        "import_loyalty_tiers",
        f"{TIERS}\nanna.schmidt,Gold,{PAST}\n",
        f'line 2: expirydate must be in the future, not "{PAST}"',
    ),
    (
        "import_loyalty_join_dates",
        "customerprofileid,newjoindate\nanna.schmidt,long ago\n",
        "line 2: newjoindate must be an RFC",
    ),
    (
        "import_loyalty_cards",
        "identifier,state\nautumn 5822,active\n",
        "line 2: identifier must be letters, digits and . _ % + @ -, not",
    ),
    (
        "import_loyalty_cards",
        "identifier,state\nautumn-5822,open\n",
        'line 2: state must be active or inactive, not "open"',
    ),
    (
        "import_audience_members",
        "profileintegrationid\nanna\n \n",
        "line 3: profileintegrationid is empty",
    ),
    ("import_attribute_values", 'item\nA\n""\n', "line 3: item is empty"),
    ("import_account_collection", 'item\nA\n""\n', "line 3: item is empty"),
    ("import_campaign_collection", 'item\nA\n""\n', "line 3: item is empty"),
    (
        "import_campaign_stores",
        'store_integration_id\nSTORE-001\n""\n',
        "line 3: store_integration_id is empty",
    ),
    (
        "import_store_budgets",
        "store_integration_id,limit\nSTORE-101,lots\n",
        'line 2: limit must be a number, not "lots"',
    ),
]


@pytest.mark.parametrize(("name", "text", "said"), REFUSED)
def test_what_upstream_would_refuse(name: str, text: str, said: str) -> None:
    [problem] = read(name, text)[1]

    assert problem.startswith(said)


@pytest.mark.anyio
async def test_the_sandbox_refuses_the_same_lines() -> None:
    """Every import is among them."""
    assert {name for name, _, _ in REFUSED} == {
        each.name for each in load() if each.body and each.body.columns
    }
    differing = []
    with door(load()) as opened:
        async with opened.client(MANAGEMENT) as http:
            for name, text, said in REFUSED:
                path = documented_path(FACTS[name], path_arguments(name))
                answer = await http.post(path, files={"upFile": ("a.csv", text)})
                line = said.removeprefix("line ").partition(":")[0]
                if answer.status_code != 400 or answer.json()["errors"][0]["source"] != {
                    "line": line
                }:
                    differing.append((name, text, answer.text))

    assert differing == []


def path_arguments(name: str) -> dict[str, Any]:
    """Return arguments with which an import works in the sandbox's demo account."""
    given = {each: schema["example"] for each, schema in FACTS[name]["path_params"].items()}
    working = {
        "loyaltyProgramId": 7 if "card" in name else 5,
        "campaignId": 22 if name == "import_store_budgets" else 18,
    }
    return given | {each: value for each, value in working.items() if each in given}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("import_coupons", "value,limitval,discountlimit\nCOUP1,,\nCOUP2, 3 ,1e2\nCOUP3,2.0,.5\n"),
        ("import_coupons", f"value,expirydate\nCOUP1,{PAST}\n"),
        ("import_coupons", "value,attributes\nCOUP1,\nCOUP2,{}\n"),
        ("import_coupons", "value,expirydate\nCOUP1,9999-12-31T23:59:59-12:00\n"),
        ("import_giveaways", "code\nCARD-1\nCARD-1\n"),
        ("import_referrals", f"{CODE}\nREF-1,anna\nREF-1,ben\n"),
        ("import_loyalty_points", f"{POINTS},startdate,expirydate\nanna,-5,on_action,unlimited\n"),
        ("import_loyalty_points", f"{POINTS},validityDuration\nanna,0,10M_U\n"),
        ("import_audience_members", "profileintegrationid\nanna\nanna\n"),
    ],
)
def test_what_upstream_takes_or_does_not_say(name: str, text: str) -> None:
    assert read(name, text)[1] == []


def test_repeated_codes_are_no_problem_if_upstream_skips_them() -> None:
    rows, problems = read("import_coupons", "value\nCOUP1\nCOUP1\n", skips_repeated=True)

    assert problems == []
    assert rows.unusual == ('line 3: value "COUP1" also appears on an earlier line',)


def test_problems_are_listed_up_to_twenty_and_counted() -> None:
    _, problems = read(
        "import_coupons", "value,limitval\n" + "".join(f"COUP{i},x\n" for i in range(500))
    )

    assert len(problems) == 21
    assert problems[19].startswith("line 21: ")
    assert problems[20] == "has 480 more problems like these"


def test_a_value_in_a_problem_is_quoted_and_bounded() -> None:
    text = written(["value", "limitval"], [["COUP1", 'x" and\nline 9: is fine' + "y" * 900]])

    [problem] = read("import_coupons", text)[1]

    begins, _, ends = re.findall(r'"[^"]*"|[^"]+', problem.partition(", not ")[2])
    assert begins.startswith("\"x' and line 9: is fine")
    assert ends.endswith('y"')
    assert "\n" not in problem
    assert len(problem) < 160


def test_a_line_without_end_is_not_read_at_once(tmp_path: Path) -> None:
    file = tmp_path / "endless.csv"
    file.write_text("value\n" + "x" * 30_000_000)

    [problem] = read_rows(columns_of("import_coupons"), file, NOW)[1]

    assert "field larger than field limit" in problem.problem


# --- What the rows say --------------------------------------------------------------------------

CODES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Z")), min_size=3)
NUMBERS = st.decimals(-10_000, 10_000, places=2)
BREAKS = st.sampled_from(["", "a", "a\nb", "\r\n", '"\n\n"', "\r"])


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Draw rows for `import_loyalty_points` with line breaks within cells."""
    return [
        [draw(CODES), str(draw(NUMBERS)), draw(BREAKS), draw(st.sampled_from(["", "s", "t"]))]
        for _ in range(draw(st.integers(0, 12)))
    ]


HEADER = ["customerprofileid", "amount", "reason", "subledgerid"]


@given(tables())
def test_totals_are_those_of_a_plain_computation(table: list[list[str]]) -> None:
    rows, problems = read("import_loyalty_points", written(HEADER, table))

    amounts = [Decimal(row[1]) for row in table]
    assert problems == []
    assert rows.count == len(table)
    assert rows.totals["amount"] == Total(
        float(sum(amounts)),
        float(sum(amount for amount in amounts if amount > 0)),
        float(sum(amount for amount in amounts if amount < 0)),
        float(min(amounts)) if amounts else None,
        float(max(amounts)) if amounts else None,
        0,
    )
    assert rows.groups.get("subledgerid", {}) == Counter(row[3] for row in table)
    assert rows.keys == tuple(dict.fromkeys(row[0] for row in table))


@given(tables(), st.data())
def test_a_broken_row_is_named_by_the_line_where_it_begins(
    table: list[list[str]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(table)))
    broken = data.draw(st.sampled_from([["x"], ["x", "1", "", "", ""], ["x", "ten", "", ""]]))
    before = written(HEADER, table[:place])
    line = before.count("\n") + before.count("\r") - before.count("\r\n") + 1

    text = written(HEADER, [*table[:place], broken, *table[place:]])

    [problem] = read("import_loyalty_points", text)[1]
    assert problem.startswith(f"line {line}: ")


def test_what_empty_cells_and_missing_columns_mean() -> None:
    rows, _ = read("import_coupons", "value,limitval,discountlimit\nAAA,0,\nBBB,,5\nCCC,7,0.5\n")

    assert rows.totals == {
        "limitval": Total(8, 8, 0, 1, 7, 1),
        "discountlimit": Total(5.5, 5.5, 0, 0.5, 5, 1),
    }
    assert read("import_coupons", "value\nAAA\nBBB\n")[0].totals == {
        "limitval": Total(2, 2, 0, 1, 1, 0)
    }


def test_groups_are_at_most_ten_the_largest_first() -> None:
    rows = [["c", "1", "", f"s{number}"] for number in range(30) for _ in range(number + 1)]

    groups = read("import_loyalty_points", written(HEADER, rows))[0].groups["subledgerid"]

    assert [*groups.items()] == [(f"s{number}", number + 1) for number in range(29, 19, -1)]


def test_a_column_of_very_many_values_is_no_group() -> None:
    rows = [["c", "1", f"reason {number}", ""] for number in range(1001)]

    assert [*read("import_loyalty_points", written(HEADER, rows))[0].groups] == ["subledgerid"]


def test_what_is_out_of_the_ordinary() -> None:
    table = [[f"c{number}", "100", PAST if number > 47 else ""] for number in range(50)]
    table[15][1], table[30][1], table[31][1] = "100000", "10000", "-5"
    table[20][0] = "c3"

    rows, problems = read(
        "import_loyalty_points", written(["customerprofileid", "amount", "expirydate"], table)
    )

    assert problems == []
    assert rows.unusual == (
        'line 22: customerprofileid "c3" also appears on an earlier line',
        'line 33: amount "-5" is negative',
        f'line 50: expirydate "{PAST}" is in the past (and 1 more row)',
        "line 17: amount 100,000 is more than 100 times the median, 100",
    )


def test_what_is_out_of_the_ordinary_is_counted_beyond_ten() -> None:
    table = [[f"c{number}", str(number + 5000 if number < 40 else 1)] for number in range(200)]

    rows, _ = read("import_loyalty_points", written(["customerprofileid", "amount"], table))

    assert len(rows.unusual) == 11
    assert rows.unusual[0] == "line 41: amount 5,039 is more than 100 times the median, 1"
    assert rows.unusual[10] == "at least 30 more values are out of the ordinary"


def test_keys_are_the_first_thousand() -> None:
    table = [[f"code{number}"] for number in range(1500)]

    assert read("import_coupons", written(["value"], table))[0].keys == tuple(
        f"code{number}" for number in range(1000)
    )


@pytest.mark.anyio
async def test_a_text_and_a_file_are_read_alike(tmp_path: Path) -> None:
    text = f"value,expirydate,limitval\nAAA,{PAST},2\nBBB,,0\nCCC,,x\n"
    (tmp_path / "codes.csv").write_text(text)
    files = ImportFiles(tmp_path, tmp_path / "state", Clock(now=NOW.timestamp))
    read_ones = []
    for given_as in ({"csv": text}, {"csvPath": "codes.csv"}):
        async with files.opened(given_as, columns_of("import_coupons")) as opened:
            read_ones.append((opened.content, opened.problems))

    (content, problems), other = read_ones
    assert (content, problems) == other
    assert content.rows.count == 3
    assert content.rows.unusual == (f'line 2: expirydate "{PAST}" is in the past',)
    assert len(problems) == 1


def test_reading_can_be_stopped() -> None:
    class StoppedError(Exception):
        pass

    def stop() -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        read("import_coupons", "value\nAAA\n", tick=stop)
