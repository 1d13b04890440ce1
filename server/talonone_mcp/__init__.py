"""The MCP server through which agents work in Talon.One."""

__version__ = "0.1.0"
