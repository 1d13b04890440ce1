"""Wraps a question, so that each of its lines is still seen as one."""

from __future__ import annotations

import textwrap

from talonone_mcp.core.text import one_line

_INDENT = "    "  # of what continues a line, so that it cannot pass for a new one


def question_lines(question: str, width: int) -> list[str]:
    """Return the lines of a question, cleaned, in at most `width` characters each."""
    return [
        wrapped
        for line in question.split("\n")
        for wrapped in textwrap.wrap(
            one_line(line, len(line)), width, subsequent_indent=_INDENT, break_on_hyphens=False
        )
    ]
