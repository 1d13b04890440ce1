"""The audit log: what was called, by whom, on whose approval, and how it ended."""

from talonone_mcp.store.audit.audit_log import AuditError, AuditLog
from talonone_mcp.store.audit.file_audit_log import FileAuditLog
from talonone_mcp.store.audit.verification import Verdict, verify

__all__ = ["AuditError", "AuditLog", "FileAuditLog", "Verdict", "verify"]
