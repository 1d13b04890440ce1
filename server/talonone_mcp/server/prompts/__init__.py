"""The guided conversations: ours, and those that a user adds."""

from talonone_mcp.server.prompts.prompt_library import (
    LONGEST_LINE,
    LONGEST_TEXT,
    Argument,
    Prompt,
    PromptError,
    compile_prompts,
    load,
    offered,
)

__all__ = [
    "LONGEST_LINE",
    "LONGEST_TEXT",
    "Argument",
    "Prompt",
    "PromptError",
    "compile_prompts",
    "load",
    "offered",
]
