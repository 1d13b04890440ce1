"""How much the sandbox takes and keeps. Tests set lower limits than upstream has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Counts that bound lists and logs.

    Attributes:
        attribute_values: values in an attribute's list of allowed ones. Source:
            https://docs.talon.one/management-api: importAllowedList
        log_entries: entries that each log keeps.
        log_surplus: entries beyond those before the oldest go, so that few requests pay for it.
        messages_per_page: entries in one answer of the message log; upstream documents no number.
    """

    attribute_values: int = 500_000
    log_entries: int = 10_000
    log_surplus: int = 500
    messages_per_page: int = 100


USUAL_LIMITS = SandboxLimits()
