"""What somebody is asked for who installs the server with a form in place of a terminal.

A registry's client and Claude Desktop ask for every setting that they are told of. So they are told
of these few; the others keep their defaults, or stand in the configuration file. Names and
descriptions are the settings' own.
"""

from __future__ import annotations

from dataclasses import dataclass

from talonone_mcp.core.settings import Settings

# Title and whether it must be given. Nearly every operation is one of the Management API.
_ASKED = {
    "base_url": ("Talon.One deployment", True),
    "management_key": ("Management API key", True),
    "integration_key": ("Integration API key", False),
    "third_party_key": ("Third-party API key", False),
    "platform_name": ("Customer engagement platform", False),
    "import_folder": ("Folder for imports", False),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One setting to ask for."""

    attribute: str
    variable: str
    title: str
    description: str
    required: bool
    secret: bool

    @property
    def folder(self) -> bool:
        """Whether it is a folder of the user's."""
        return self.attribute == "import_folder"


def asked() -> tuple[Asked, ...]:
    """Return the settings to ask for, in the order of a form."""
    found = []
    for attribute, (title, required) in _ASKED.items():
        field = Settings.model_fields[attribute]
        found.append(
            Asked(
                attribute=attribute,
                variable=field.alias or "",
                title=title,
                description=field.description or "",
                required=required,
                secret=not field.repr,
            )
        )
    return tuple(found)
