"""Logs what each request changed, exported and sent.

Each log keeps little more than its latest 10,000 entries (`logs/retention.py`), and an entry is one
small row. So logging costs a request little, and a sandbox that runs for months does not grow.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport
from talonone_mcp.sandbox.logs import audit_log, export_log
from talonone_mcp.sandbox.logs.audit_log import Reads
from talonone_mcp.sandbox.loyalty import notifications


def carry_out(call: SandboxCall, handler: Handler, reads: Reads) -> Reply:
    """Handle a request and log what it changed, exported and sent, in one transaction.

    Args:
        call: the request.
        handler: what answers it.
        reads: what shows the state before and after, by path.

    Raises:
        RefusalError: it is refused; nothing is logged.
    """
    old = audit_log.state_of(call, reads)
    first_entry = notifications.entries_before(call)
    reply = handler(call)
    if first_entry is not None:
        notifications.notify(call, first_entry)
    if isinstance(reply[1], CsvExport):
        export_log.record_export(call)
    elif reply[0] < HTTPStatus.BAD_REQUEST and audit_log.is_change(call.operation):
        audit_log.record_change(call, old, reply, reads)
    return reply


def reads_of(catalog: Catalog, handlers: Mapping[str, Handler]) -> Reads:
    """Return the operation that reads a single entity, by the path's template."""
    return {
        operation.path: (operation, handlers[operation.name])
        for operation in catalog
        if operation.method == "GET"
        and operation.path.endswith("}")
        and operation.name in handlers
        and set(operation.input_schema.get("required", ())) <= set(operation.path_arguments)
    }
