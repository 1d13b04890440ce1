"""What a person reads before a call that they must answer for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from talonone_mcp.calls.question import (
    NOTHING,
    UNKNOWN,
    Change,
    Statement,
    is_elided,
    question_of,
)
from talonone_mcp.core.impact import Impact
from talonone_mcp.core.text import quoted

UPDATE = Statement(
    tool="update_campaign",
    title="Update a campaign",
    deployment="mycompany.europe-west1.talon.one",
    is_sandbox=False,
    ids=(("Application", 42), ("campaign", 18)),
    name="Summer Sale",
    impacts=(Impact("closes", 1, "campaigns", "it ends in the past"),),
    now=(("state", "enabled"), ("redeemed coupons", 17)),
    drifting=frozenset({"redeemed coupons"}),
    changes=(Change("endTime", "2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),),
    undo="Set endTime again.",
    whole="talonone-mcp approvals show 3f9a12cd",
)


INFINITE = float("inf")


def lines_of(statement: Statement) -> list[str]:
    return question_of(statement).text.split("\n")


def line_of(old: Any, new: Any) -> str:
    [line] = [
        line
        for line in lines_of(replace(UPDATE, changes=(Change("field", old, new),)))
        if line.startswith(("Change: field: ", "Set: field: "))
    ]
    return line.split("field: ", 1)[1]


def impact_of(impact: Impact) -> str:
    return lines_of(replace(UPDATE, impacts=(impact,)))[0]


def test_a_change_of_a_campaign() -> None:
    assert question_of(UPDATE).text == (
        "Closes 1 campaign: it ends in the past.\n"
        "Where: mycompany.europe-west1.talon.one; Application 42; campaign 18"
        ' "Summer Sale".\n'
        "Call: update_campaign (Update a campaign).\n"
        'Change: endTime: "2027-01-01T00:00:00Z" → "2026-01-01T00:00:00Z"\n'
        'Now: state: "enabled"\n'
        "Now: redeemed coupons: 17\n"
        "Undo: Set endTime again."
    )
    assert not is_elided(UPDATE)


def test_a_plan_in_the_sandbox() -> None:
    plan = Statement(
        tool="set_up_campaign",
        title="Set up a campaign",
        deployment="sandbox",
        is_sandbox=True,
        ids=(("Application", 42),),
        steps=("create_campaign", "create_coupons"),
        warnings=(f"The budget could not be read: {quoted('no rights')}",),
    )

    assert question_of(plan).text == (
        "Set up a campaign.\n"
        "Where: sandbox (a practice account, nothing real changes); Application 42.\n"
        "Call: set_up_campaign (Set up a campaign).\n"
        "Steps: create_campaign, create_coupons.\n"
        'Note: The budget could not be read: "no rights"'
    )


@pytest.mark.parametrize(
    ("impact", "line"),
    [
        (("gives", 5000, "points", 'to card "7"'), 'Gives 5,000 points: to card "7".'),
        (("gives", 5000.5, "money"), "Gives 5,000.5 of the Application's currency."),
        (("gives", 1, "codes"), "Gives 1 code."),
        (("gives", None, "points"), "Gives an unknown number of points, perhaps without limit."),
        (("gives", INFINITE, "uses"), "Gives an unknown number of uses, perhaps without limit."),
        (
            ("gives", None, "money"),
            "Gives an unknown sum in the Application's currency, perhaps without limit.",
        ),
        (("prices", 99.5, "percent", "12 items"), "Lowers prices by up to 99.5 percent: 12 items."),
        (("prices", None, "percent"), "Lowers prices by an unknown percentage."),
        (("prices", 3, "items"), "Lowers the prices of 3 items."),
        (
            ("grants", 1, "people", '"eve@x.example"'),
            'Changes the rights of 1 person: "eve@x.example".',
        ),
        (("sends", 1, "hosts", '"hooks.example"'), 'Sends data to 1 host: "hooks.example".'),
        (("sends", 2, "mails"), "Sends 2 mails."),
        (("takes", 0.001, "points"), "Takes 0.001 points."),
        (("takes", 3, "people"), "Takes from 3 people."),
        (("drops", 2, "fields", "tags, limits."), "Empties 2 fields: tags, limits."),
        (("drops", 1, "customers"), "Empties fields of 1 customer."),
        (("destroys", 1, "addresses"), "Removes 1 address for good."),
        (("opens", 1e20, "campaigns"), "Opens 1e+20 campaigns."),
        (("opens", 1e-9, "campaigns"), "Opens 1e-09 campaigns."),
    ],
)  # fmt: skip
def test_an_impact_in_words(impact: tuple[Any, ...], line: str) -> None:
    assert impact_of(Impact(*impact)) == line


def test_the_gravest_impact_stands_first_and_an_unknown_measure_is_the_largest() -> None:
    impacts = (
        Impact("drops", 1, "fields"),
        Impact("gives", 5, "points"),
        Impact("gives", 900, "points"),
        Impact("gives", None, "codes"),
        Impact("destroys", 1, "codes"),
    )

    assert lines_of(replace(UPDATE, impacts=impacts))[:5] == [
        "Removes 1 code for good.",
        "Gives an unknown number of codes, perhaps without limit.",
        "Gives 900 points.",
        "Gives 5 points.",
        "Empties 1 field.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (UNKNOWN, 5, "5"),
        (5, NOTHING, "5 → nothing"),
        (NOTHING, True, "nothing → true"),
        (None, 0.5, "null → 0.5"),
        ([], {}, "[] → {}"),
        ([1, "a"], {"b": {"c d": None}}, '[1, "a"] → {b: {"c d": null}}'),
        ("A", 'A" → "B', '"A" → "A\' → \'B"'),
        ("שלום", "Summer", '"שלום" (right to left) → "Summer"'),
        (list(range(20)), 1, f"{list(range(20))} → 1"),
        (UNKNOWN, 10**60, f"1{'0' * 39} (cut, 61 digits)"),
    ],
)
def test_a_change_in_words(old: Any, new: Any, line: str) -> None:
    assert line_of(old, new) == line


def test_the_name_of_a_field_is_quoted_unless_it_is_plain() -> None:
    for name, shown in (
        ("attributes.shoe_size", "attributes.shoe_size"),
        ("_a_", '"\uff3fa\uff3f"'),
        ("a: 1 → 2", '"a: 1 → 2"'),
        ("www.evil.example", '"www\uff0eevil.example"'),
    ):
        statement = replace(UPDATE, changes=(Change(name, 1, 2),))
        assert f"Change: {shown}: 1 → 2" in lines_of(statement)


def test_a_long_text_shows_both_ends_its_length_and_what_changed() -> None:
    old, new = "a" * 300 + "old" + "b" * 300, "a" * 300 + "new" + "b" * 300
    cut = f'"{"a" * 134}" (cut, 603 characters) "{"b" * 66}"'

    assert line_of(old, new) == (
        f'{cut} → {cut}; different: "{"a" * 20}old{"b" * 20}" → "{"a" * 20}new{"b" * 20}"'
    )


def test_one_removal_among_200_actions_is_seen() -> None:
    actions: list[dict[str, Any]] = [
        {"type": "PATCH", "payload": {"sku": f"S{at}", "price": at}} for at in range(199)
    ]
    actions.insert(150, {"type": "REMOVE", "payload": {"sku": "TV", "price": 0.5}})
    line = line_of(UNKNOWN, actions)

    assert line.startswith(
        '[200 items (cut); by type: 199 "PATCH", 1 "REMOVE"; '
        "payload.price: sum 19701.5, smallest 0, largest 198; "
        'the rarest: {type: "REMOVE", payload: {sku: "TV", price: 0.5}}; '
        'the 10 largest: {type: "PATCH", payload: {sku: "S198", price: 198}}, '
    )


def test_recipients_are_counted_and_what_is_new_among_them_is_shown() -> None:
    old = [f"p{at}" for at in range(3000)]
    line = line_of(old, [*old[1:], "eve"])

    assert line.startswith('[3,000 items (cut); the first 10: "p0", "p1", ')
    assert line.endswith('; different: ["p0"] → ["eve"]')


def test_a_large_object_names_the_keys_that_it_leaves_out() -> None:
    line = line_of(NOTHING, {f"k{at}": at for at in range(23)})

    assert line.startswith("nothing → {23 keys (cut): k0: 0, k1: 1, ")
    assert line.endswith("k19: 19; left out: k20, k21, k22}")


def test_of_two_large_objects_only_the_keys_that_differ_are_compared() -> None:
    old = {f"k{at}": at for at in range(30)}

    assert line_of(old, {**old, "k29": 0}).endswith("; different: {k29: 29} → {k29: 0}")


def nested(depth: int, width: int) -> Any:
    return [nested(depth - 1, width)] * width if depth else "x" * 1000


LARGE: dict[str, Callable[[], Any]] = {
    "deep": lambda: nested(40, 1),
    "bushy": lambda: nested(4, 12),
    "an object": lambda: {"k" * 200 + str(at): "x" * 500 for at in range(500)},
    "a list": lambda: [{f"key{at}": "x" * 200, "type": str(at % 20) * 99} for at in range(5000)],
}


@pytest.mark.parametrize("name", LARGE)
def test_a_value_is_bounded_and_says_that_it_is_cut(name: str) -> None:
    statement = replace(UPDATE, changes=(Change("field", UNKNOWN, LARGE[name]()),))
    lines = lines_of(statement)

    assert is_elided(statement)
    assert max(map(len, lines)) < 5_000
    assert lines[-1] == "All of it: run talonone-mcp approvals show 3f9a12cd"


def test_a_text_that_speaks_of_a_cut_is_not_cut() -> None:
    assert not is_elided(replace(UPDATE, name="(cut, 500 characters)"))


def test_what_moves_by_itself_may_move() -> None:
    seen = question_of(UPDATE).seen
    moved = replace(UPDATE, now=(("state", "enabled"), ("redeemed coupons", 18)))
    stopped = replace(UPDATE, now=(("state", "disabled"), ("redeemed coupons", 17)))

    assert question_of(moved).seen == seen
    assert question_of(stopped).seen != seen
    assert question_of(moved).text != question_of(UPDATE).text


def test_the_command_that_shows_all_may_change() -> None:
    long = replace(UPDATE, name="x" * 300)
    other = replace(long, whole="talonone-mcp approvals show 00000000")

    assert question_of(long).seen == question_of(other).seen


# --- Quotations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "Summer_Sale 2026 (50 % off!)",
        "R & D: #1 at the café, isn't it?",
        "anna@example.com",
        "夏のセール",
        "Ünïcödé / a+b = {c} > d; 5 - 3 ^ 2",
        "हिन्दी",
    ],
)
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    assert quoted(name) == f'"{name.strip()}"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('say "hi"', "say 'hi'"),
        ("„so“ «so» ''so''", "'so' 'so' 'so'"),
        (
            "**bold** _it_ ~~no~~ `code`",
            "\uff0a\uff0abold\uff0a\uff0a \uff3fit\uff3f \uff5e\uff5eno\uff5e\uff5e 'code'",
        ),
        (
            "[a](b) ![c](d) <b> a|b \\n",
            "\uff3ba\uff3d(b) !\uff3bc\uff3d(d) \uff1cb> a\uff5cb \uff3cn",
        ),
        ("&quot; &#34; A & B", "\uff06quot; \uff06#34; A & B"),
        ("https://a.b WWW.a.b mailto:a@b.c", "https\uff1a//a.b WWW\uff0ea.b mailto\uff1aa@b.c"),
        ("$x$", "\uff04x\uff04"),
        ("a\r\n\n b\u2028c\u2800d", "a bc d"),
        ("\u0338a\u0338e\u0301 \u030bx", "ae\u0301 x"),
        ("e" + "\u0301" * 50, "e" + "\u0301" * 4),
    ],
)
def test_what_could_leave_its_quotation_marks_becomes_a_look_alike(text: str, shown: str) -> None:
    assert quoted(text) == f'"{shown}"'


def test_a_long_quotation_shows_both_ends() -> None:
    assert quoted("a" * 50 + "b" * 50, 9) == '"aaaaaa" (cut, 100 characters) "bbb"'
