"""The package as a wheel holds it, for benchmarks of what a user has installed.

A checkout's own installation compiles the catalog from YAML at every start, for which no user
waits.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def packed() -> Iterator[Mapping[str, str]]:
    """Yield the variables with which a Python imports the package out of a wheel.

    Where it already is installed out of one, these are none. Else one is built of the checkout, and
    unpacked for as long as this lasts.
    """
    if (files("talonone_mcp") / "catalog.json").is_file():
        yield {}
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if built.returncode != 0:
            sys.exit(f"no wheel can be built:\n{built.stderr}")
        [wheel] = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        yield {"PYTHONPATH": folder}
