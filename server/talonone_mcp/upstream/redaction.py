"""Removes secrets from what upstream sends: it may repeat what it was sent."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable

REDACTED = "[secret]"


class Redaction:
    """Knows secrets in every form in which an answer may hold them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the secrets; empty ones are ignored."""
        self._secrets = tuple(filter(None, secrets))
        forms = {form for secret in self._secrets for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms)))

    def and_of(self, secrets: Iterable[str]) -> Redaction:
        """Return a redaction that knows these secrets too."""
        return Redaction((*self._secrets, *secrets))

    def text(self, text: str) -> str:
        """Return `text` without the secrets."""
        if any(form in text for form in self._forms):
            return self._pattern.sub(REDACTED, text)
        return text

    def stream(self) -> RedactedStream:
        """Return the same for UTF-8 text that comes in pieces."""
        return RedactedStream([form.encode("utf-8", "replace") for form in self._forms])


class RedactedStream:
    """Removes secrets and a byte order mark from text in pieces, wherever it is cut."""

    def __init__(self, forms: list[bytes]) -> None:
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, self._forms)))
        longest = max(map(len, forms), default=0)
        self._held_back = max(longest - 1, len(codecs.BOM_UTF8))
        self._rest = b""
        self._begun = False

    def feed(self, piece: bytes) -> bytes:
        """Return what is certain to hold no secret after this piece."""
        held = self._held_back
        if self._begun and len(piece) > held and not self._found_in(piece):
            self._rest, rest = piece[-held:], self._rest
            return b"".join((rest, memoryview(piece)[:-held]))
        data = self._without_mark(self._rest + piece)
        return self._take(data, len(data) - self._held_back)

    def end(self) -> bytes:
        """Return what is left after the last piece."""
        data = self._without_mark(self._rest)
        return self._take(data, len(data))

    def _found_in(self, piece: bytes) -> bool:
        """Return whether a secret lies in the piece, or across its beginning."""
        border = self._rest + piece[: self._held_back]
        return any(form in piece or form in border for form in self._forms)

    def _without_mark(self, data: bytes) -> bytes:
        if self._begun or len(data) < len(codecs.BOM_UTF8):
            return data
        self._begun = True
        return data.removeprefix(codecs.BOM_UTF8)

    def _take(self, data: bytes, until: int) -> bytes:
        """Return the data without the secrets that begin before `until`, and keep the rest."""
        if until <= 0:
            self._rest = data
            return b""
        if not any(form in data for form in self._forms):
            self._rest = data[until:]
            return data[:until]
        taken, at = [], 0
        for found in self._pattern.finditer(data):
            if found.start() >= until:
                break
            taken += [data[at : found.start()], REDACTED.encode()]
            at = found.end()
        if at < until:
            taken.append(data[at:until])
        self._rest = data[max(at, until) :]
        return b"".join(taken)


def _forms(secret: str) -> set[str]:
    """Return a secret as it is, and as escaped in JSON and in JSON within JSON."""
    forms = {secret}
    for _ in range(2):
        forms |= {json.dumps(f, ensure_ascii=a)[1:-1] for f in forms for a in (True, False)}
    return forms
