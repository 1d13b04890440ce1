"""What a person is told when a host's file cannot be changed."""


class HostError(Exception):
    """Nothing was changed. The message is one line that says why and what to do."""


class ShapeError(ValueError):
    """A text has no place for an entry; the message says why, and speaks of the file as "it"."""
