"""The parts of README and `docs/` that are made from the code, so that they cannot drift from it."""
