"""Checks this machine: the state directory, the audit log, files with secrets, versions."""

from __future__ import annotations

import difflib
import os
import platform
import stat
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from talonone_mcp import __version__
from talonone_mcp.core.safe_files import not_private
from talonone_mcp.core.settings import Settings, Sources, variables
from talonone_mcp.core.settings.values import expanded
from talonone_mcp.core.state_folder import STATE_DIR, StateError, state_folder
from talonone_mcp.store.audit import AuditError, verify
from talonone_mcp.terminal.doctor.findings import Finding

_OTHERS = 0o077
_OURS = ("TALONONE_", "CAPILLARY_")
_MIN_SIMILARITY = 0.8  # below this, a variable belongs to another program
_STATE = "state directory"
_AUDIT = "audit log"


def versions() -> Mapping[str, str]:
    """Return the versions that decide how the server behaves."""
    return {
        "talonone-mcp": __version__,
        "mcp": version("mcp"),
        "Python": platform.python_version(),
        platform.system(): platform.release(),
    }


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Check what the server will write and read here. A long audit log can take a second."""
    return (
        _state(settings.state_dir),
        _audit(settings.state_dir),
        *_imports(settings.import_folder),
        *_gate(settings),
    )


def unknown_variables(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield each variable that looks like a setting but is none."""
    known = variables()
    flags = {f"TALONONE_{name.upper()}": name for name in Settings.model_fields}
    for name in sorted(environment.keys() - known):
        near = difflib.get_close_matches(name, known, n=1, cutoff=_MIN_SIMILARITY)
        remedy = f"Did you mean {near[0]}?" if near and name.startswith(_OURS) else ""
        if flag := flags.get(name, "").replace("_", "-"):
            remedy = f"Give the flag --{flag}, or write it in the configuration file."
        if remedy:
            yield Finding("environment", "warning", f"{name} is set but is not a setting.", remedy)


def examine_state(sources: Sources) -> tuple[Finding, ...]:
    """Check only the state directory, for when the settings cannot be used."""
    given = sources.given.get("state_dir")
    try:
        folder = state_folder({STATE_DIR: str(given.value)} if given else {})
    except StateError:
        return ()  # already reported with the other settings
    return _state(folder), _audit(folder)


def exposed_secrets(sources: Sources) -> Iterator[Finding]:
    """Yield each file with a secret that other users can read."""
    for each in sources.given.values():
        path = each.origin.secret_file
        if path is None:
            continue
        path = expanded(path)
        if why := not_private(path.resolve()):
            yield Finding(
                each.origin.name,
                "warning",
                f"{path} {why.partition(' (')[0]}.",
                f"chmod 600 {path}, as the user that runs the server.",
            )


def _state(folder: Path) -> Finding:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        says = f"{there} cannot be written: {error.strerror}."
        return Finding(_STATE, "failure", says, _elsewhere(folder))
    if there != folder:
        return Finding(_STATE, "ok", f"{folder} will be made when it is needed.")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if os.name == "posix" and mode & _OTHERS:
        says = f"{folder} can be entered by other users (mode {mode:o})."
        return Finding(_STATE, "warning", says, f"chmod 700 {folder}")
    return Finding(_STATE, "ok", f"{folder} can be written, by this user alone.")


def _elsewhere(folder: Path) -> str:
    return f"Make {folder} writable for this user, or set TALONONE_STATE_DIR."


def _audit(folder: Path) -> Finding:
    try:
        verdict = verify(folder)
    except (AuditError, OSError) as error:
        remedy = "Make the files readable for this user."
        return Finding(_AUDIT, "failure", f"It cannot be read: {error}.", remedy)
    if verdict.problems:
        count = len(verdict.problems)
        says = f"It does not verify: {verdict.problems[0]}" + (
            f", and {count - 1} more problems." if count > 1 else "."
        )
        remedy = "talonone-mcp audit verify lists the places; docs/security.md says what they mean."
        return Finding(_AUDIT, "failure", says, remedy)
    says = f"None of its {verdict.lines} lines was changed."
    return Finding(_AUDIT, "ok", says if verdict.lines else "Nothing is in it yet.")


def _imports(folder: Path | None) -> Iterator[Finding]:
    if folder is None:
        return
    if os.access(folder, os.R_OK | os.X_OK):
        yield Finding("import folder", "ok", f"{folder} can be read.")
    else:
        remedy = f"Make {folder} readable for this user, or set TALONONE_IMPORT_DIR."
        yield Finding("import folder", "failure", f"{folder} cannot be read.", remedy)


def _gate(settings: Settings) -> Iterator[Finding]:
    if settings.confirm == "off":
        yield Finding(
            "gate",
            "warning",
            "Calls that delete or give away much run without asking anybody (--confirm off).",
            "Leave --confirm out, so that a person is asked.",
        )
