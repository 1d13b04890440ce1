"""`talonone-mcp doctor`: check what works in this installation, what does not, and what to do."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import anyio

from talonone_mcp.core import catalog as catalogs
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.catalog.served_catalog import with_settings
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.policy import PolicyError
from talonone_mcp.core.settings import Settings, SettingsError, Sources, gather, user_file
from talonone_mcp.surface.tool_list import SurfaceError, surface
from talonone_mcp.terminal.doctor import conclusions, local_checks
from talonone_mcp.terminal.doctor.conclusions import Standing
from talonone_mcp.terminal.doctor.exploration import explore
from talonone_mcp.terminal.doctor.findings import Finding, worst
from talonone_mcp.terminal.doctor.report import Report, as_json, as_text
from talonone_mcp.terminal.doctor.settings_table import redaction, setting_rows
from talonone_mcp.terminal.serve_options import add_serve_options
from talonone_mcp.terminal.streams import FAILED, USAGE, escape_unprintable
from talonone_mcp.upstream.redaction import Redaction


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    said = "check the configuration, the keys and the way to Talon.One"
    doctor = commands.add_parser(
        "doctor", help=said, description="Takes the flags of serve and checks what it would do."
    )
    add_serve_options(doctor)
    doctor.add_argument("--json", action="store_true", help="print JSON, for a script")
    doctor.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    flags = {name: value for name, value in vars(options).items() if name not in ("run", "json")}
    report = _examined(flags, os.environ)
    escape_unprintable()
    if options.json:
        sys.stdout.write(as_json(report))
        return report.status
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = shutil.get_terminal_size().columns
    sys.stdout.write(as_text(report, width=width, colour=colour, place=user_file()))
    return report.status


def _examined(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Report:
    sources = gather(flags, environment)
    findings = [
        *local_checks.unknown_variables(environment),
        *local_checks.exposed_secrets(sources),
    ]
    toolsets: Mapping[str, Standing] = {}
    try:
        settings = sources.settings
    except SettingsError as error:
        findings += [_unusable(line) for line in str(error).splitlines()]
        findings += local_checks.examine_state(sources)
        status = USAGE
    else:
        found, toolsets, status = _with(settings, sources)
        findings += found
        if status == 0 and worst(findings) == "failure":
            status = FAILED
    return _clean(
        Report(
            status,
            local_checks.versions(),
            sources.file,
            setting_rows(sources),
            tuple(findings),
            toolsets,
        ),
        redaction(sources),
    )


def _unusable(line: str) -> Finding:
    """Turn a line about a setting into a finding."""
    return Finding("configuration", "failure", line if line.endswith((".", "?")) else f"{line}.")


def _with(
    settings: Settings, sources: Sources
) -> tuple[list[Finding], Mapping[str, Standing], int]:
    """Examine what usable settings lead to; return also the exit status."""
    try:
        catalog = with_settings(catalogs.load(), settings)
        listed = _listed(catalog, settings)
    except (catalogs.CatalogError, SurfaceError, PolicyError) as error:
        unusable = [_unusable(line) for line in str(error).splitlines()]
        return [*unusable, *local_checks.examine(settings)], {}, USAGE
    here = [Finding("configuration", "ok", "It can be used."), *local_checks.examine(settings)]
    try:
        with _in_place_of_upstream(settings, catalog) as app:
            found = anyio.run(explore, settings, catalog, app)
    except CallError as error:
        return [*here, Finding("HTTP client", "failure", error.message, error.hint)], {}, 0
    toolsets = conclusions.standings(catalog, found)
    findings = [
        *here,
        *conclusions.of_apis(settings, sources, found),
        *conclusions.of_clocks(found.ahead),
        *conclusions.of_toolsets(sources, toolsets, listed),
    ]
    return findings, toolsets, 0


def _listed(catalog: Catalog, settings: Settings) -> set[str]:
    """Return the toolsets of the operations that models see."""
    shown = {tool.name for tool in surface(catalog, settings).tools}
    return {each.toolset for each in catalog.operations.values() if each.name in shown}


@contextmanager
def _in_place_of_upstream(settings: Settings, catalog: Catalog) -> Iterator[object]:
    """Yield the sandbox if the settings ask for it; None means the network."""
    if not settings.sandbox:
        yield None
        return
    from talonone_mcp.sandbox.app import Sandbox  # noqa: PLC0415 - no one else needs it

    with closing(Sandbox(catalog)) as sandbox:
        yield sandbox


def _clean(report: Report, secrets: Redaction) -> Report:
    """Return the report without secrets that an error may have repeated."""
    text = secrets.text
    findings = tuple(
        replace(each, says=text(each.says), remedy=text(each.remedy)) for each in report.findings
    )
    settings = tuple(replace(each, value=text(each.value)) for each in report.settings)
    toolsets = {name: replace(each, says=text(each.says)) for name, each in report.toolsets.items()}
    return replace(report, findings=findings, settings=settings, toolsets=toolsets)
