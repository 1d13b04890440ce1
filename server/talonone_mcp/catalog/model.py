"""What the engine knows of one operation, and of all of them together."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Risk = Literal["read", "write", "destructive"]
Api = Literal["management", "integration"]
Schema = dict[str, Any]


class CatalogError(ValueError):
    """An entry of the catalog is wrong; the message says which and how."""


@dataclass(frozen=True, slots=True)
class Toolset:
    """A group of operations that belong to one job."""

    name: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """When a person must say yes to a call, and what they are asked.

    `when` is a JSON Schema over the arguments; None means always. `preview` names the read whose
    answer the question shows. The placeholders of `ask` are described in `gate`.
    """

    ask: str
    when: Schema | None = None
    preview: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """How the arguments outside path and query become the request's body.

    `whole` names the one argument that is the body; `file` is the multipart field that carries
    the `csv` argument. With neither, every remaining argument is a property of a JSON object.
    """

    whole: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One upstream operation, as `tools/*.yaml` states it.

    `input_schema` is the JSON Schema that clients are shown and that calls are validated with.
    `query` lists the arguments that go into the query string, `joined` those of them whose list
    is one comma-separated value. `check` is the read that tells whether a write happened;
    `listed_by` names, for an argument, the operation that lists its values.
    """

    name: str
    title: str
    description: str
    toolset: str
    api: Api
    method: str
    path: str
    risk: Risk
    input_schema: Schema
    query: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    body: Body | None = None
    answer: Literal["json", "csv"] = "json"
    confirm: Confirm | None = None
    check: str | None = None
    listed_by: Mapping[str, str] | None = None
    keywords: str = ""

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Operation:
        """Rebuild an operation from its JSON form."""
        fields = dict(record)
        for name, kind in (("body", Body), ("confirm", Confirm)):
            if fields.get(name) is not None:
                fields[name] = kind(**fields[name])
        for name in ("query", "joined"):
            fields[name] = tuple(fields.get(name, ()))
        return cls(**fields)

    @property
    def path_arguments(self) -> tuple[str, ...]:
        """The names of the path's placeholders, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


@dataclass(frozen=True, slots=True)
class Catalog:
    """All operations by name, in the order in which they are listed."""

    operations: Mapping[str, Operation]
    toolsets: Mapping[str, Toolset]

    @classmethod
    def from_compiled(cls, compiled: Mapping[str, Any]) -> Catalog:
        """Rebuild the catalog from its JSON form."""
        operations = (Operation.from_compiled(record) for record in compiled["operations"])
        toolsets = (Toolset(**record) for record in compiled["toolsets"])
        return cls({o.name: o for o in operations}, {t.name: t for t in toolsets})

    def __iter__(self) -> Iterator[Operation]:
        """Yield every operation."""
        return iter(self.operations.values())

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """Return up to `count` operation names that look most like `name`."""
        return difflib.get_close_matches(name, self.operations, n=count, cutoff=0.4)
