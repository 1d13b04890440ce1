"""Time ranges of kinds whose ids grow with time: a range of time is a range of ids.

A list by id, upstream's default order, then needs no sorting, however many documents it spans.
"""

from __future__ import annotations

from collections.abc import Sequence

from talonone_mcp.sandbox.documents.conditions import Condition, Where, column, equal, narrowed_by

_CREATED, _APPLICATION = column("created"), column("applicationId")


def created_within(
    kind: str, application: int, after: str | None = None, before: str | None = None
) -> Where:
    """Match documents of an Application that were created between two times, inclusive.

    Args:
        kind: one with an index by Application and creation.
        application: its number.
        after: the earliest time, in the store's format.
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
    """Match an Application's documents, searching by the condition that leaves the fewest.

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
