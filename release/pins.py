"""Takes out of `constraints.txt` what an installation needs, and what builds one.

    python -m release.pins

`constraints.txt` also pins what development needs. A wheelhouse, an image and a bundle want less of
it, with the same versions and hashes, on every platform. The result stands in `runtime.txt` and
`build.txt` beside this module; a test fails when they differ from it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires
from itertools import product
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.project import ROOT

RUNTIME, BUILD = (Path(__file__).with_name(name) for name in ("runtime.txt", "build.txt"))
_SYSTEMS = (("linux", "Linux", "posix"), ("darwin", "Darwin", "posix"), ("win32", "Windows", "nt"))
_PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_PLACES = tuple(  # where somebody may install it
    {
        "sys_platform": sys_platform,
        "platform_system": system,
        "os_name": os_name,
        "python_version": python,
        "python_full_version": f"{python}.0",
    }
    for (sys_platform, system, os_name), python in product(_SYSTEMS, _PYTHONS)
)


def pinned() -> dict[str, str]:
    """Return the lines of `constraints.txt` that pin each package, by its name."""
    blocks: dict[str, str] = {}
    name = ""
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines(keepends=True):
        if not line.startswith(" "):
            name = canonicalize_name(line.partition("==")[0])
        blocks[name] = blocks.get(name, "") + line
    return blocks


def needed(roots: Iterable[str]) -> set[str]:
    """Return the packages that some requirements lead to, on any of the platforms.

    What a package requires is asked of its installation in this environment. One that is not
    installed, because it is for another platform, is taken to require nothing.
    """
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(root), "") for root in roots]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not _holds_somewhere(requirement.marker, extra):
            continue
        name = canonicalize_name(requirement.name)
        found.add(name)
        for wanted in {"", *requirement.extras} - {e for n, e in seen if n == name}:
            seen.add((name, wanted))
            waiting += [(Requirement(text), wanted) for text in _requirements(name)]
    return found


def _requirements(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def _holds_somewhere(marker: Marker, extra: str) -> bool:
    return any(marker.evaluate({**place, "extra": extra}) for place in _PLACES)


def files() -> Mapping[Path, str]:
    """Return what each file should hold.

    Raises:
        KeyError: a package that is needed is not in `constraints.txt`.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    roots = {
        RUNTIME: project["project"]["dependencies"],
        BUILD: project["build-system"]["requires"],
    }
    blocks = pinned()
    return {
        path: "# Out of constraints.txt, by python -m release.pins\n"
        + "".join(blocks[name] for name in sorted(needed(texts)))
        for path, texts in roots.items()
    }


def requirements(path: Path) -> list[str]:
    """Return the pinned requirements of one of the files, with markers and without hashes."""
    lines = path.read_text("utf-8").splitlines()
    return [line.removesuffix(" \\") for line in lines if line[:1] not in ("", " ", "#")]


def main() -> None:
    """Write the files."""
    for path, text in files().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
