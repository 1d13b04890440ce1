"""CSV files in requests and answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import brief_times, moment
from talonone_mcp.sandbox.handling.calls import SandboxCall


@dataclass(frozen=True, slots=True)
class CsvExport:
    """An export: its columns, and its rows, which are produced while being sent."""

    columns: Sequence[str]
    rows: Iterable[Mapping[str, Any]]

    def lines(self) -> Iterator[bytes]:
        """Yield the text, the header line first."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in self.rows:
            writer.writerow(row)
            yield brief_times(text.getvalue().encode())
            text.seek(0)
            text.truncate()
        yield text.getvalue().encode()


def rows_of(text: str, required: Iterable[str], optional: Iterable[str] = ()) -> Iterator[
    tuple[int, dict[str, str]]
]:  # fmt: skip
    """Yield the rows of an import, each with the line where it begins; column names ignore case.

    Args:
        text: CSV with a header line.
        required: the columns that must be there, in lower case.
        optional: those that may be.

    Raises:
        RefusalError: 400 with the line, when the columns are others, or a line has more or fewer
            values than columns.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    needed, known = set(required), {*required, *optional}
    line = 1
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        if not needed <= set(columns) <= known:
            wanted = ", ".join(sorted(known))
            must = ", ".join(sorted(needed))
            raise RefusalError(400, f"the columns are {wanted}; required: {must}", line="1")
        line = reader.line_num + 1
        for row in reader:
            if row and len(row) != len(columns):
                raise RefusalError(400, "not as many values as columns", line=str(line))
            if row:
                yield line, dict(zip(columns, row, strict=True))
            line = reader.line_num + 1
    except csv.Error as error:
        raise RefusalError(400, f"no CSV: {error}", line=str(line)) from None


def date_for_export(document: Document, name: str, call: SandboxCall) -> str:
    """Return a date of a document in the request's `dateFormat`."""
    text = str(document.get(name, ""))
    as_excel = text and call.arguments.get("dateFormat") == "excel"
    return moment(text).strftime("%Y-%m-%d %H:%M:%S") if as_excel else text
