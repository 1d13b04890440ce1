"""Customers' profiles and audiences."""
