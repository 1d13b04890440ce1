"""Tell by its name whether a field holds a secret: `inviteToken` does, `maxTokens` does not."""

from __future__ import annotations

import re
from functools import lru_cache

MAX_NAME_CHARS = 100  # longer keys are data, not names

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# The last word of a name tells what it holds. It may be written together: `accesstoken`.
_SECRET_WORDS = (
    "token", "secret", "password", "passwd", "passphrase", "authorization", "authorisation",
    "credential", "bearer", "cookie", "jwt", "apikey", "privatekey", "secretkey", "accesskey",
    "authkey",
)  # fmt: skip
_WHOLE_WORDS = {"pwd", "pass", "auth", "signature"}  # too short, or too usual, as an ending
_KINDS_OF_KEY = {
    "access", "api", "auth", "encryption", "functions", "hmac", "management", "master", "private",
    "secret", "shared", "signing", "ssh", "subscription",
}  # fmt: skip
_SAYS_NOTHING = {"hash", "header", "plain", "raw", "string", "text", "value"}  # `passwordHash`
_PLACES_IN_A_LIST = {"continuation", "cursor", "next", "page", "previous", "sync"}
_COUNTS = {"max", "min", "num", "total"}


@lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """Return whether a field of this name holds a secret, in any spelling of the name."""
    if len(name) > MAX_NAME_CHARS:
        return False
    words: list[str] = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and words[-1] in _SAYS_NOTHING:
        words.pop()
    if not words or {*words[:-1]} & (_PLACES_IN_A_LIST | _COUNTS | {"idempotency"}):
        return False
    last = words[-1].removesuffix("s")
    if last == "key":
        return len(words) > 1 and words[-2] in _KINDS_OF_KEY
    if {last, words[-1]} & _WHOLE_WORDS:
        return len(words) == 1 or words[-2] in {"basic", "user", "db", "x"}
    return last.endswith(_SECRET_WORDS)


def is_plural(name: str) -> bool:
    """Return whether a number under this name may be a count: `tokens`."""
    return name.endswith(("s", "S"))
