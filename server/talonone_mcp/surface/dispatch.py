"""Route a call to a door, a workflow or an operation.

Every caller comes through here: a client's tool call, a resource, a person at the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from talonone_mcp import workflows
from talonone_mcp.calls.admission import RehearsedError
from talonone_mcp.calls.caller import Caller
from talonone_mcp.calls.executor import Executor, no_such_tool
from talonone_mcp.calls.explained import Explained
from talonone_mcp.core.catalog import Catalog, Operation, Tool, Workflow
from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.csv_masking import mask_csv
from talonone_mcp.core.masking import mask_personal, names_people
from talonone_mcp.surface.doors import FIND, READ, RUN, Doors
from talonone_mcp.surface.server_info import INFO, server_info


@dataclass(frozen=True, slots=True)
class ResolvedCall:
    """A call after opening doors: the tool to run, or None and the name for one of our own."""

    tool: Tool | None
    arguments: Mapping[str, Any]
    own: str = ""


class Dispatch:
    """Resolves calls by name and runs them."""

    def __init__(
        self,
        catalog: Catalog,
        executor: Executor,
        *,
        read_only: bool,
        masked: bool,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Set up dispatch.

        Args:
            catalog: every operation and workflow.
            executor: runs operations.
            read_only: whether the doors lead only to reads.
            masked: whether to mask personal data in answers.
            clock: the current time for workflows.
        """
        self._executor = executor
        self._masked = masked
        self._catalog = catalog
        self._clock = clock
        self._doors = Doors(catalog, read_only=read_only)

    def resolve(self, name: str, arguments: Mapping[str, Any]) -> ResolvedCall:
        """Return the call that this name and these arguments stand for.

        Raises:
            CallError: `not_found`, or `invalid_arguments` if a door rejects the arguments.
        """
        if name in (FIND, INFO):
            return ResolvedCall(None, arguments, name)
        if name in (READ, RUN):
            name, arguments = self._doors.opened(name, arguments)
        tool = self._catalog.find(name)
        if tool is None:
            raise no_such_tool(self._catalog, name)
        return ResolvedCall(tool, arguments)

    async def call(
        self, call: ResolvedCall, caller: Caller, *, in_full: bool = False
    ) -> dict[str, Any]:
        """Run one call and return its answer.

        Args:
            call: the result of `resolve`.
            caller: who makes the call.
            in_full: whether to return an operation's complete answer, not shaped for a model.

        Raises:
            CallError: the call failed or is not allowed.
            QuestionOpenError: a person must confirm it first.
        """
        tool, arguments = call.tool, call.arguments
        if isinstance(tool, Workflow):
            return await workflows.run(tool, arguments, caller, self._executor, self._clock)
        if isinstance(tool, Operation):
            run = self._executor.call_in_full if in_full else self._executor.call
            return await run(tool, arguments, caller)
        if call.own == INFO:
            return await server_info(arguments, caller, self._executor, self._catalog.policy)
        return self._doors.find(arguments)

    async def explain(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> Explained:
        """Return what a call would do, and whether a person would be asked. Nothing is changed.

        A workflow is explained by its plan, or by the first of its calls that changes something.

        Raises:
            CallError: the call would be refused.
        """
        call = self.resolve(name, arguments)
        if call.tool is None or call.tool.is_read:
            return Explained(name, (), asked=False, because="it only reads", question="")
        if isinstance(call.tool, Operation):
            return await self._executor.explain(call.tool, call.arguments, caller)
        try:
            await self.call(call, replace(caller, rehearses=True))
        except RehearsedError as reached:
            return replace(reached.explained, operation=call.tool.name)
        return Explained(
            call.tool.name, (), asked=False, because="it would change nothing", question=""
        )

    def shown(self, tool: Tool | None, content: dict[str, Any]) -> dict[str, Any]:
        """Return a tool's answer or error as it may be shown: masked if configured."""
        if not self._masked:
            return content
        if isinstance(content.get("csv"), str):
            content = content | {"csv": mask_csv(content["csv"])}
        people = tool is not None and names_people(tool)
        masked: dict[str, Any] = mask_personal(content, people=people)
        return masked
