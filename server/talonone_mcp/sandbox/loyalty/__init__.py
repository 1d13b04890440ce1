"""Loyalty programs and their points."""
