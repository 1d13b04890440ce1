"""Shows the findings: to people in aligned lines, to scripts as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from talonone_mcp.terminal.doctor.conclusions import Standing
from talonone_mcp.terminal.doctor.findings import Finding, Level, worst
from talonone_mcp.terminal.doctor.settings_table import SettingRow
from talonone_mcp.terminal.streams import in_columns

_MAX_WIDTH = 100  # characters
_ORIGIN_CHARS = 24  # left for where a setting came from
_MIN_VALUE_CHARS = 16  # left for its value
_MARKS: Mapping[Level, str] = {"ok": "ok", "note": "note", "warning": "WARN", "failure": "FAIL"}
_COLOURS: Mapping[Level, str] = {"ok": "32", "note": "36", "warning": "33", "failure": "31;1"}


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that an examination found, without secrets.

    `file` is the configuration file that was read. `status` is the exit status: 0 all is well, 1
    something does not work, 2 the configuration cannot be used.
    """

    status: int
    versions: Mapping[str, str]
    file: Path | None
    settings: tuple[SettingRow, ...]
    findings: tuple[Finding, ...]
    toolsets: Mapping[str, Standing] = field(default_factory=dict)


def as_json(report: Report) -> str:
    """Return the report for a script."""
    content = asdict(report) | {
        "file": str(report.file) if report.file else None,
        "worst": worst(report.findings),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def as_text(report: Report, *, width: int, colour: bool, place: Path) -> str:
    """Return the report for a person.

    Args:
        report: what to show.
        width: of the terminal, in characters.
        colour: whether to colour the levels.
        place: where the user's configuration file would be.
    """
    width = min(width, _MAX_WIDTH)
    lines = [", ".join(" ".join(each) for each in report.versions.items()), ""]
    lines += _settings(report, place, width)
    lines.append("")
    lines += _findings(report.findings, width, colour=colour)
    lines += ["", _summary(report)]
    return "\n".join(lines) + "\n"


def _settings(report: Report, place: Path, width: int) -> Iterator[str]:
    yield (
        f"Configuration file: {report.file}"
        if report.file
        else (f"Configuration file: none (there is none at {place})")
    )
    given = [row for row in report.settings if not row.is_default]
    if not given:
        yield "No setting is given."
        return
    room = max(width - max(len(row.name) for row in given) - _ORIGIN_CHARS, _MIN_VALUE_CHARS)
    for line in in_columns(((row.name, row.value, row.origin) for row in given), max_chars=room):
        yield f"  {line}"
    yield "  All others have their defaults."


def _findings(findings: Iterable[Finding], width: int, *, colour: bool) -> Iterator[str]:
    findings = list(findings)
    about = max((len(each.about) for each in findings), default=0)
    for each in findings:
        mark = f"{_MARKS[each.level]:<4}"
        if colour:
            mark = f"\x1b[{_COLOURS[each.level]}m{mark}\x1b[0m"
        indent = " " * (about + 8)
        head = f"{mark}  {each.about:<{about}}  "
        body = _wrapped(each.says, indent, width)
        yield head + body[len(indent) :]
        if each.remedy:
            yield _wrapped(f"-> {each.remedy}", indent, width, hanging="   ")


def _wrapped(text: str, indent: str, width: int, hanging: str = "") -> str:
    return textwrap.fill(
        text,
        max(width, len(indent) + 30),
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary(report: Report) -> str:
    count = {level: sum(f.level == level for f in report.findings) for level in _MARKS}
    if count["failure"]:
        hinders = _counted(count["failure"], "failure")
        also = f", {_counted(count['warning'], 'warning')}" if count["warning"] else ""
        what = "cannot start like this" if report.status > 1 else "cannot do everything it should"
        return f"{hinders}{also}: talonone-mcp {what}. Begin with the first FAIL."
    if count["warning"]:
        return f"{_counted(count['warning'], 'warning')}; everything works."
    return "All well."


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
