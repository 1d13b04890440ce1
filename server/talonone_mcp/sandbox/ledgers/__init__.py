"""Points: their ledgers, and the tiers that they lead to."""
