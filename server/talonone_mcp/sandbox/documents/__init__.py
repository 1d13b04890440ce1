"""The sandbox's memory: JSON documents in SQLite."""
