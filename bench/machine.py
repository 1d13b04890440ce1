"""What figures are figures of: the machine and the versions, without its name or its places."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("talonone-mcp", "mcp", "httpx", "starlette", "uvicorn", "jsonschema", "pydantic")


def machine() -> Mapping[str, str]:
    """Return what is known of this machine. Memory and processor are told by Linux alone."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    known = {
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": str(cores),
        "memory": _gigabytes(_field("/proc/meminfo", "MemTotal")),
        "system": f"{platform.system()} {platform.machine()}, {_distribution()}".rstrip(", "),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    return {name: value for name, value in known.items() if value} | {
        name: _version(name) for name in PACKAGES
    }


def _field(file: str, name: str) -> str:
    """Return the first value of a name in one of Linux's files, or ""."""
    try:
        lines = Path(file).read_text("utf-8").splitlines()
    except OSError:
        return ""
    values = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(values, "")


def _gigabytes(kilobytes: str) -> str:
    return f"{int(kilobytes.partition(' ')[0]) / 1024**2:.0f} GiB" if kilobytes else ""


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
