"""Customer sessions as they are stored and found, dry runs, and erasure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from talonone_mcp.sandbox.documents.conditions import Where, equal, within
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import SandboxCall


def find_session(store: DocumentStore, application: int, integration_id: str) -> Document | None:
    """Return a session of an Application by the shop's id."""
    return store.find("sessions", f"{application}/{integration_id}")


def existing(call: SandboxCall) -> Document:
    """Return the session that a request of the Integration API names.

    Raises:
        RefusalError: 404, when the Application does not have it.
    """
    name = call.arguments["customerSessionId"]
    session = find_session(call.store, call.application_id or 0, name)
    if session is None:
        raise RefusalError(404, f"session {name} does not exist", resource="customerSession")
    return session


def of_customer(application: int, integration_id: str) -> tuple[Where, ...]:
    """Match the sessions of a customer in an Application."""
    return equal("applicationId", application), equal("profileId", integration_id)


def sessions_of(
    store: DocumentStore,
    application: int,
    integration_id: str,
    start: str | None = None,
    end: str | None = None,
) -> list[Document]:
    """Return the sessions of a customer in an Application, by their ids.

    Args:
        store: where they are.
        application: its number.
        integration_id: the customer.
        start: the earliest creation, a time in the store's format.
        end: the latest.
    """
    created = within("created", start, end)
    return store.select("sessions", *of_customer(application, integration_id), created)


def erase(store: DocumentStore, integration_id: str) -> None:
    """Erase a customer's personal data from their sessions in all Applications."""
    for application in store.select("applications"):
        for session in store.each("sessions", *of_customer(application["id"], integration_id)):
            store.replace("sessions", session | {"attributes": {}, "identifiers": []})


@contextmanager
def rehearsed(call: SandboxCall, *, dry: bool) -> Iterator[None]:
    """Undo the changes made inside if this is a dry run."""
    if not dry:
        yield
        return
    with call.store.rehearsal():
        yield


def code_rows(session: Document) -> Iterator[Document]:
    """Yield the searchable codes of a session, in upper case."""
    codes = {"coupon": session["couponCodes"], "referral": [session["referralCode"]]}
    for kind, each in codes.items():
        for code in filter(None, each):
            found_by = {"applicationId": session["applicationId"], "kind": kind}
            yield found_by | {"code": code.upper()}
