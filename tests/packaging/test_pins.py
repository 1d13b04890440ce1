"""What is pinned for an installation is what `constraints.txt` pins."""

from __future__ import annotations

import re
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from release import pins


def has_the_pinned_versions() -> bool:
    """Tell whether this environment is that of `constraints.txt`, as far as it has its packages."""
    pinned = {name: block.split("==")[1].split()[0] for name, block in pins.pinned().items()}
    installed = {canonicalize_name(each.name): each.version for each in distributions()}
    names = {name: version for name, version in installed.items() if name in pinned}
    return all(version == pinned[name] for name, version in names.items())


# What a package requires differs from version to version.
@pytest.mark.skipif(not has_the_pinned_versions(), reason="other versions than those pinned")
@pytest.mark.parametrize("path", [pins.RUNTIME, pins.BUILD], ids=lambda path: path.name)
def test_the_pins_are_those_of_the_constraints(path: Path) -> None:
    assert path.read_text("utf-8") == pins.files()[path], "run python -m release.pins"


def test_what_an_installation_needs_has_nothing_of_development() -> None:
    names = {each.partition("==")[0] for each in pins.requirements(pins.RUNTIME)}

    assert {"mcp", "httpx", "pydantic", "pywin32"} <= names
    assert not names & {"pytest", "mypy", "ruff", "hypothesis", "hatchling", "opentelemetry-sdk"}


def test_an_extra_of_a_dependency_is_followed() -> None:
    assert "cryptography" in pins.needed(["pyjwt[crypto]"])
    assert "cryptography" not in pins.needed(["pyjwt"])


def test_every_pinned_package_has_a_hash() -> None:
    for text in (pins.RUNTIME.read_text("utf-8"), pins.BUILD.read_text("utf-8")):
        for block in re.split(r"\n(?=\S)", text)[1:]:
            assert "--hash=sha256:" in block, block


def test_the_pinned_versions_are_in_the_range_of_the_project() -> None:
    pinned = dict(each.partition(" ")[0].split("==") for each in pins.requirements(pins.RUNTIME))
    ranges = [Requirement(text) for text in distribution("talonone-mcp").requires or []]

    assert ranges
    for each in ranges:
        if not each.marker:
            assert pinned[canonicalize_name(each.name)] in each.specifier
