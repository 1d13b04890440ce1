"""The calls of `cases.yaml`, and the account that each of them is made against."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from talonone_mcp.calls.caller import Caller, Reply
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.sandbox.documents.document_kinds import KINDS
from talonone_mcp.server.wiring import open_dispatch
from talonone_mcp.store.local_store import local_store
from talonone_mcp.surface.dispatch import Dispatch
from tests.desk import desk_clock
from tests.sandbox.door import Time

FILE = Path(__file__).parent / "cases.yaml"
_LOGS = {"access_logs"}  # which reads and dry runs write, too


@dataclass(frozen=True, slots=True)
class PlainCall:
    """A call as the file gives it."""

    call: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExpectedImpact:
    """An impact that a call must be said to have. `measures` tells whether `measure` counts."""

    kind: str
    unit: str
    measure: float | None
    measures: bool

    @classmethod
    def from_file(cls, record: Mapping[str, Any]) -> ExpectedImpact:
        """Read one from the file."""
        return cls(
            record["kind"], record.get("unit", ""), record.get("measure"), "measure" in record
        )

    def is_met_by(self, impact: Any) -> bool:
        """Tell whether an impact of the product is this one."""
        is_same = impact.kind == self.kind and self.unit in ("", impact.unit)
        return is_same and (not self.measures or impact.measure == self.measure)


@dataclass(frozen=True, slots=True)
class Case:
    """One call and what the gate must say to it. `asked` is None for a call that is refused."""

    name: str
    call: str
    arguments: Mapping[str, Any]
    asked: bool | None
    impact: tuple[ExpectedImpact, ...]
    says: tuple[str, ...]
    setup: tuple[PlainCall, ...]
    error: str

    @classmethod
    def from_file(cls, record: Mapping[str, Any]) -> Case:
        """Read one from the file."""
        return cls(
            record["name"],
            record["call"],
            record["arguments"],
            record.get("asked"),
            tuple(map(ExpectedImpact.from_file, record.get("impact", ()))),
            tuple(record.get("says", ())),
            tuple(PlainCall(**each) for each in record.get("setup", ())),
            record.get("error", ""),
        )


class _CaseLoader(yaml.SafeLoader):
    """Reads the file's short forms of long lists."""


def _many(loader: yaml.SafeLoader, node: yaml.Node) -> list[Any]:
    assert isinstance(node, yaml.SequenceNode)
    count, template = loader.construct_sequence(node, deep=True)
    return [_numbered(template, number) for number in range(count)]


def _csv(loader: yaml.SafeLoader, node: yaml.Node) -> str:
    assert isinstance(node, yaml.SequenceNode)
    count, header, row = loader.construct_sequence(node, deep=True)
    return "\n".join((header, *_many_rows(row, count), ""))


def _many_rows(row: str, count: int) -> list[str]:
    return [row.replace("{}", str(number)) for number in range(count)]


def _numbered(template: Any, number: int) -> Any:
    if isinstance(template, dict):
        return {key: _numbered(value, number) for key, value in template.items()}
    return template.replace("{}", str(number)) if isinstance(template, str) else template


_CaseLoader.add_constructor("!many", _many)
_CaseLoader.add_constructor("!csv", _csv)


def read_records() -> list[dict[str, Any]]:
    """Return the file as it is, with its short forms written out."""
    records: list[dict[str, Any]] = yaml.load(FILE.read_text("utf-8"), _CaseLoader)
    return records


@cache
def load_cases() -> tuple[Case, ...]:
    """Return every case."""
    return tuple(map(Case.from_file, read_records()))


# --- The account --------------------------------------------------------------------------------


class Steadfast:
    """A person who always says the same, and remembers what they were asked."""

    def __init__(self, verdict: Literal["yes", "no"]) -> None:
        self._verdict: Literal["yes", "no"] = verdict
        self.questions: list[str] = []

    async def answer(self, question: str, binding: str) -> Reply:
        """Say it."""
        self.questions.append(question)
        return Reply(self._verdict)


@dataclass(frozen=True, slots=True)
class Counter:
    """Where calls of one caller are made, against an account of its own."""

    dispatch: Dispatch
    sandbox: Sandbox
    person: Steadfast
    caller: Caller
    time: Time

    async def call(
        self, name: str, arguments: Mapping[str, Any], principal: str = ""
    ) -> dict[str, Any]:
        """Make a call, on behalf of another principal if one is given."""
        caller = replace(self.caller, principal=principal) if principal else self.caller
        return await self.dispatch.call(self.dispatch.resolve(name, arguments), caller)

    def documents(self) -> dict[str, list[Any]]:
        """Return all that there is in the account but its logs."""
        return documents_of(self.sandbox)


def documents_of(sandbox: Sandbox) -> dict[str, list[Any]]:
    """Return all that there is in an account but its logs."""
    return {kind: sandbox.store.select(kind) for kind in KINDS if kind not in _LOGS}


@asynccontextmanager
async def open_counter(
    catalog: Catalog,
    folder: Path,
    *,
    verdict: Literal["yes", "no"] = "yes",
    like: Counter | None = None,
) -> AsyncIterator[Counter]:
    """Open a dispatch in a demo account, with its state in a folder.

    Args:
        catalog: what can be called.
        folder: the state directory; what was given before is counted there.
        verdict: what the caller's person says to every question.
        like: another one, whose account and time it shares.
    """
    time = like.time if like else Time()
    settings = load_settings({"sandbox": True}, {"TALONONE_STATE_DIR": str(folder)})
    clock = desk_clock(time)
    account = nullcontext(like.sandbox) if like else _demo_account(catalog, time)
    with account as sandbox:
        store = local_store(settings, clock)
        async with open_dispatch(settings, catalog, store, sandbox, clock=clock) as dispatch:
            person = Steadfast(verdict)
            caller = Caller("tester", "tests", era="modern", person=person)
            yield Counter(dispatch, sandbox, person, caller, time)


def _demo_account(catalog: Catalog, time: Time) -> closing[Sandbox]:
    return closing(Sandbox(catalog, limited=False, now=time))
