"""What the account remembers."""
