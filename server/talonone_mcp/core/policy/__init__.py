"""The gate's policy: by what a call does, whether a person must say yes to it.

The built-in policy is `tools/_policy.yaml`. An operator's settings lie over it, and their policy
file over those. Nothing here reads or writes anything but that file.
"""

from talonone_mcp.core.policy.amounts import (
    NOTHING_SPENT,
    Amounts,
    Bound,
    Key,
    Spent,
    amounts_of,
)
from talonone_mcp.core.policy.operator_policy import operators_policy
from talonone_mcp.core.policy.policy_lines import (
    BUILT_IN,
    MAX_WINDOW_S,
    OTHER,
    PolicyError,
    PolicyLine,
)
from talonone_mcp.core.policy.rulings import Policy, Ruling

__all__ = [
    "BUILT_IN",
    "MAX_WINDOW_S",
    "NOTHING_SPENT",
    "OTHER",
    "Amounts",
    "Bound",
    "Key",
    "Policy",
    "PolicyError",
    "PolicyLine",
    "Ruling",
    "Spent",
    "amounts_of",
    "operators_policy",
]
