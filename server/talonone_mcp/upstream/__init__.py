"""Upstream, which is Talon.One: HTTP, credentials, limits, retries and errors."""
