"""Concludes from the probes what works, what does not, and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.catalog.model import Api
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.settings import CREDENTIALS_OF, URL_OF, Settings, Sources
from talonone_mcp.terminal.doctor.exploration import Exploration
from talonone_mcp.terminal.doctor.findings import Finding
from talonone_mcp.terminal.doctor.probe_runs import Attempt, Reached
from talonone_mcp.terminal.doctor.probes import why_none

_SLOW_S = 2.0  # for an answer of one item
_CLOCKS_DIFFER_S = 60.0
_CLOCKS_AGREE_S = 2.0
_NAMES: Mapping[Api, str] = {
    "management": "Management API",
    "integration": "Integration API",
    "third_party": "Third-party API",
    "capillary": "Capillary",
}
_SECRETS_OF: Mapping[Api, tuple[str, ...]] = {
    "management": ("management_key", "password"),
    "integration": ("integration_keys", "integration_key"),
    "third_party": ("third_party_key",),
    "capillary": ("capillary_token", "capillary_password"),
}
_URLS: Mapping[Api, str] = {"third_party": "third_party_url", "capillary": "capillary_url"}

State = Literal["usable", "partly", "refused", "absent", "failed", "untested"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a toolset can be used, and the evidence."""

    state: State
    says: str = ""


def of_apis(settings: Settings, sources: Sources, found: Exploration) -> Iterator[Finding]:
    """Yield a finding for each API; the ones that are not configured come last."""
    for reached in found.reached:
        yield _of_api(settings, sources, reached)
    if "capillary" in settings.apis:
        says = f"{settings.url('capillary')} was not tried: its one operation issues a coupon."
        yield Finding(_NAMES["capillary"], "note", says)
    missing = [api for api in _NAMES if api not in settings.apis]
    if missing:
        names = ", ".join(_NAMES[api] for api in missing)
        says = f"Not configured, so their tools are not listed: {names}."
        wanted = "; ".join(CREDENTIALS_OF[api] for api in missing)
        yield Finding("other APIs", "note", says, f"Each needs credentials: {wanted}.")


def _of_api(settings: Settings, sources: Sources, reached: Reached) -> Finding:
    about, attempt = _NAMES[reached.api], reached.attempt
    if reached.application is not None:
        about += f" ({reached.application})"
    where = settings.url(reached.api)
    if attempt.outcome == "allowed" and reached.seconds is not None:
        took = f"{reached.seconds * 1000:.0f} ms"
        if reached.seconds > _SLOW_S:
            remedy = "Look at the network, or a proxy on the way; agents wait just as long."
            return Finding(about, "warning", f"{where} takes {took} for an answer.", remedy)
        return Finding(about, "ok", f"{where} answers in {took}.")
    name = attempt.operation.name
    if attempt.outcome == "refused" and reached.api == "management":
        return Finding(about, "ok", f"{where} answers, though not {name}: it is refused.")
    if attempt.outcome == "absent":
        says = f"{where} answers, but does not have {name}."
        return Finding(about, "failure", says, _is_it_upstream(sources, reached.api))
    error = attempt.error
    if error is None:
        return Finding(about, "note", f"{where} was not tried: {attempt.why}.")
    says = error.message
    if error.kind in ("unauthorized", "forbidden"):
        says = f"{where} refuses what it is sent: {says.removesuffix('.')} ({error.status})."
    return Finding(about, "failure", says, _remedy(sources, reached.api, error))


def _is_it_upstream(sources: Sources, api: Api) -> str:
    return (
        f"Check {URL_OF[api]} for a typo, or a path that does not belong there: it is only the"
        f" deployment's address.{_from(sources, _URLS.get(api, 'base_url'))}"
    )


def _remedy(sources: Sources, api: Api, error: CallError) -> str:
    """Return what to do, and where the faulty setting comes from."""
    if error.kind in ("unauthorized", "forbidden"):
        given = [name for name in _SECRETS_OF[api] if name in sources.given]
        return error.hint + _from(sources, given[0])
    came_from = _from(sources, _URLS.get(api, "base_url"))
    if error.kind == "timeout":
        return f"Check {URL_OF[api]}, the network, and a proxy on the way.{came_from}"
    return error.hint + came_from


def _from(sources: Sources, attribute: str) -> str:
    """Say where a setting comes from, unless that is its own variable."""
    origin = sources.origin(attribute)
    named = Settings.model_fields[attribute].alias
    return "" if origin.name in ("", named) else f" It comes from {origin}."


def of_clocks(ahead: Mapping[str, float]) -> Iterator[Finding]:
    """Yield how far this clock differs from each host's, as far as hosts send the time."""
    for host, seconds in ahead.items():
        if abs(seconds) <= _CLOCKS_AGREE_S:
            yield Finding("clock", "ok", f"It agrees with that of {host}.")
            continue
        way = "ahead of" if seconds > 0 else "behind"
        says = f"This clock is {way} that of {host} by {timedelta(seconds=round(abs(seconds)))}."
        if abs(seconds) <= _CLOCKS_DIFFER_S:
            yield Finding("clock", "note", says)
        else:
            remedy = "Have this machine's clock set (NTP): dates in calls are off by as much."
            yield Finding("clock", "warning", says, remedy)


def standings(catalog: Catalog, found: Exploration) -> Mapping[str, Standing]:
    """Return how far each examined toolset can be used."""
    return {
        name: _standing(attempts) if attempts else Standing("untested", why_none(catalog, name))
        for name, attempts in found.toolsets.items()
    }


def _standing(attempts: tuple[Attempt, ...]) -> Standing:
    refused = [each for each in attempts if each.outcome in ("refused", "unauthorized")]
    allowed = [each for each in attempts if each.outcome == "allowed"]
    names = ", ".join(each.operation.name for each in refused)
    if allowed and refused:
        return Standing("partly", f"{names} is refused, {allowed[0].operation.name} is not")
    if allowed:
        return Standing("usable")
    if refused:
        return Standing("refused", f"{names}")
    for each in attempts:
        if each.outcome == "failed" and each.error:
            return Standing("failed", each.error.message)
    absent = [each.operation.name for each in attempts if each.outcome == "absent"]
    if absent:
        return Standing("absent", ", ".join(absent))
    return Standing("untested", attempts[0].why)


def of_toolsets(
    sources: Sources, toolsets: Mapping[str, Standing], listed: Collection[str]
) -> Iterator[Finding]:
    """Yield one finding for each state that toolsets are in.

    Args:
        sources: where the key comes from.
        toolsets: the state of each.
        listed: the toolsets of the operations that models see.
    """
    if not toolsets:
        return
    usable = [name for name, each in toolsets.items() if each.state == "usable"]
    tested = [name for name, each in toolsets.items() if each.state != "untested"]
    allow = (
        "An administrator can allow more endpoints to the key, or the host can be shown fewer"
        f" tools with --toolsets or --profile.{_from(sources, 'management_key')}"
    )
    if tested and all(toolsets[name].state == "refused" for name in tested):
        says = "The key may use none of them: every read that was tried is refused."
        yield Finding("toolsets", "failure", says, allow)
        return
    if usable:
        says = f"{len(usable)} of {len(tested)} that were tried may be used: {', '.join(usable)}."
        yield Finding("toolsets", "ok", says)
    yield from _refusals(toolsets, listed, allow)
    yield from _others(toolsets)


def _refusals(
    toolsets: Mapping[str, Standing], listed: Collection[str], remedy: str
) -> Iterator[Finding]:
    """Yield a finding for refused toolsets that models see, and for the rest."""
    refused = [name for name, each in toolsets.items() if each.state == "refused"]
    shown = [name for name in refused if name in listed]
    if shown:
        yield Finding("toolsets", "warning", f"Refused, though listed: {', '.join(shown)}.", remedy)
    rest = [name for name in refused if name not in listed]
    if rest:
        yield Finding("toolsets", "note", f"Refused: {', '.join(rest)}.", "" if shown else remedy)


def _others(toolsets: Mapping[str, Standing]) -> Iterator[Finding]:
    partly = _said(toolsets, "partly")
    if partly:
        yield Finding("toolsets", "note", f"Allowed in part: {partly}.")
    absent = _said(toolsets, "absent")
    if absent:
        yield Finding("toolsets", "note", f"Not offered by this deployment: {absent}.")
    failed = _said(toolsets, "failed")
    if failed:
        remedy = "Try again; if it persists, the fault is upstream's or a proxy's."
        yield Finding("toolsets", "warning", f"Failed: {failed}", remedy)
    untested = _said(toolsets, "untested")
    if untested:
        yield Finding("toolsets", "note", f"Not tried: {untested}.")


def _said(toolsets: Mapping[str, Standing], state: State) -> str:
    """Return the toolsets in a state, grouped by reason."""
    reasons: dict[str, list[str]] = {}
    for name, each in toolsets.items():
        if each.state == state:
            reasons.setdefault(each.says, []).append(name)
    return "; ".join(f"{_and(names)} ({why})" for why, names in reasons.items())


def _and(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
