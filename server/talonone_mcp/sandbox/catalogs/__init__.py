"""Catalogs, collections and attributes."""
