"""How a long call reports its progress."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Progress = Callable[[float, float | None, str], Awaitable[None]]
"""Takes the amount done, the total if known, and a message for people. Never raises."""


async def silent(done: float, total: float | None, message: str) -> None:
    """Report nothing."""
