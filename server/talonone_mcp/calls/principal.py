"""In whose name a call is made: to whom approvals, lines of the audit log and exports belong."""

PRINCIPAL = "local"  # only this machine's user can reach the server
