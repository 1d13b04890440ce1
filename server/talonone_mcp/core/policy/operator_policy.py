"""The policy in force: an operator's file over their settings, over the built-in policy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from talonone_mcp.core.policy.layers import Layer, laid_over
from talonone_mcp.core.policy.policy_lines import PolicyLine, beyond
from talonone_mcp.core.policy.rulings import Policy

# What each of the older limits counts: its unit here, and the variable that sets it.
_SETTINGS: Mapping[str, tuple[str, str]] = {
    "coupons": ("codes", "TALONONE_CONFIRM_COUPONS_ABOVE"),
    "points": ("points", "TALONONE_CONFIRM_POINTS_ABOVE"),
    "cards": ("cards", "TALONONE_CONFIRM_CARDS_ABOVE"),
    "referrals": ("referrals", "TALONONE_CONFIRM_REFERRALS_ABOVE"),
}


def operators_policy(built_in: Policy, limits: Mapping[str, int], file: Path | None) -> Policy:
    """Return the policy that an operator's settings and file make of the built-in one.

    Args:
        built_in: what applies otherwise.
        limits: the limits of gifts that are set, as `Settings.thresholds` has them.
        file: the operator's policy file; it overrides the limits.

    Raises:
        PolicyError: the file cannot be used.
    """
    policy = laid_over(built_in, Layer(tuple(_of_settings(limits))))
    if file is None:
        return policy
    from talonone_mcp.core.policy.policy_file import read_policy_file  # noqa: PLC0415 - needs YAML

    return laid_over(policy, read_policy_file(file, built_in.units))


def _of_settings(limits: Mapping[str, int]) -> list[PolicyLine]:
    given = ((*_SETTINGS[name], limit) for name, limit in limits.items())
    return [beyond("gives", unit, {"above": limit}, name) for unit, name, limit in given]
