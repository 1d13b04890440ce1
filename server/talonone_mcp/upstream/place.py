"""Where calls go: a deployment, or the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Place:
    """A deployment of Talon.One.

    Attributes:
        url: the base URL of the API that is called.
        account: what its sums are kept by: one URL for all APIs, if there is one.
        is_sandbox: whether it is the sandbox, where nothing is real.
    """

    url: str
    account: str
    is_sandbox: bool

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "sandbox" if self.is_sandbox else urlsplit(self.url).netloc or self.url
