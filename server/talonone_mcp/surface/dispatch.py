"""Leads a call to what answers it: a door, a workflow or an operation.

Whoever calls comes through here: a client's tool call, a resource, a person at the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from talonone_mcp import workflows
from talonone_mcp.calls.caller import Caller
from talonone_mcp.calls.executor import Executor, no_such_tool
from talonone_mcp.core.catalog import Catalog, Operation, Tool, Workflow
from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.csv_masking import mask_csv
from talonone_mcp.core.masking import mask_personal, names_people
from talonone_mcp.surface.doors import FIND, READ, RUN, Doors


@dataclass(frozen=True, slots=True)
class ResolvedCall:
    """What is really called: behind a door, the tool that it leads to. None is the search."""

    tool: Tool | None
    arguments: Mapping[str, Any]


class Dispatch:
    """Everything that can be called by name."""

    def __init__(
        self,
        catalog: Catalog,
        executor: Executor,
        *,
        read_only: bool,
        masked: bool,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Take what answers calls.

        Args:
            catalog: every operation and workflow.
            executor: runs them.
            read_only: whether the doors lead only to reads.
            masked: whether personal data is taken out of what is shown.
            clock: the time that workflows judge by.
        """
        self._executor = executor
        self._masked = masked
        self._catalog = catalog
        self._clock = clock
        self._doors = Doors(catalog, read_only=read_only)

    def resolve(self, name: str, arguments: Mapping[str, Any]) -> ResolvedCall:
        """Return what a call by this name really calls.

        Raises:
            CallError: `not_found`, or `invalid_arguments` when a door does not take them.
        """
        if name == FIND:
            return ResolvedCall(None, arguments)
        if name in (READ, RUN):
            name, arguments = self._doors.opened(name, arguments)
        tool = self._catalog.find(name)
        if tool is None:
            raise no_such_tool(self._catalog, name)
        return ResolvedCall(tool, arguments)

    async def call(
        self, call: ResolvedCall, caller: Caller, *, in_full: bool = False
    ) -> dict[str, Any]:
        """Answer one call.

        Args:
            call: as `resolve` returned it.
            caller: who makes it.
            in_full: whether to return all that an operation answers, and not what a model is shown.

        Raises:
            CallError: it did not succeed, or is not allowed.
            QuestionOpenError: a person has to confirm it first.
        """
        tool, arguments = call.tool, call.arguments
        if isinstance(tool, Workflow):
            return await workflows.run(tool, arguments, caller, self._executor, self._clock)
        if isinstance(tool, Operation):
            run = self._executor.call_in_full if in_full else self._executor.call
            return await run(tool, arguments, caller)
        return self._doors.find(arguments)

    def shown(self, tool: Tool | None, content: dict[str, Any]) -> dict[str, Any]:
        """Return what may be shown of a tool's answer, or of its error."""
        if not self._masked:
            return content
        if isinstance(content.get("csv"), str):
            content = content | {"csv": mask_csv(content["csv"])}
        people = tool is not None and names_people(tool)
        masked: dict[str, Any] = mask_personal(content, people=people)
        return masked
