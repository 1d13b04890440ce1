"""The approver's passphrase, which a person knows and an agent with a terminal does not.

Only its scrypt hash is stored. An unreadable file is an error and never means "none is set", or
damaging the file would bypass the passphrase.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talonone_mcp.core.safe_files import read_regular, write_atomically

PASSPHRASE_FILE = "approver.json"  # noqa: S105 - a file name
MIN_PASSPHRASE_CHARS = 8
_VERSION = 1
_N, _R, _P = 32768, 8, 1  # scrypt: 32 MiB and about 0.1 s per guess
_MAX_MEMORY_BYTES = 64 * 2**20  # hashlib's default is less than these parameters need
_SALT_BYTES = 16
_HASH_BYTES = 32
_MAX_FILE_BYTES = 4096


class PassphraseError(Exception):
    """The passphrase file cannot be read or written; the message says why. Nobody may approve."""


@dataclass(frozen=True, slots=True)
class _Stored:
    salt: bytes
    n: int
    r: int
    p: int
    hash: bytes


def is_set(folder: Path) -> bool:
    """Return whether the state directory `folder` holds a passphrase.

    Raises:
        PassphraseError: the file exists, but cannot be read or is not valid.
    """
    return _read(folder) is not None


def set_passphrase(folder: Path, passphrase: str) -> None:
    """Store the hash of a passphrase, replacing any other. The caller checks the old one.

    Raises:
        ValueError: the passphrase is too short; the message says what to do.
        PassphraseError: the file cannot be written.
    """
    if len(passphrase.strip()) < MIN_PASSPHRASE_CHARS:
        raise ValueError(
            f"The passphrase is too short: use at least {MIN_PASSPHRASE_CHARS} characters."
        )
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _hashed(passphrase, salt, _N, _R, _P)
    content = {"v": _VERSION, "salt": salt.hex(), "n": _N, "r": _R, "p": _P, "hash": digest.hex()}
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(folder / PASSPHRASE_FILE, (json.dumps(content) + "\n").encode())
    except OSError as error:
        raise PassphraseError(
            f"{folder / PASSPHRASE_FILE} cannot be written: {error.strerror}"
        ) from error


def matches(folder: Path, passphrase: str) -> bool:
    """Return whether this is the passphrase; False also if none is set.

    Raises:
        PassphraseError: the file cannot be read or is not valid.
    """
    stored = _read(folder)
    if stored is None:
        return False
    try:
        digest = _hashed(passphrase, stored.salt, stored.n, stored.r, stored.p)
    except (ValueError, TypeError, OverflowError) as error:  # scrypt rejects the parameters
        raise _damaged(folder / PASSPHRASE_FILE) from error
    return hmac.compare_digest(digest, stored.hash)


def _hashed(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # Some keyboards send an accented letter as two characters; people see no difference.
    typed = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(
        typed, salt=salt, n=n, r=r, p=p, maxmem=_MAX_MEMORY_BYTES, dklen=_HASH_BYTES
    )


def _read(folder: Path) -> _Stored | None:
    path = folder / PASSPHRASE_FILE
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        return _parsed(json.loads(read_regular(path, max_bytes=_MAX_FILE_BYTES)))
    except OSError as error:  # includes dangling links
        raise _unreadable(path, error) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path) from error


def _parsed(content: Any) -> _Stored:
    """Parse the content of the file.

    Raises:
        ValueError, KeyError, TypeError: the content is not ours, or of another version.
    """
    numbers = [content[name] for name in ("v", "n", "r", "p")]
    if any(type(number) is not int or number < 1 for number in numbers):
        raise ValueError("not positive integers")
    salt, digest = bytes.fromhex(content["salt"]), bytes.fromhex(content["hash"])
    if content["v"] != _VERSION or len(salt) < _SALT_BYTES or len(digest) != _HASH_BYTES:
        raise ValueError("another version, or truncated")
    return _Stored(salt, content["n"], content["r"], content["p"], digest)


def _unreadable(path: Path, error: OSError) -> PassphraseError:
    return PassphraseError(f"{path} cannot be read: {error.strerror}")


def _damaged(path: Path) -> PassphraseError:
    return PassphraseError(
        f"{path} is damaged or of another version. Nobody can approve until its owner"
        " moves it away and sets a new passphrase."
    )
