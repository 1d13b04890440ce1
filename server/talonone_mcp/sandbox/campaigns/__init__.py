"""Campaigns, and what they cost and bring."""
