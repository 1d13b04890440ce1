"""What is published is built once for all tests of it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from release import bundle
from release.project import ROOT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def bundled(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle.build(wheel, tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def unpacked(bundled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extension")
    with zipfile.ZipFile(bundled) as archive:
        archive.extractall(folder)
    return folder
