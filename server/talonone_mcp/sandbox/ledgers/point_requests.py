"""Points to add or deduct, as a request's body describes them."""

from __future__ import annotations

from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.ledgers.additions import add_points
from talonone_mcp.sandbox.ledgers.points import PointsCause, PointsHolder


def add_asked(call: SandboxCall, program: Document, holder: PointsHolder) -> None:
    """Add the points that a request's body describes."""
    asked = call.arguments
    add_points(
        call,
        holder,
        asked["points"],
        subledger=asked.get("subledgerId", ""),
        pending=asked.get("pendingUntil", asked.get("pendingDuration")),
        validity=asked.get("validUntil", asked.get("validityDuration")),
        cause=cause_asked(call, program),
    )


def cause_asked(call: SandboxCall, program: Document) -> PointsCause:
    """Return the reason that a request's body gives for adding or deducting points.

    Raises:
        RefusalError: 400, when the program is not connected to the Application.
    """
    application = call.arguments.get("applicationId")
    if application not in (None, *program["subscribedApplications"]):
        raise RefusalError(
            400, "the program is not connected to this application", pointer="/applicationId"
        )
    return PointsCause(name=call.arguments.get("name", ""), application_id=application)
