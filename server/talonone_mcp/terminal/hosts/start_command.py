"""The command with which a host starts this installation.

A host has a different PATH and working directory than the terminal, so the command is absolute.
`uvx` runs from a cache that may be emptied; there, the command is `uvx` itself.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

_NAME = "talonone-mcp"
_MODULE = "talonone_mcp"
_UV_CACHE_FOLDERS = ("archive-v", "environments-v", "builds-v")  # a version number follows


def command() -> list[str]:
    """Return the command, with its first arguments, that started this process."""
    uvx = shutil.which("uvx")
    if uvx and any(part.startswith(_UV_CACHE_FOLDERS) for part in Path(sys.prefix).parts):
        source = _source()
        return [uvx, *(["--from", source] if source else []), _NAME]
    started = Path(sys.argv[0])
    if started.stem == _NAME:
        found = shutil.which(str(started))
        return [os.path.abspath(found or started)]  # noqa: PTH100 - a link of pipx stays one
    beside = shutil.which(_NAME, path=str(Path(sys.executable).parent))
    return [beside] if beside else [sys.executable, "-m", _MODULE]


def is_ours(entry: object) -> bool:
    """Tell whether a host's entry starts this program, from any installation."""
    if not isinstance(entry, dict):
        return False
    started, arguments = entry.get("command"), entry.get("args", [])
    words = arguments if isinstance(arguments, list) else []
    named = isinstance(started, str) and Path(started.replace("\\", "/")).stem == _NAME
    return named or _NAME in words or _MODULE in words


def _source() -> str | None:
    """Return what the package was installed from; None if that was the package index.

    https://packaging.python.org/specifications/direct-url/
    """
    try:
        record = json.loads(distribution(_NAME).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return None
    url = record.get("url", "")
    if url.startswith("file:"):
        return url2pathname(urlsplit(url).path)
    commit = record.get("vcs_info", {}).get("commit_id")
    return f"git+{url}@{commit}" if commit else url or None
