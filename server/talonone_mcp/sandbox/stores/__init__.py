"""Stores, and the budgets that they have in campaigns."""
