"""Commands of the terminal that are more than a start of the server: one module each."""
