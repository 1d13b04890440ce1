"""The approver's passphrase: what a person knows and an agent in a terminal of its own does not.

Only a scrypt hash of it is kept. A file that cannot be understood is an error and never "none is
set": otherwise damaging it would be a way around it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "approver.json"
SHORTEST = 8  # characters
_VERSION = 1
_N, _R, _P = 32768, 8, 1  # 32 MiB and about a tenth of a second for each guess
_MOST_MEMORY = 64 * 2**20  # bytes; hashlib's own limit lies below what these parameters need
_SALT = 16  # bytes
_HASH = 32  # bytes


class PassphraseError(Exception):
    """The passphrase cannot be read or written; the message says why. Nobody may approve."""


@dataclass(frozen=True, slots=True)
class _Kept:
    salt: bytes
    n: int
    r: int
    p: int
    hash: bytes


def is_set(folder: Path) -> bool:
    """Return whether the state directory `folder` holds a passphrase.

    Raises:
        PassphraseError: there is a file, but it cannot be read as one of ours.
    """
    return _read(folder) is not None


def set_passphrase(folder: Path, passphrase: str) -> None:
    """Keep the hash of a passphrase, in place of any other. Who asks for it checks the old one.

    Raises:
        ValueError: it is too short; the message says what to do.
        PassphraseError: it cannot be written.
    """
    if len(passphrase.strip()) < SHORTEST:
        raise ValueError(f"The passphrase is too short: take at least {SHORTEST} characters.")
    salt = secrets.token_bytes(_SALT)
    digest = _hashed(passphrase, salt, _N, _R, _P)
    content = {"v": _VERSION, "salt": salt.hex(), "n": _N, "r": _R, "p": _P, "hash": digest.hex()}
    try:
        _write(folder, json.dumps(content) + "\n")
    except OSError as error:
        raise PassphraseError(f"{folder / NAME} cannot be written: {error.strerror}") from error


def matches(folder: Path, passphrase: str) -> bool:
    """Return whether this is the passphrase; False also when none is set.

    Raises:
        PassphraseError: the file cannot be read as one of ours.
    """
    kept = _read(folder)
    if kept is None:
        return False
    try:
        digest = _hashed(passphrase, kept.salt, kept.n, kept.r, kept.p)
    except (
        ValueError,
        TypeError,
        OverflowError,
    ) as error:  # what scrypt says of parameters it cannot use
        raise _damaged(folder / NAME) from error
    return hmac.compare_digest(digest, kept.hash)


def _hashed(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # One keyboard composes an accented letter, another sends two characters: the same to a person.
    typed = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(typed, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=_HASH)


def _read(folder: Path) -> _Kept | None:
    path = folder / NAME
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        return _understood(json.loads(path.read_text("utf-8")))
    except OSError as error:  # a link to nowhere is here too: it is a file, and a wrong one
        raise _unreadable(path, error) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path) from error


def _understood(content: Any) -> _Kept:
    """Read what the file says.

    Raises:
        ValueError, KeyError, TypeError: it is no file of ours, or of a later version.
    """
    numbers = [content[name] for name in ("v", "n", "r", "p")]
    if any(type(number) is not int or number < 1 for number in numbers):
        raise ValueError("no positive integers")
    salt, digest = bytes.fromhex(content["salt"]), bytes.fromhex(content["hash"])
    if content["v"] != _VERSION or len(salt) < _SALT or len(digest) != _HASH:
        raise ValueError("another version, or cut")
    return _Kept(salt, content["n"], content["r"], content["p"], digest)


def _unreadable(path: Path, error: OSError) -> PassphraseError:
    return PassphraseError(f"{path} cannot be read: {error.strerror}")


def _damaged(path: Path) -> PassphraseError:
    return PassphraseError(
        f"{path} is damaged, or of another version. Nobody can approve until its owner"
        " moves it away and sets a passphrase again."
    )


def _write(folder: Path, text: str) -> None:
    """Replace the file at once, so that a crash leaves the old one or the new one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{NAME}.")  # for its owner alone
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(folder / NAME)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
