"""What the MCP registry is told of the server."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from release import registry
from release.project import REGISTRY_NAME, ROOT

from talonone_mcp import __version__
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.surface.tool_list import surface
from talonone_mcp.terminal.main import command_parser
from tests.packaging.schemas import SERVER, problems, published

DOCUMENT: dict[str, Any] = json.loads((ROOT / "server.json").read_text("utf-8"))
[PACKAGE] = DOCUMENT["packages"]


def test_server_json_is_up_to_date() -> None:
    assert (ROOT / "server.json").read_text("utf-8") == registry.text(), (
        "run python -m release.registry > server.json"
    )


def test_server_json_is_of_the_registrys_format() -> None:
    assert problems(DOCUMENT, SERVER) == []


def test_server_json_is_valid_against_the_published_schema() -> None:
    assert problems(DOCUMENT, published("server.schema.json")) == []


def test_it_names_this_version_of_this_package() -> None:
    assert (DOCUMENT["version"], PACKAGE["version"]) == (__version__, __version__)
    assert PACKAGE["identifier"] == "talonone-mcp"


def test_the_description_on_pypi_says_whose_package_it_is() -> None:
    """The registry looks for this line there, with a boundary after the name."""
    readme = (ROOT / "README.md").read_text("utf-8")

    assert re.findall(r"mcp-name: (\S+)(?=\s)", readme) == [REGISTRY_NAME]


def test_every_key_is_a_secret_and_nothing_else_is() -> None:
    secrets = {each["name"] for each in PACKAGE["environmentVariables"] if each.get("isSecret")}

    assert secrets == {
        "TALONONE_MANAGEMENT_KEY",
        "TALONONE_INTEGRATION_KEY",
        "TALONONE_THIRD_PARTY_KEY",
    }


def test_with_what_is_required_the_server_can_start() -> None:
    required = [each["name"] for each in PACKAGE["environmentVariables"] if each.get("isRequired")]
    environment = dict.fromkeys(required, "key") | {"TALONONE_BASE_URL": "https://example.invalid"}
    blank = {each["name"]: "" for each in PACKAGE["environmentVariables"]}

    assert load_settings({}, blank | environment).apis == {"management"}


@pytest.mark.parametrize(
    "argument", PACKAGE["packageArguments"][1:], ids=lambda argument: str(argument["name"])
)
def test_the_command_line_takes_every_choice(argument: dict[str, Any], catalog: Catalog) -> None:
    name = argument["name"].removeprefix("--")

    assert argument["default"] in argument["choices"]
    for choice in argument["choices"]:
        options = command_parser("serve").parse_args(["serve", argument["name"], choice])
        settings = load_settings({"sandbox": True, name: getattr(options, name)}, {})
        assert surface(catalog, settings).tools


def test_it_starts_the_command_that_serves() -> None:
    assert PACKAGE["packageArguments"][0] == {"type": "positional", "value": "serve"}
    assert PACKAGE["runtimeHint"] == "uvx"
