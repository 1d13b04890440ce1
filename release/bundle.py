"""Builds the `.mcpb` bundle for Claude Desktop out of a wheel.

    python -m release.bundle WHEEL FOLDER

The bundle is of the type `uv`: it holds this package and names its dependencies, and the host,
which brings uv and a Python along, installs them at the first start. Several dependencies are
compiled, so a bundle that held them would run on one system and one version of Python alone. The
format is https://github.com/modelcontextprotocol/mcpb/blob/main/MANIFEST.md, version 0.4. The same
wheel always gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from release import launcher, pins
from release.asked import Asked, asked
from release.project import TITLE, VERSION, metadata
from talonone_mcp.core import catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.surface.tool_list import surface

ICON = Path(__file__).with_name("icon.png")
SERVER = "server.py"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_FLAGS: Mapping[str, dict[str, Any]] = {
    "profile": {
        "type": "string",
        "title": "Job",
        "description": "Whose job's tools are listed: {profiles}. All others stay findable.",
        "default": "",
    },
    "read_only": {
        "type": "boolean",
        "title": "Read only",
        "description": "Allow nothing but reading.",
        "default": False,
    },
    "mask_pii": {
        "type": "boolean",
        "title": "Mask personal data",
        "description": "Mask e-mail addresses, phone numbers and people's names in answers.",
        "default": False,
    },
}


def manifest() -> dict[str, Any]:
    """Return what `manifest.json` holds."""
    project = metadata()
    return {
        "manifest_version": "0.4",
        "name": project["name"],
        "display_name": TITLE,
        "version": VERSION,
        "description": project["description"],
        "author": project["authors"][0],
        "license": project["license"],
        "keywords": project["keywords"],
        "icon": ICON.name,
        "server": {"type": "uv", "entry_point": SERVER, "mcp_config": _start()},
        "user_config": _questions(),
        "tools": [{"name": tool.name, "description": tool.title or ""} for tool in _tools()],
        "tools_generated": True,
        "prompts_generated": True,
        "compatibility": {
            "platforms": ["darwin", "win32", "linux"],
            "runtimes": {"python": project["requires-python"]},
        },
    }


def _start() -> dict[str, Any]:
    flags = [f"--{name.replace('_', '-')}=${{user_config.{name}}}" for name in _FLAGS]
    return {
        "command": "uv",
        "args": ["run", "--directory", "${__dirname}", SERVER, "serve", *flags],
        "env": {each.variable: f"${{user_config.{each.attribute}}}" for each in asked()},
    }


def _questions() -> dict[str, dict[str, Any]]:
    profiles = ", ".join(catalog.load().profiles)
    flags = {
        name: {**question, "description": question["description"].format(profiles=profiles)}
        for name, question in _FLAGS.items()
    }
    return {each.attribute: _question(each) for each in asked()} | flags


def _question(setting: Asked) -> dict[str, Any]:
    question: dict[str, Any] = {
        "type": "directory" if setting.folder else "string",
        "title": setting.title,
        "description": setting.description,
        "required": setting.required,
    }
    if setting.secret:
        question["sensitive"] = True
    if not setting.required:
        question["default"] = ""  # without it, a blank field reaches the server as a placeholder
    return question


def _tools() -> Any:
    return surface(catalog.load(), load_settings({"sandbox": True}, {})).tools


def project_file() -> str:
    """Return the bundle's `pyproject.toml`: the dependencies of the wheel, pinned."""
    project = metadata()
    lines = [
        "[project]",
        f'name = "{project["name"]}-bundle"',
        f'version = "{VERSION}"',
        f'requires-python = "{project["requires-python"]}"',
        "dependencies = [",
        *(f"    {json.dumps(each)}," for each in pins.requirements(pins.RUNTIME)),
        "]",
        "",
        "[tool.uv]",
        "package = false  # the package stands beside server.py; nothing is built",
    ]
    return "\n".join(lines) + "\n"


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the bundle's files by name."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        files = {name: archive.read(name) for name in names if name.startswith("talonone_mcp/")}
        [licence] = [name for name in names if name.endswith("/licenses/LICENSE")]
        files["LICENSE"] = archive.read(licence)
    described = json.dumps(manifest(), indent=2, ensure_ascii=False) + "\n"
    return files | {
        "manifest.json": described.encode(),
        "pyproject.toml": project_file().encode(),
        SERVER: Path(launcher.__file__).read_bytes(),
        ICON.name: ICON.read_bytes(),
    }


def build(wheel: Path, folder: Path) -> Path:
    """Write the bundle into a folder, and return its path.

    Raises:
        ValueError: the wheel is of another version.
    """
    if f"-{VERSION}-" not in wheel.name:
        raise ValueError(f"{wheel.name} is not of version {VERSION}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"talonone-mcp-{VERSION}.mcpb"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in sorted(contents(wheel).items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, whatever it is built on
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return path


def main() -> int:
    """Build the bundle that the command line asks for."""
    parser = argparse.ArgumentParser(description="Build the .mcpb bundle.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    try:
        print(build(options.wheel, options.folder))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        print(f"release.bundle: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
