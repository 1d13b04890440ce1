"""Reads the CSV of an import before anybody is asked, and holds it still until it is sent."""

from talonone_mcp.calls.imports.import_files import Content, Import, ImportFiles
from talonone_mcp.calls.imports.import_rows import read_rows
from talonone_mcp.calls.imports.row_summary import Rows, Total

__all__ = [
    "Content",
    "Import",
    "ImportFiles",
    "Rows",
    "Total",
    "read_rows",
]
