"""Kinds whose ids grow with the time of their documents: a span of time is a span of ids.

A list in the order of ids, which is what upstream gives unless asked otherwise, then needs no
sorting, however many documents the span has and whatever else narrows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from talonone_mcp.sandbox.documents.conditions import Condition, Where, column, equal, narrowed_by

_CREATED, _APPLICATION = column("created"), column("applicationId")


def created_within(
    kind: str, application: int, after: str | None = None, before: str | None = None
) -> Where:
    """Ask for documents of an Application that were created between two times, both inside.

    Args:
        kind: one with an index by Application and creation.
        application: its number.
        after: the earliest time, in the store's form.
        before: the latest.
    """
    conditions, values = [], list[object]()
    for time, least, order, none in (
        (after, ">=", "ASC", "9223372036854775807"),
        (before, "<=", "DESC", "0"),
    ):
        if time is not None:
            edge = (
                f'SELECT id FROM "{kind}" WHERE {_APPLICATION} = ? AND {_CREATED} {least} ?'  # noqa: S608 - kinds are ours
                f" ORDER BY {_CREATED} {order}, id {order} LIMIT 1"
            )
            conditions.append(f"id {least} coalesce(({edge}), {none})")
            values += [application, time]
    return Condition(" AND ".join(conditions), tuple(values)) if conditions else None


def best_order(
    application: int, time: Where, *, few: Sequence[Where] = (), others: Sequence[Where] = ()
) -> list[Where]:
    """Ask for an Application's documents, by the condition first that leaves the fewest to check.

    Args:
        application: its number.
        time: what `created_within` returned.
        few: conditions on few documents, each found by an index of its own.
        others: conditions with an index by Application and their field.
    """
    own = equal("applicationId", application)
    asked = [each for each in few if each is not None]
    if asked:
        return narrowed_by(asked[0], *asked[1:], time, own, *others)
    if any(others):
        return [own, time, *others]
    return narrowed_by(time, own)
