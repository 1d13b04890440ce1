"""Completes variables of resource templates and arguments of prompts as a user types.

Each has a kind, such as `campaign`. The account supplies the values, and fields filled in earlier
narrow them: campaigns are those of the Application that the same form names. Templates take ids;
prompts take what people read, a name followed by its id.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import anyio
import anyio.to_thread
from mcp import types

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import clean, one_line
from talonone_mcp.server.account_lists import (
    APPLICATIONS,
    CAMPAIGNS,
    COUPONS,
    PROGRAMS,
    RULESETS,
    AccountEntries,
    AccountEntry,
    Listing,
)
from talonone_mcp.server.prompts import Prompt
from talonone_mcp.server.resources import ResourceReader, kind_of

_MAX_VALUES = 100  # the protocol's limit
_MAX_TYPED_CHARS = 200  # no name begins with more
KIND_OF_VARIABLE = {
    "applicationId": "application",
    "campaignId": "campaign",
    "rulesetId": "ruleset",
    "loyaltyProgramId": "loyalty_program",
    "toolset": "toolset",
    "exportId": "export",
    "answerId": "answer",
}
# By kind: its listing, and the kinds that must be chosen first, by the argument they fill.
LISTINGS: Mapping[str, tuple[Listing, Mapping[str, str]]] = {
    "application": (APPLICATIONS, {}),
    "campaign": (CAMPAIGNS, {"applicationId": "application"}),
    "ruleset": (RULESETS, {"applicationId": "application", "campaignId": "campaign"}),
    "loyalty_program": (PROGRAMS, {}),
    "coupon": (COUPONS, {"applicationId": "application"}),
}
_ID = re.compile("[1-9][0-9]{0,17}")
_LABEL = re.compile(r".*\(id ([1-9][0-9]{0,17})\)", re.DOTALL)
_WORD = re.compile(r"\w+")
_MASK = "***"  # stands for personal data, which must not complete anything


class UnknownReferenceError(Exception):
    """A prompt, template or argument does not exist; the message lists those that do."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a form.

    Attributes:
        kind: what completes it.
        values: fixed completions, instead of a kind.
        chosen: what the form's other fields hold, by kind.
        named: whether people read it: names with ids rather than ids alone.
    """

    kind: str
    values: Sequence[str]
    chosen: Mapping[str, str]
    named: bool


async def complete(
    reader: ResourceReader,
    prompts: Mapping[str, Prompt],
    params: types.CompleteRequestParams,
) -> types.Completion:
    """Return the completions of a field, best first.

    If upstream does not answer in time there are none, and the log says why.

    Args:
        reader: reads the account and the store on the client's behalf.
        prompts: the prompts by name.
        params: the form, the field, the text typed, and the form's other fields.

    Raises:
        UnknownReferenceError: there is no such form, or it has no such field.
    """
    context = params.context.arguments if params.context else None
    name, typed = params.argument.name, clean(params.argument.value).strip()
    if isinstance(params.ref, types.PromptReference):
        field = _of_prompt(prompts, params.ref.name, name, context or {})
    else:
        field = _of_template(params.ref.uri, name, context or {})
    found = (
        await _in_time(reader, field, typed) if len(typed) <= _MAX_TYPED_CHARS else AccountEntries()
    )
    return types.Completion(values=[]) if found is None else _completion(field, found, typed)


def id_in(entered: str) -> str:
    """Return the id in a completed value, "Name (id 42)"; any other text as it is."""
    label = _LABEL.fullmatch(entered.strip())
    return label[1] if label else entered


def _of_prompt(
    prompts: Mapping[str, Prompt], prompt: str, name: str, context: Mapping[str, str]
) -> _Field:
    if prompt not in prompts:
        known = ", ".join(prompts)
        raise UnknownReferenceError(
            f"There is no prompt {one_line(prompt, 80)!r}. Prompts: {known}."
        )
    arguments = {argument.name: argument for argument in prompts[prompt].arguments}
    if name not in arguments:
        raise _no_field(prompt, name, arguments)
    chosen = {
        argument.complete: id_in(context[argument.name])
        for argument in arguments.values()
        if argument.complete and argument.name in context
    }
    return _Field(arguments[name].complete, arguments[name].values, chosen, named=True)


def _of_template(uri: str, name: str, context: Mapping[str, str]) -> _Field:
    kind = kind_of(uri)
    if kind is None:
        raise UnknownReferenceError(f"There is no resource template {one_line(uri, 100)!r}.")
    variables = kind.template.variable_names
    if name not in variables:
        raise _no_field(str(kind.template), name, variables)
    chosen = {KIND_OF_VARIABLE.get(key, key): value for key, value in context.items()}
    return _Field(KIND_OF_VARIABLE.get(name, ""), (), chosen, named=False)


def _no_field(form: str, name: str, known: Iterable[str]) -> UnknownReferenceError:
    names = ", ".join(known) or "none"
    return UnknownReferenceError(
        f"{form} has no argument {one_line(name, 40)!r}. Its arguments: {names}."
    )


async def _in_time(reader: ResourceReader, field: _Field, typed: str) -> AccountEntries | None:
    problem = "no answer in time"
    with anyio.move_on_after(reader.limits.completion_timeout_s):
        try:
            return await _known(reader, field, typed)
        except CallError as error:
            problem = error.message
    logging.getLogger(__name__).warning("%s is not completed: %s", field.kind, problem)
    return None


async def _known(reader: ResourceReader, field: _Field, typed: str) -> AccountEntries:
    """Return everything of the field's kind; nothing while a field it depends on is missing."""
    if field.kind not in LISTINGS:
        return AccountEntries(tuple(await _local_entries(reader, field)))
    listing, needed = LISTINGS[field.kind]
    arguments: dict[str, str | int] = {}
    for name, kind in needed.items():
        chosen = await _chosen(reader, kind, field.chosen.get(kind, "").strip())
        if not _ID.fullmatch(chosen):
            return AccountEntries()
        arguments[name] = int(chosen)
    if field.kind == "coupon":
        if not typed:
            return AccountEntries()  # an account may have millions
        arguments["value"] = typed
    return await reader.entries(listing, arguments)


async def _chosen(reader: ResourceReader, kind: str, entered: str) -> str:
    """Return the entered id, or that of the only Application with the entered name."""
    if kind != "application" or not entered or _ID.fullmatch(entered):
        return entered
    entries = await reader.entries(APPLICATIONS)
    named = [each.id for each in entries.items if each.name.casefold() == entered.casefold()]
    return named[0] if len(named) == 1 else ""


async def _local_entries(reader: ResourceReader, field: _Field) -> Iterable[AccountEntry]:
    """Return the entries that need no upstream call."""
    if field.kind == "toolset":
        return (AccountEntry(each.name, each.title) for each in reader.catalog.toolsets.values())
    if field.kind == "export":
        exports = await anyio.to_thread.run_sync(reader.store.exports.kept, reader.principal)
        return (AccountEntry(each.id, each.operation) for each in exports)
    if field.kind == "answer":
        return (
            AccountEntry(each.id, each.operation)
            for each in reader.store.cut_answers.kept(reader.principal)
        )
    return map(AccountEntry, field.values)


def _completion(field: _Field, found: AccountEntries, typed: str) -> types.Completion:
    ranked = ((_rank(field, entry, typed.casefold()), entry) for entry in found.items)
    matching = sorted(
        (each for each in ranked if each[0] is not None), key=lambda each: each[0] or 0
    )
    values = list(dict.fromkeys(_value(field, entry) for _, entry in matching))
    return types.Completion(
        values=values[:_MAX_VALUES],
        total=len(values) if found.complete else None,
        has_more=len(values) > _MAX_VALUES or not found.complete,
    )


def _rank(field: _Field, entry: AccountEntry, typed: str) -> int | None:
    """Return how well an entry matches the typed text, 0 best; None if it does not."""
    if entry.id.casefold().startswith(typed):
        return None if _MASK in entry.id else 0
    if field.kind == "coupon":
        return None
    if entry.name.casefold().startswith(typed):
        return 1
    prefixes = _WORD.findall(typed)
    words = _WORD.findall(_value(field, entry).casefold() + " " + entry.name.casefold())
    matches = bool(prefixes) and all(
        any(word.startswith(prefix) for word in words) for prefix in prefixes
    )
    return 2 if matches else None


def _value(field: _Field, entry: AccountEntry) -> str:
    is_labelled = field.named and entry.name and _ID.fullmatch(entry.id)
    return f"{entry.name} (id {entry.id})" if is_labelled else entry.id
