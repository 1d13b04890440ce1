"""Facts about each host: its files, their format, its entries and how it starts a server.

Each fact comes from the host's documentation, or from its code where the documentation is silent;
`source` names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from talonone_mcp.terminal.hosts.platform_paths import System

Format = Literal["json", "jsonc", "toml"]

_STDIO = {"type": "stdio"}
_BRACED = r"\$\{"


@dataclass(frozen=True, slots=True)
class Host:
    """A program that starts MCP servers."""

    name: str
    title: str
    format: Format
    """jsonc is JSON that allows comments and trailing commas."""
    servers: str
    """The member or table that holds the servers by name."""
    files: Mapping[System, tuple[str, ...]]
    """Where the user's file can be; the first that exists wins."""
    source: str
    start: str
    """What a person does to start the server; `{name}` is its name."""
    project: str | None = None
    """The file of a project, relative to its folder."""
    project_note: str = ""
    """What else a project's file needs to take effect."""
    signs: tuple[str, ...] = ()
    """Folders that show it is installed, instead of the folder of its file."""
    commands: tuple[str, ...] = ()
    """Commands that show it too."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """What its entries hold besides command, arguments and environment."""
    expands: str | None = None
    """A regular expression for what it would expand in a value, which is refused there."""
    asks_for_secrets: bool = False
    """Whether it can ask its user for a secret and keep it (`inputs`)."""


def _everywhere(*places: str) -> Mapping[System, tuple[str, ...]]:
    return {"linux": places, "macos": places, "windows": places}


def _configuration(below: str) -> Mapping[System, tuple[str, ...]]:
    """Return where desktop programs keep their configuration on each system."""
    return {
        "linux": (f"$XDG_CONFIG_HOME/{below}", f"~/.config/{below}"),
        "macos": (f"~/Library/Application Support/{below}",),
        "windows": (f"$APPDATA/{below}", f"~/AppData/Roaming/{below}"),
    }


_DESKTOP = _configuration("Claude/claude_desktop_config.json")

_ALL = (
    Host(
        name="claude-desktop",
        title="Claude Desktop",
        format="json",
        servers="mcpServers",
        # Windows keeps the files of what comes as an MSIX package in a place of their own:
        # https://github.com/anthropics/claude-code/issues/26073
        files={
            **_DESKTOP,
            "windows": (
                "$LOCALAPPDATA/Packages/Claude_*/LocalCache/Roaming/Claude"
                "/claude_desktop_config.json",
                *_DESKTOP["windows"],
            ),
        },
        source="https://modelcontextprotocol.io/docs/develop/connect-local-servers",
        start="Quit Claude Desktop, not its window alone, and start it again.",
    ),
    Host(
        name="claude-code",
        title="Claude Code",
        format="json",
        servers="mcpServers",
        files=_everywhere("$CLAUDE_CONFIG_DIR/.claude.json", "~/.claude.json"),
        project=".mcp.json",
        project_note="Claude Code asks once whether it may use a project's servers.",
        source="https://code.claude.com/docs/en/mcp",
        start="Start a new session of claude; /mcp shows {name}.",
        signs=("$CLAUDE_CONFIG_DIR/", "~/.claude"),
        commands=("claude",),
        fixed=_STDIO,
        expands=_BRACED,
    ),
    Host(
        name="cursor",
        title="Cursor",
        format="jsonc",
        servers="mcpServers",
        files=_everywhere("~/.cursor/mcp.json"),
        project=".cursor/mcp.json",
        source="https://cursor.com/docs/mcp",
        start="Cursor sees the change; its settings, under MCP, show {name} and start it.",
        commands=("cursor",),
        fixed=_STDIO,
        expands=_BRACED,
    ),
    Host(
        name="vscode",
        title="VS Code",
        format="jsonc",
        servers="servers",
        files=_configuration("Code/User/mcp.json"),
        project=".vscode/mcp.json",
        source="https://code.visualstudio.com/docs/copilot/reference/mcp-configuration",
        start="In VS Code, run MCP: List Servers from the Command Palette and start {name}.",
        commands=("code",),
        fixed=_STDIO,
        expands=_BRACED,
        asks_for_secrets=True,
    ),
    Host(
        name="codex",
        title="Codex",
        format="toml",
        servers="mcp_servers",
        files=_everywhere("$CODEX_HOME/config.toml", "~/.codex/config.toml"),
        project=".codex/config.toml",
        project_note="Codex reads it in projects that its user trusts.",
        source="https://developers.openai.com/codex/mcp",
        start="Start a new session of codex; /mcp shows {name}.",
        commands=("codex",),
    ),
    Host(
        name="gemini",
        title="Gemini CLI",
        format="jsonc",
        servers="mcpServers",
        files=_everywhere("$GEMINI_CLI_HOME/.gemini/settings.json", "~/.gemini/settings.json"),
        project=".gemini/settings.json",
        project_note="Gemini CLI reads it in folders that its user trusts.",
        source="https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md",
        start="Start a new session of gemini; /mcp shows {name}.",
        commands=("gemini",),
        expands=r"\$(\{|[A-Za-z_])",
    ),
    Host(
        name="windsurf",
        title="Windsurf",
        format="jsonc",
        servers="mcpServers",
        files=_everywhere("~/.codeium/windsurf/mcp_config.json"),
        source="https://docs.windsurf.com/windsurf/cascade/mcp",
        start="In Windsurf, press refresh in Cascade's list of MCP servers.",
        commands=("windsurf",),
        expands=_BRACED,
    ),
    Host(
        name="zed",
        title="Zed",
        format="jsonc",
        servers="context_servers",
        # https://github.com/zed-industries/zed/blob/main/crates/paths/src/paths.rs
        files={
            "linux": (
                "$FLATPAK_XDG_CONFIG_HOME/zed/settings.json",
                "$XDG_CONFIG_HOME/zed/settings.json",
                "~/.config/zed/settings.json",
            ),
            "macos": ("~/.config/zed/settings.json",),
            "windows": ("$APPDATA/Zed/settings.json", "~/AppData/Roaming/Zed/settings.json"),
        },
        project=".zed/settings.json",
        source="https://zed.dev/docs/ai/mcp",
        start="Zed sees the change; the settings of its agent panel show {name}.",
        commands=("zed", "zeditor"),
        fixed={"source": "custom"},  # versions of 2025 skip an entry without it
    ),
)
HOSTS: Mapping[str, Host] = {host.name: host for host in _ALL}
