"""Campaigns evaluated on a cart or an event."""
