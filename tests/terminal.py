"""The command in a terminal of its own, as a person sees it and types into it."""

from __future__ import annotations

import errno
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

# The terminal becomes the one that the process is controlled from, which getpass opens.
DRIVER = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from talonone_mcp.terminal.main import main
sys.exit(main(sys.argv[1:]))
"""
DEADLINE = 20.0  # seconds, of a machine under load


class Terminal:
    """What a person sees and types. stderr is read at the end, so that it can be told apart."""

    def __init__(self, master: int, process: subprocess.Popen[str]) -> None:
        self.shown = ""
        self._at = 0
        self._master = master
        self._process = process

    @property
    def text(self) -> str:
        """What was shown, without its bold and its colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.shown)

    def expect(self, text: str) -> None:
        """Read until the text is there, after what was expected before."""
        until = time.monotonic() + DEADLINE
        while text not in self.shown[self._at :]:
            assert self._read(until), f"{text!r} did not come:\n{self.shown}"
        self._at = self.shown.index(text, self._at) + len(text)

    def type(self, line: str) -> None:
        os.write(self._master, f"{line}\n".encode())

    def end(self) -> tuple[int, str]:
        """Read to the end, and return the exit status and what was said on stderr."""
        until = time.monotonic() + DEADLINE
        while self._read(until):
            pass
        _, err = self._process.communicate(timeout=DEADLINE)
        return self._process.returncode, err or ""

    def _read(self, until: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0, until - time.monotonic()))
        assert ready, f"nothing more came:\n{self.shown}"
        try:
            data = os.read(self._master, 65536)
        except OSError as error:  # how Linux says that nobody is at the other end any more
            assert error.errno == errno.EIO
            return False
        self.shown += data.decode().replace("\r\n", "\n")
        return bool(data)


@contextmanager
def terminal(*arguments: str, all_shown: bool = False) -> Iterator[Terminal]:
    """Start the command in a terminal, which shows stderr too where that is wanted."""
    master, slave = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave if all_shown else subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        os.close(slave)
        with process:
            try:
                yield Terminal(master, process)
            finally:
                process.kill()
    finally:
        os.close(master)
