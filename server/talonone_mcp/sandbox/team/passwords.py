"""Passwords, stored as salted hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from talonone_mcp.sandbox.documents.document_store import DocumentStore

_ROUNDS = 10_000  # a practice account: enough that no password stands in its file


def hashed(password: str, salt: bytes | None = None) -> str:
    """Return the hash of a password; it is deterministic for a salt."""
    salt = salt or secrets.token_bytes(16)
    return f"{salt.hex()}:{hashlib.pbkdf2_hmac('sha256', password.encode(), salt, _ROUNDS).hex()}"


def set_password(store: DocumentStore, user_id: int, password: str) -> None:
    """Set a user's password."""
    store.delete("passwords", user_id)
    store.add("passwords", {"id": user_id, "hash": hashed(password)})


def is_password(store: DocumentStore, user_id: int, password: str) -> bool:
    """Return whether a user logs in with this password; False if they have none."""
    known = store.get("passwords", user_id)
    if known is None:
        return False
    salt, _, _ = known["hash"].partition(":")
    return hmac.compare_digest(known["hash"], hashed(password, bytes.fromhex(salt)))
