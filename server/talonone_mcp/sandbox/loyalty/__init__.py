"""Loyalty programs, and their customers' points."""
