"""`talonone-mcp audit`: inspect the audit log."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from typing import Any

from talonone_mcp.core.settings.loading import with_state
from talonone_mcp.core.state_folder import state_folder
from talonone_mcp.store.audit import verify


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    audit = commands.add_parser("audit", help="look at the log of what was called")
    actions = audit.add_subparsers(required=True, metavar="ACTION")
    verifying = actions.add_parser(
        "verify", help="check that no line of the log was changed or removed"
    )
    verifying.add_argument("--json", action="store_true", help="print JSON, for a script")
    verifying.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    folder = state_folder(with_state(os.environ))
    verdict = verify(folder)
    if options.json:
        content: dict[str, Any] = {"folder": str(folder), **asdict(verdict)}
        sys.stdout.write(json.dumps(content) + "\n")
    else:
        sys.stdout.write("".join(f"{problem}\n" for problem in verdict.problems))
        found = f"{len(verdict.problems)} problems" if verdict.problems else "no problem"
        sys.stdout.write(f"{folder}: {verdict.lines} lines in {verdict.files} files, {found}\n")
    return 1 if verdict.problems else 0
