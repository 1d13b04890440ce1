"""Talon.One over HTTP: one client, with credentials, pace, retries and errors."""
