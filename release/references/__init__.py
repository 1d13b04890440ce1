"""What README and `docs/` say of the code, made from the code so that it cannot drift."""
