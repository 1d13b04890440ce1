"""The columns of an import's CSV, as a catalog entry declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """What the values of an import's column are.

    Attributes:
        kind: a whole number is a "count", an RFC 3339 time a "time", an object in JSON "json".
        words: values allowed besides; for a text, the only ones.
        pattern: the regular expression that a whole text matches.
        say: what the message says about a text that does not match.
        min_chars: the fewest characters of a text.
        empty: what an empty cell and a missing column mean: a number, or "unlimited"; None if
            nothing.
        zero_is_unlimited: whether 0 means no limit.
        expires: whether a time in the past is out of the ordinary.
        future: whether upstream refuses a time in the past.
        after: the column whose time must not be later.
    """

    kind: Literal["text", "number", "count", "time", "json"] = "text"
    words: tuple[str, ...] = ()
    pattern: str = ""
    say: str = ""
    min_chars: int = 1
    empty: int | Literal["unlimited"] | None = None
    zero_is_unlimited: bool = False
    expires: bool = False
    future: bool = False
    after: str = ""

    @classmethod
    def from_compiled(cls, record: Any) -> ColumnKind:
        """Rebuild a kind from its JSON form: its name, or an object."""
        fields: dict[str, Any] = {"kind": record} if isinstance(record, str) else dict(record)
        return cls(**{**fields, "words": tuple(fields.get("words", ()))})

    @property
    def is_numeric(self) -> bool:
        """Whether the values can be added up."""
        return self.kind in ("number", "count")


@dataclass(frozen=True, slots=True)
class KnownBy:
    """Where to look whether an import's identifiers are there already.

    Attributes:
        read: a list; it gets the path arguments that it knows.
        field: the field of its items.
    """

    read: str
    field: str


_TEXT = ColumnKind()


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of an import's CSV. Exactly one column of `one_of` must be present.

    The first of `one_of` or `required` that is present identifies a row.

    Attributes:
        required: the columns that must be present and filled in every row.
        optional: those that may be present.
        one_of: alternatives, one of which is required.
        max_rows: how many rows upstream accepts, not counting the header; None if it does not say.
        kinds: what the values are, by column; a column that is not named holds texts.
        groups: the columns with few different values, whose rows are counted by value.
        not_both: two columns of which a row may fill only one.
        unique: whether upstream refuses a file that identifies two rows alike.
        unique_unless: the argument that makes upstream skip such rows instead.
        known_by: the read that lists what is there, and the field that identifies it.
        items_in: the operation that lists what is there, so that a call can name the items to add
            or remove.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    max_rows: int | None = None
    kinds: Mapping[str, ColumnKind] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    not_both: tuple[str, ...] = ()
    unique: bool = False
    unique_unless: str = ""
    known_by: KnownBy | None = None
    items_in: str = ""

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Columns:
        """Rebuild the columns from their JSON form."""
        fields = dict(record)
        for name in ("required", "optional", "one_of", "groups", "not_both"):
            fields[name] = tuple(fields.get(name, ()))
        kinds = fields.get("kinds", {})
        fields["kinds"] = {name: ColumnKind.from_compiled(kind) for name, kind in kinds.items()}
        if "known_by" in fields:
            fields["known_by"] = KnownBy(**fields["known_by"])
        return cls(**fields)

    @property
    def all(self) -> tuple[str, ...]:
        """Every column, mandatory ones first."""
        return (*self.one_of, *self.required, *self.optional)

    def kind(self, name: str) -> ColumnKind:
        """Return what a column's values are."""
        return self.kinds.get(name, _TEXT)

    def is_filled(self, name: str) -> bool:
        """Return whether every row must have a value in this column."""
        return name in self.required or name in self.one_of
