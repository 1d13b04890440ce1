"""Reads the Dockerfile, since there is no engine to build it in a test."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath

from release.project import ROOT


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its keyword, its flags, and the rest of the line."""

    keyword: str
    flags: tuple[str, ...]
    rest: str

    @property
    def words(self) -> list[str]:
        """The words of the rest, of an array or of a shell's line."""
        words = json.loads(self.rest) if self.rest.startswith("[") else shlex.split(self.rest)
        return [str(word) for word in words]


def instructions() -> list[Instruction]:
    """Return the instructions of the Dockerfile."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [_instruction(line) for line in lines if line.strip()]


def _instruction(line: str) -> Instruction:
    keyword, rest = line.split(maxsplit=1)
    flags = []
    while rest.startswith("--"):
        flag, rest = rest.split(maxsplit=1)
        flags.append(flag)
    return Instruction(keyword, tuple(flags), rest.strip())


def stages() -> list[list[Instruction]]:
    """Return the instructions of each stage, each beginning with its FROM."""
    found: list[list[Instruction]] = []
    for each in instructions():
        if each.keyword == "FROM":
            found.append([])
        if found:
            found[-1].append(each)
    return found


def pairs(stage: list[Instruction], keyword: str) -> dict[str, str]:
    """Return the names and values of LABEL or ENV."""
    words = [word for each in stage if each.keyword == keyword for word in each.words]
    return dict(word.split("=", 1) for word in words)


def one(stage: list[Instruction], keyword: str) -> Instruction:
    """Return the one instruction of its kind."""
    [found] = [each for each in stage if each.keyword == keyword]
    return found


def is_sent(path: str) -> bool:
    """Tell whether `.dockerignore` lets a file through to the engine: the last match decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        exception = pattern.startswith("!")
        if _matches(path, pattern.removeprefix("!")):
            sent = exception
    return sent


def _matches(path: str, pattern: str) -> bool:
    """Match as the engine does: a pattern for a folder is one for all that is below it."""
    parts = PurePosixPath(path).parts
    above = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    if pattern.startswith("**/"):
        return any(fnmatch(part, pattern.removeprefix("**/")) for part in parts)
    return any(fnmatch(each, pattern) and each.count("/") == pattern.count("/") for each in above)
