"""Leads a call to what answers it: a door, a workflow or an operation.

Whoever makes calls, a client or a person at the terminal, makes them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talonone_mcp import workflows
from talonone_mcp.calls.executor import Executor
from talonone_mcp.calls.gate import Caller
from talonone_mcp.core.catalog import Catalog, Workflow
from talonone_mcp.core.csv_masking import mask_csv
from talonone_mcp.core.masking import mask_personal, names_people
from talonone_mcp.surface.door_calls import DoorCalls
from talonone_mcp.surface.doors import FIND, READ, RUN


class Dispatch:
    """Everything that can be called by name."""

    def __init__(
        self, catalog: Catalog, executor: Executor, *, read_only: bool, masked: bool
    ) -> None:
        """Take what answers calls.

        Args:
            catalog: every operation and workflow.
            executor: runs them.
            read_only: whether the doors lead to reads alone.
            masked: whether personal data is taken out of what is shown.
        """
        self.executor = executor
        self._masked = masked
        self._catalog = catalog
        self._doors = DoorCalls(catalog, read_only=read_only)

    def resolved(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """Return what is really called: of a door that leads to an operation, that operation.

        Raises:
            CallError: `invalid_arguments`, when the door does not take them.
        """
        return self._doors.operation(name, arguments) if name in (READ, RUN) else (name, arguments)

    async def call(
        self, name: str, arguments: Mapping[str, Any], caller: Caller, *, whole: bool = False
    ) -> dict[str, Any]:
        """Answer one call.

        Args:
            name: as `resolved` returns it.
            arguments: likewise.
            caller: who makes it.
            whole: whether to return all that an operation answers, and not what a model is shown.

        Raises:
            CallError: it did not succeed, or may not be made.
        """
        if name == FIND:
            return self._doors.find(arguments)
        tool = self._catalog.find(name)
        if isinstance(tool, Workflow):
            return await workflows.run(tool, arguments, caller, self.executor)
        if whole:
            return await self.executor.whole(name, arguments, caller)
        return await self.executor.call(name, arguments, caller)

    def shown(self, name: str, content: dict[str, Any]) -> dict[str, Any]:
        """Return what may be shown of an answer, or of an error, of a call by that name."""
        if not self._masked:
            return content
        if isinstance(content.get("csv"), str):
            content = content | {"csv": mask_csv(content["csv"])}
        tool = self._catalog.find(name)
        masked: dict[str, Any] = mask_personal(
            content, people=tool is not None and names_people(tool)
        )
        return masked
