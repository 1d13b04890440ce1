"""What is made of the source for those who install it, and how: see docs/packages.md."""
