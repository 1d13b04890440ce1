"""The guided conversations: `prompts/*.md`, each with front matter and a template.

A template's `{argument}` is replaced by what the person entered, `{argument|text}` by the text
when they entered nothing. An installed package carries the prompts compiled, as it does the
catalog.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from talonone_mcp.text import clean

_COMPILED = Path(__file__).parent / "prompts.json"
_CHECKOUT = Path(__file__).parents[2] / "prompts"
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{(\w+)(?:\|([^}]*))?\}")


class PromptError(ValueError):
    """A prompt file, or what was entered for a prompt, cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Argument:
    """Something that the person enters."""

    name: str
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """One guided conversation and the tools that it leans on."""

    name: str
    title: str
    description: str
    arguments: Sequence[Argument]
    tools: Sequence[str]
    template: str

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Prompt:
        """Rebuild a prompt from its JSON form."""
        arguments = tuple(Argument(**argument) for argument in record["arguments"])
        return cls(**{**record, "arguments": arguments})

    def render(self, entered: Mapping[str, str]) -> str:
        """Fill in the template.

        Raises:
            PromptError: a required argument is missing, or an unknown one given.
        """
        values = {name: clean(value).strip() for name, value in entered.items()}
        if missing := [a.name for a in self.arguments if a.required and not values.get(a.name)]:
            raise PromptError(f"{self.name} needs {', '.join(missing)}")
        if unknown := values.keys() - {argument.name for argument in self.arguments}:
            raise PromptError(f"{self.name} has no {', '.join(sorted(unknown))}")
        return _PLACEHOLDER.sub(lambda m: values.get(m[1]) or m[2] or "", self.template)


@cache
def load() -> Mapping[str, Prompt]:
    """Return the prompts of this installation by name, read once a process.

    Raises:
        PromptError: a file in `prompts/` has no front matter, or an incomplete one.
    """
    if _COMPILED.is_file():
        records = json.loads(_COMPILED.read_bytes())
    else:
        records = compile_prompts(_CHECKOUT)
    return {record["name"]: Prompt.from_compiled(record) for record in records}


def compile_prompts(folder: Path) -> list[dict[str, Any]]:
    """Read every prompt file in `folder` into its JSON form.

    Raises:
        PromptError: a file cannot be used; the message names it.
    """
    return [_compile(path) for path in sorted(folder.glob("*.md"))]


def _compile(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - an installed server parses no YAML

    parts = _FRONT_MATTER.match(path.read_text("utf-8"))
    if parts is None:
        raise PromptError(f"{path.name} does not begin with front matter between two lines of ---")
    try:
        front = yaml.safe_load(parts[1])
        record = {key: front[key] for key in ("name", "title", "description", "tools")}
        record["arguments"] = [
            {
                "name": a["name"],
                "description": a["description"],
                "required": a.get("required", False),
            }
            for a in front.get("arguments", [])
        ]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise PromptError(f"{path.name}: front matter: {type(error).__name__} {error}") from None
    return record | {"template": parts[2].strip()}
