"""What clients may read as resources: the account, the catalog, and what the server keeps."""

from talonone_mcp.resources.account import is_watched
from talonone_mcp.resources.embedding import embedded
from talonone_mcp.resources.kept import answer_link, export_link
from talonone_mcp.resources.kinds import Kind, NoResourceError, Sources, UnreadableError
from talonone_mcp.resources.listing import CursorError, listed, part, templates
from talonone_mcp.resources.reading import KINDS, kind_of, read

__all__ = [
    "KINDS",
    "CursorError",
    "Kind",
    "NoResourceError",
    "Sources",
    "UnreadableError",
    "answer_link",
    "embedded",
    "export_link",
    "is_watched",
    "kind_of",
    "listed",
    "part",
    "read",
    "templates",
]
