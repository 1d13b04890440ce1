"""The catalog as one configuration serves it: with its Applications and its policy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from talonone_mcp.core.catalog.application_keys import with_applications
from talonone_mcp.core.catalog.model import Catalog

if TYPE_CHECKING:
    from talonone_mcp.core.settings import Settings


def served(catalog: Catalog, settings: Settings) -> Catalog:
    """Return the catalog with the Applications that have keys, and the operator's policy.

    Raises:
        PolicyError: the policy file cannot be used.
    """
    policy = settings.policy_over(catalog.policy)
    return replace(with_applications(catalog, settings.applications), policy=policy)
