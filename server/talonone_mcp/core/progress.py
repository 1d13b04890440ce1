"""How a call that takes long says how far it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Progress = Callable[[float, float | None, str], Awaitable[None]]
"""Takes what is done, the total when it is known, and a message for a person. Raises nothing."""


async def silent(done: float, total: float | None, message: str) -> None:
    """Say nothing: nobody asked."""
