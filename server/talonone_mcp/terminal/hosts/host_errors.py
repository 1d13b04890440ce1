"""Errors that say why a host's file was not changed."""


class HostError(Exception):
    """Nothing was changed. The message is one line that says why and what to do."""


class ShapeError(ValueError):
    """A text has no place for an entry. The message says why and calls the file "it"."""
