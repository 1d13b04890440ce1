"""Points: the ledgers that hold them, and the tiers that they lead to."""
