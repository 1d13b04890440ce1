"""The command `talonone-mcp`: what people type, and what they read."""
