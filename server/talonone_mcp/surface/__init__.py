"""What clients see and call: the listed tools, the doors, search, and dispatch by name."""
