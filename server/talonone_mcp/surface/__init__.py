"""What a client sees and calls: the listed tools, the doors, search, and dispatch by name."""
