"""Writes the reference of the prompts, `docs/prompts.md`, from their files.

    python -m talonone_mcp.docs_prompts > docs/prompts.md

A test fails when the file in the repository is not what this writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from talonone_mcp.core import catalog
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.server import prompts
from talonone_mcp.server.prompts import LONGEST_LINE, LONGEST_TEXT, Argument, Prompt
from talonone_mcp.server.prompts.own_prompts import LARGEST, MOST
from talonone_mcp.server.prompts.prompt_parser import COMPLETED

_HEAD = f"""\
# Prompts

Made from `prompts/*.md` by `python -m talonone_mcp.docs_prompts`; do not edit.

A prompt is a conversation with a plan: it tells the model the order of work, what to ask you, when
to stop, and what never to do. Hosts offer prompts as commands, such as `/issue_coupon`. What a
prompt calls goes through the same gate as every call: a prompt confirms nothing.

What you enter reaches the model as data, without invisible characters: on one line in quotation
marks, at most {LONGEST_LINE} characters; a text of several lines behind `>`, at most
{LONGEST_TEXT:,} characters. Where the ids are known, the resources that a prompt starts from come
with it.
"""
_OWN = f"""
## Your own

`talonone-mcp serve --prompts DIR` offers the `.md` files of a folder beside these, whatever the
profile; a file with the name of one of ours takes its place. Files are read at start: at most
{MOST}, of {LARGEST // 1024} KB each, in UTF-8. A README, and what is in folders below, is left
alone, and a link must stay within the folder. What cannot be used is named on stderr, with file and
line, and the rest is offered.

```markdown
---
name: thank_a_customer            # as the file: thank_a_customer.md
title: Thank a customer
description: Find out what a customer bought, and draft a note.
arguments:
  - name: customer
    description: The customer's integration id.
    required: true                # false unless said
    complete: customer            # or values: [a, b], to complete from
  - name: occasion
    description: What for.
    text: true                    # may have several lines
tools: [get_customer_inventory]   # what it leans on
resources: [talonone://applications]
---
Look with get_customer_inventory at what {{customer}} has.

{{occasion|Nobody has said what for: ask me.}}
```

| in the text | what the model sees |
| --- | --- |
| `{{argument}}` | what was entered, quoted; nothing when nothing was |
| `{{argument\\|text}}` | the same, or the text when nothing was entered |
| `{{{{name}}}}` | `{{{{name}}}}`: two braces stay as they are |

`complete` is one of {", ".join(f"`{kind}`" for kind in COMPLETED)}. `resources` are URIs, in which
`{{argument}}` stands for an argument; one is left out until all of its arguments are known, ids as
numbers. An argument with `text: true` stands on a line of its own.
"""


def reference(shown: Mapping[str, Prompt], known: Catalog) -> str:
    """Return the whole reference as Markdown.

    Args:
        shown: the prompts by name.
        known: the catalog, whose profiles name prompts.
    """
    parts = [_HEAD, "| prompt | what for | profiles |", "| --- | --- | --- |"]
    for prompt in shown.values():
        jobs = (f"`{p.name}`" for p in known.profiles.values() if prompt.name in p.prompts)
        title = f"[{prompt.title}](#{prompt.name})"
        parts.append(f"| {title} | {prompt.description} | {', '.join(jobs)} |")
    for prompt in shown.values():
        parts += ["", *_section(prompt)]
    return "\n".join(parts) + "\n" + _OWN


def _section(prompt: Prompt) -> Iterator[str]:
    yield f"## {prompt.name}"
    yield ""
    yield prompt.description
    yield ""
    yield "| argument | what | completed from |"
    yield "| --- | --- | --- |"
    for argument in prompt.arguments:
        name = f"**{argument.name}**" if argument.required else argument.name
        yield f"| {name} | {argument.description} | {_completed(argument)} |"
    yield ""
    yield f"Tools: {', '.join(f'`{name}`' for name in prompt.tools)}."
    if prompt.resources:
        yield f"Resources: {', '.join(f'`{uri}`' for uri in prompt.resources)}."


def _completed(argument: Argument) -> str:
    return ", ".join(argument.values) or argument.complete.replace("_", " ")


if __name__ == "__main__":
    sys.stdout.write(reference(prompts.load(), catalog.load()))
