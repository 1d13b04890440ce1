"""The approver's passphrase: what a person knows and an agent in a terminal of its own does not.

Only a scrypt hash of it is kept. A file that cannot be understood is an error and never "none is
set": otherwise damaging it would be a way around it.
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

NAME = "approver.json"
SHORTEST = 8  # characters
_VERSION = 1
_N, _R, _P = 32768, 8, 1  # 32 MiB and about a tenth of a second for each guess
_MOST_MEMORY = 64 * 2**20  # bytes; hashlib's own limit lies below what these parameters need
_SALT = 16  # bytes
_HASH = 32  # bytes
_MAX_FILE_BYTES = 4096


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
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(folder / NAME, (json.dumps(content) + "\n").encode())
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
        return _understood(json.loads(read_regular(path, max_bytes=_MAX_FILE_BYTES)))
    except OSError as error:  # including a link to nowhere: it is a file, and a wrong one
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
