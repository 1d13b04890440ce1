"""The prompts of the installed command, and those of a person's own folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from mcp import Client, types

from tests.installed import COMMAND, over_http, over_stdio, run
from tests.upstream import Upstream

pytestmark = pytest.mark.anyio
GREET = """---
name: greet
title: Greet
description: Greet a customer.
arguments:
  - {name: customer, description: Who., required: true}
tools: [get_customer_inventory]
---
Greet {customer}. Look with get_customer_inventory first.
"""


def said_at_start(upstream: Upstream, *arguments: str) -> list[str]:
    """Return what the command writes to stderr when its client leaves at once."""
    ended = run("serve", *arguments, environment=upstream.environment)
    assert (ended.returncode, ended.stdout) == (0, "")
    return ended.stderr.splitlines()


def text_of(result: types.GetPromptResult) -> str:
    content = result.messages[0].content
    assert isinstance(content, types.TextContent)
    return content.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_a_prompt(upstream: Upstream, transport: str, mode: str) -> None:
    async def greeted(client: Client) -> None:
        names = [prompt.name for prompt in (await client.list_prompts()).prompts]
        prompt = await client.get_prompt("issue_coupon", {"customer": "anna.schmidt"})

        assert len(names) == 11
        assert 'to the customer "anna.schmidt".' in text_of(prompt)

    if transport == "stdio":
        async with Client(over_stdio(upstream.environment), mode=mode) as client:
            await greeted(client)
    else:
        with over_http(upstream.environment) as url:
            async with Client(url, mode=mode) as client:
                await greeted(client)


async def test_a_person_s_own_prompts_are_offered_whatever_the_profile(
    upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "greet.md").write_text(GREET)
    options = ("serve", "--profile", "support", "--prompts", str(tmp_path))

    async with Client(over_stdio(upstream.environment, *options)) as client:
        names = [prompt.name for prompt in (await client.list_prompts()).prompts]
        prompt = await client.get_prompt("greet", {"customer": "Ann"})

    assert "greet" in names
    assert "audit_access" not in names
    assert text_of(prompt).startswith('Greet "Ann". Look')


async def test_a_broken_file_is_named_and_the_rest_is_offered(
    upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "greet.md").write_text(GREET)
    (tmp_path / "broken.md").write_text("---\nname: [\n---\nGreet.\n")
    (tmp_path / "issue_coupon.md").write_text(GREET.replace("name: greet", "name: issue_coupon"))
    own = ("--prompts", str(tmp_path))

    [broken, replaced] = said_at_start(upstream, *own)
    async with Client(over_stdio(upstream.environment, "serve", *own)) as client:
        names = {prompt.name for prompt in (await client.list_prompts()).prompts}
        issue = await client.get_prompt("issue_coupon", {"customer": "Ann"})

    assert broken.startswith("talonone-mcp: --prompts: broken.md: line 3: the front matter: ")
    assert replaced.endswith("issue_coupon.md replaces our prompt issue_coupon")
    assert {"greet", "audit_access"} <= names
    assert "broken" not in names
    assert text_of(issue).startswith('Greet "Ann"')


def test_a_folder_that_is_none_is_said_at_start(upstream: Upstream, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    ended = run("serve", "--prompts", str(missing), environment=upstream.environment)

    assert ended.returncode == 2
    assert ended.stderr == f"talonone-mcp: cannot start. --prompts: {missing} is not a folder\n"


def test_the_configuration_file_may_name_the_folder(upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[serve]\nprompts = "mine"\n')
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "broken.md").write_text("Greet.\n")

    [broken] = said_at_start(upstream, "--config", str(tmp_path / "config.toml"))

    assert broken.startswith("talonone-mcp: --prompts: broken.md: line 1: ")


def test_nothing_is_said_of_a_folder_that_is_in_order(upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "greet.md").write_text(GREET)

    assert said_at_start(upstream, "--prompts", str(tmp_path)) == []


def test_yaml_is_loaded_for_own_prompts_alone(tmp_path: Path) -> None:
    """Of an installed server, that is: a checkout reads the catalog's own YAML."""
    (tmp_path / "greet.md").write_text(GREET)
    start = (
        "import sys; from pathlib import Path;"
        "from talonone_mcp.server.prompts import prompt_library as prompts;"
        "prompts.load = lambda: {};"
        "prompts.offered(None, ()); print('yaml' in sys.modules);"
        "prompts.offered(Path(sys.argv[1]), ()); print('yaml' in sys.modules)"
    )
    python = Path(COMMAND).with_name("python")
    said = subprocess.run(
        [python, "-c", start, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == ["False", "True"]
