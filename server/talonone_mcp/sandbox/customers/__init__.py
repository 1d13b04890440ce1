"""Customers, and the audiences and achievements that they have."""
