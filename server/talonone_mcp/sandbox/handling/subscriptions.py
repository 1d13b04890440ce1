"""Which Applications an entity of the account is for: those that it lists, or all."""

from __future__ import annotations

from collections.abc import Sequence

from talonone_mcp.sandbox.documents.conditions import Where, either, equal, holds
from talonone_mcp.sandbox.documents.document_store import DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError


def available_in(field: str, applications: str | None) -> Where:
    """Match what is available in any of some Applications.

    Args:
        field: the list of Applications; an empty one stands for all.
        applications: ids, separated by commas; None does not filter.
    """
    if not applications:
        return None
    numbers = [int(each) for each in applications.split(",") if each.strip().isdecimal()]
    return either(equal(field, []), *(holds(field, number) for number in numbers))


def check_subscriptions(store: DocumentStore, applications: Sequence[int]) -> None:
    """Refuse Applications that do not exist.

    Raises:
        RefusalError: 400.
    """
    for number in applications:
        if store.get("applications", number) is None:
            said = f"application {number} does not exist"
            raise RefusalError(400, said, pointer="/subscribedApplicationsIds")
