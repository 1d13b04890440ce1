"""How a question is laid out in a terminal: line by line, as it was written."""

from __future__ import annotations

import textwrap

from talonone_mcp.core.text import one_line

LINE_CHARS = 90
_INDENT = "    "


def question_lines(question: str, width: int = LINE_CHARS) -> list[str]:
    """Return the lines to print; what continues a line is indented, so that it is not a new one."""
    return [
        line
        for each in question.split("\n")
        for line in textwrap.wrap(
            one_line(each, len(each)),
            width,
            subsequent_indent=_INDENT,
            break_on_hyphens=False,
        )
    ]
