"""What a policy decides about a call, and how an operator's lines lie over ours."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.impact import KINDS, Impact, Kind
from talonone_mcp.core.policy import Bound, Policy, Spent, amounts_of, operators_policy
from talonone_mcp.core.policy.reasons import window_in_words


@pytest.fixture
def policy(catalog: Catalog) -> Policy:
    return catalog.policy


def gives(measure: float | None, unit: str = "points") -> Impact:
    return Impact("gives", measure, unit)


def laid_over(policy: Policy, folder: Path, text: str, **limits: int) -> Policy:
    file = folder / "policy.yaml"
    file.write_text(text)
    return operators_policy(policy, limits, file)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("gives", "prices")])
def test_most_kinds_are_always_asked_about(policy: Policy, kind: Kind) -> None:
    for measure in (1.0, 0.0, -5.0, None):
        ruling = policy.judge([Impact(kind, measure, "campaigns")])
        assert ruling.asked
        assert ruling.because.endswith(", which is always asked about (built in)")


@pytest.mark.parametrize(
    ("impacts", "because"),
    [
        ([gives(1001)], "gives more than 1,000 points in one call (built in)"),
        ([gives(600), gives(600)], "gives more than 1,000 points in one call (built in)"),
        ([gives(None)], "gives points, an amount that cannot be known, which counts as more than"
         " any limit (built in)"),
        ([gives(math.inf)], "gives points, an amount that cannot be known, which counts as more"
         " than any limit (built in)"),
        ([gives(-5000), gives(1001)], "gives more than 1,000 points in one call (built in)"),
        ([gives(101, "codes")], "gives more than 100 codes in one call (built in)"),
        ([gives(1000.5, "money")], "gives more than 1,000 in money in one call (built in)"),
        ([gives(1, "tiers")], "gives tiers, which is always asked about (built in)"),
        ([gives(20), gives(1, "tiers")], "gives tiers, which is always asked about (built in)"),
        ([Impact("prices", 20, "percent")], "lowers prices by 20 percent or more in one call"
         " (built in)"),
        ([Impact("sends", 1, "hosts")], "sends data to hosts, which is always asked about"
         " (built in)"),
    ],
)  # fmt: skip
def test_a_person_is_asked(policy: Policy, impacts: list[Impact], because: str) -> None:
    ruling = policy.judge(impacts)

    assert (ruling.asked, ruling.because) == (True, because)


@pytest.mark.parametrize(
    ("impacts", "because"),
    [
        ([], "nothing in it is asked about"),
        ([gives(1000)], "gives 1,000 points, which is within the limits (built in)"),
        ([gives(1)], "gives 1 point, which is within the limits (built in)"),
        ([gives(-5000)], "gives 0 points, which is within the limits (built in)"),
        ([Impact("prices", 19, "percent")] * 2,
         "lowers prices by 19 percent, which is within the limits (built in)"),
    ],
)  # fmt: skip
def test_nobody_is_asked(policy: Policy, impacts: list[Impact], because: str) -> None:
    ruling = policy.judge(impacts)

    assert (ruling.asked, ruling.because) == (False, because)


def test_slices_are_asked_about_like_the_whole(policy: Policy) -> None:
    own = Spent({("gives", "points"): 1000}, {("gives", "points"): 1000})
    of_all = Spent({}, {("gives", "points"): 9900})

    assert policy.judge([gives(200)], own).because == (
        "would have given 1,200 points in 24 hours without asking; the limit is 1,000 (built in)"
    )
    assert policy.judge([gives(200)], of_all).because == (
        "all principals together would have given 10,100 points in 24 hours without asking;"
        " the limit is 10,000 (built in)"
    )
    assert not policy.judge([gives(100)], of_all).asked
    assert not policy.judge([gives(200, "money")], own).asked
    assert not policy.judge([gives(0)], Spent({("gives", "points"): 5000}, {})).asked


def test_what_counts_is_what_can_be_measured() -> None:
    impacts = [gives(20), gives(-5), gives(3), gives(None, "codes"), Impact("opens", 0, "codes")]

    assert amounts_of(impacts) == {("gives", "points"): 23}


def test_the_bounds_are_those_of_the_lines(policy: Policy) -> None:
    assert policy.bounds([("gives", "points"), ("opens", "campaigns")]) == {
        ("gives", "points"): Bound(1000, 10_000),
        ("opens", "campaigns"): Bound(None, None),
    }


def test_a_policy_without_lines_asks_about_everything() -> None:
    assert Policy().judge([gives(1)]).asked
    assert Policy.from_compiled({}).judge([gives(1)]).asked


def test_the_compiled_form_is_the_whole_policy(policy: Policy) -> None:
    assert Policy.from_compiled(policy.to_json()) == policy
    assert {line.kind for line in policy.lines} == set(KINDS)


def test_the_older_limits_bound_the_sums_too(policy: Policy) -> None:
    line = operators_policy(policy, {"coupons": 5}, None).line("gives", "codes")

    assert (line.above, line.sum_above, line.sum_of_all_above) == (5, 5, 50)
    assert line.origin == "TALONONE_CONFIRM_COUPONS_ABOVE"


def test_a_file_lies_over_settings_which_lie_over_ours(policy: Policy, tmp_path: Path) -> None:
    text = "gives:\n  points: {above: 7}\nwindow: 2 days\n"
    over = laid_over(policy, tmp_path, text, points=5, cards=3)

    assert over.line("gives", "points").above == 7
    assert over.line("gives", "points").origin == "policy.yaml line 2"
    assert over.line("gives", "cards").above == 3
    assert over.line("gives", "codes") == policy.line("gives", "codes")
    assert over.line("gives", "tiers") == policy.line("gives", "tiers")
    assert (over.window_s, over.window_origin) == (2 * 86_400, "policy.yaml line 3")


def test_a_kind_replaces_all_its_lines_and_a_unit_only_its_own(
    policy: Policy, tmp_path: Path
) -> None:
    over = laid_over(policy, tmp_path, "gives: never\ncloses: {campaigns: never}\n")

    assert not over.judge([gives(None), gives(1, "tiers")]).asked
    assert over.judge([gives(1)]).because == (
        "gives points, which is never asked about (policy.yaml line 1)"
    )
    assert not over.judge([Impact("closes", 1, "campaigns")]).asked
    assert over.judge([Impact("closes", 1, "codes")]).asked
    assert [line.unit for line in over.lines if line.kind == "closes"] == ["campaigns", "other"]


@pytest.mark.parametrize(
    ("limits", "sums"),
    [
        ("{above: 5}", Bound(5, 50)),
        ("{from: 5}", Bound(5, 50)),
        ("{above: 5, sum_above: 20}", Bound(20, 200)),
        ("{above: 5, sum_of_all_above: 6}", Bound(5, 6)),
        ("{above: 5, sum_above: never}", Bound(None, None)),
        ("{above: 5, sum_of_all_above: never}", Bound(5, None)),
        ("{above: 1_000.5}", Bound(1000.5, 10_005)),
        ("{above: 0}", Bound(0, 0)),
    ],
)
def test_left_out_sums_follow_from_the_limit_of_one_call(
    policy: Policy, tmp_path: Path, limits: str, sums: Bound
) -> None:
    over = laid_over(policy, tmp_path, f"gives: {{codes: {limits}}}")

    assert over.bounds([("gives", "codes")]) == {("gives", "codes"): sums}


def test_percentages_have_no_sum_unless_a_file_says_so(policy: Policy, tmp_path: Path) -> None:
    over = laid_over(policy, tmp_path, "prices: {percent: {from: 5}}")

    assert over.bounds([("prices", "percent")]) == {("prices", "percent"): Bound(None, None)}
    assert over.judge([Impact("prices", 5, "percent")]).asked


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(60, "1 minute"), (5400, "90 minutes"), (3600, "1 hour"), (86_400, "24 hours"),
     (172_800, "2 days"), (129_600, "36 hours"), (90, "90 seconds")],
)  # fmt: skip
def test_a_window_reads_as_people_say_it(seconds: float, words: str) -> None:
    assert window_in_words(seconds) == words
