"""The package can be run as a module."""

from __future__ import annotations

import subprocess
import sys

from talonone_mcp import __version__


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "talonone_mcp", "--version"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)

    assert ran.stdout == f"talonone-mcp {__version__}\n"
