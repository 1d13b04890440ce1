"""Shows the progress of a long call at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from talonone_mcp.core.progress import Progress, silent
from talonone_mcp.core.text import one_line

if TYPE_CHECKING:
    from rich import progress

_MAX_MESSAGE_CHARS = 60


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Yield a receiver of progress reports: a bar on stderr if it is a terminal, else silence.

    The bar appears with the first report, since most calls end before one, and goes at the end.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield silent
        return
    bars: progress.Progress | None = None
    with ExitStack() as stack:

        async def report(done: float, total: float | None, message: str) -> None:
            nonlocal bars
            if bars is None:
                bars = stack.enter_context(_bars())
                bars.add_task("")
            said = one_line(message, _MAX_MESSAGE_CHARS)
            bars.update(bars.task_ids[0], completed=done, total=total, description=said)

        yield report


def _bars() -> progress.Progress:
    from rich.console import Console  # noqa: PLC0415 - slow to load
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    said = TextColumn("{task.description}", markup=False)
    return Progress(said, BarColumn(), console=Console(stderr=True), transient=True)
