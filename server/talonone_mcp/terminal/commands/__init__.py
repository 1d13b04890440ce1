"""The commands of the terminal, one module each; `serve` and `demo` are in the room above."""
