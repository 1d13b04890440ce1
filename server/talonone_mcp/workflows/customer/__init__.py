"""Workflows about customers."""
