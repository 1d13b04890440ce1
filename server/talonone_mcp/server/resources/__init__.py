"""What clients can read as resources: the account, the catalog, exports and cut answers."""

from talonone_mcp.server.resources.account import is_watched
from talonone_mcp.server.resources.embedding import embedded
from talonone_mcp.server.resources.kinds import Kind, NoResourceError, UnreadableError
from talonone_mcp.server.resources.listing import CursorError, listed, part, templates
from talonone_mcp.server.resources.reading import KINDS, kind_of, read
from talonone_mcp.server.resources.resource_reader import ResourceReader
from talonone_mcp.server.resources.stored import answer_link, export_link

__all__ = [
    "KINDS",
    "CursorError",
    "Kind",
    "NoResourceError",
    "ResourceReader",
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
