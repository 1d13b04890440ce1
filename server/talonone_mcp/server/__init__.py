"""The MCP faces: answers clients over stdio and HTTP, in both eras of the protocol."""
