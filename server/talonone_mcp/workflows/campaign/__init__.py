"""Workflows about campaigns."""
