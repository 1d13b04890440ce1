"""Completes what a person enters: the variables of resource templates, the arguments of prompts.

Each has a kind, such as `campaign`. What there is of a kind comes from the account, and a value
chosen before narrows it: campaigns are those of the Application that the same form names. A
template takes ids; a prompt takes what a person reads, the name with the id behind it.
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
    Entries,
    Entry,
    Listing,
)
from talonone_mcp.server.prompts import Prompt
from talonone_mcp.server.resources import ResourceReader, kind_of

_MOST = 100  # values; the protocol allows no more
_TYPED = 200  # characters that can begin a name
KIND_OF_VARIABLE = {
    "applicationId": "application",
    "campaignId": "campaign",
    "rulesetId": "ruleset",
    "loyaltyProgramId": "loyalty_program",
    "toolset": "toolset",
    "exportId": "export",
    "answerId": "answer",
}
# What is listed of a kind, and the kinds that must be chosen before, by the listing's arguments.
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
_MASK = "***"  # in the place of personal data, which completes nothing


class UnknownReferenceError(Exception):
    """There is no such prompt, template or argument; the message says which there are."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a form: what goes into it, and what was chosen in others, by kind.

    `values` stand in the place of a kind; `named` is for people: names, with ids.
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
    """Return what a field may be completed with, the best first.

    There is nothing when upstream does not answer in time; the log has why.

    Args:
        reader: what the account and the server have, for whoever asks.
        prompts: those that there are.
        params: the form, the field, what was typed, and what was chosen in other fields.

    Raises:
        UnknownReferenceError: there is no such form, or it has no such field.
    """
    context = params.context.arguments if params.context else None
    name, typed = params.argument.name, clean(params.argument.value).strip()
    if isinstance(params.ref, types.PromptReference):
        field = _of_prompt(prompts, params.ref.name, name, context or {})
    else:
        field = _of_template(params.ref.uri, name, context or {})
    found = await _in_time(reader, field, typed) if len(typed) <= _TYPED else Entries()
    return types.Completion(values=[]) if found is None else _completion(field, found, typed)


def id_in(entered: str) -> str:
    """Return the id in what a prompt's argument was completed with; what was entered otherwise."""
    label = _LABEL.fullmatch(entered.strip())
    return label[1] if label else entered


def _of_prompt(
    prompts: Mapping[str, Prompt], prompt: str, name: str, context: Mapping[str, str]
) -> _Field:
    if prompt not in prompts:
        known = ", ".join(prompts)
        raise UnknownReferenceError(f"There is no prompt {one_line(prompt, 80)!r}, only {known}.")
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


async def _in_time(reader: ResourceReader, field: _Field, typed: str) -> Entries | None:
    problem = "no answer in time"
    with anyio.move_on_after(reader.limits.completion_timeout_s):
        try:
            return await _known(reader, field, typed)
        except CallError as error:
            problem = error.message
    logging.getLogger(__name__).warning("%s is not completed: %s", field.kind, problem)
    return None


async def _known(reader: ResourceReader, field: _Field, typed: str) -> Entries:
    """Return what there is of the field's kind; nothing when that cannot be known yet."""
    if field.kind not in LISTINGS:
        return Entries(tuple(await _at_hand(reader, field)))
    listing, needed = LISTINGS[field.kind]
    arguments: dict[str, str | int] = {}
    for name, kind in needed.items():
        chosen = await _chosen(reader, kind, field.chosen.get(kind, "").strip())
        if not _ID.fullmatch(chosen):
            return Entries()
        arguments[name] = int(chosen)
    if field.kind == "coupon":
        if not typed:
            return Entries()  # there may be millions
        arguments["value"] = typed
    return await reader.entries(listing, arguments)


async def _chosen(reader: ResourceReader, kind: str, entered: str) -> str:
    """Return the id that was entered, or that of the one Application which has that name."""
    if kind != "application" or not entered or _ID.fullmatch(entered):
        return entered
    entries = await reader.entries(APPLICATIONS)
    named = [each.id for each in entries.items if each.name.casefold() == entered.casefold()]
    return named[0] if len(named) == 1 else ""


async def _at_hand(reader: ResourceReader, field: _Field) -> Iterable[Entry]:
    """Return what is known without upstream."""
    if field.kind == "toolset":
        return (Entry(each.name, each.title) for each in reader.catalog.toolsets.values())
    if field.kind == "export":
        exports = await anyio.to_thread.run_sync(reader.store.exports.kept, reader.principal)
        return (Entry(each.id, each.operation) for each in exports)
    if field.kind == "answer":
        return (
            Entry(each.id, each.operation)
            for each in reader.store.cut_answers.kept(reader.principal)
        )
    return map(Entry, field.values)


def _completion(field: _Field, found: Entries, typed: str) -> types.Completion:
    ranked = ((_rank(field, entry, typed.casefold()), entry) for entry in found.items)
    fitting = sorted(
        (each for each in ranked if each[0] is not None), key=lambda each: each[0] or 0
    )
    values = list(dict.fromkeys(_value(field, entry) for _, entry in fitting))
    return types.Completion(
        values=values[:_MOST],
        total=len(values) if found.complete else None,
        has_more=len(values) > _MOST or not found.complete,
    )


def _rank(field: _Field, entry: Entry, typed: str) -> int | None:
    """Return how well an entry fits what was typed, 0 the best; None when it does not."""
    if entry.id.casefold().startswith(typed):
        return None if _MASK in entry.id else 0
    if field.kind == "coupon":
        return None
    if entry.name.casefold().startswith(typed):
        return 1
    begun = _WORD.findall(typed)
    words = _WORD.findall(_value(field, entry).casefold() + " " + entry.name.casefold())
    fits = bool(begun) and all(any(word.startswith(each) for word in words) for each in begun)
    return 2 if fits else None


def _value(field: _Field, entry: Entry) -> str:
    labelled = field.named and entry.name and _ID.fullmatch(entry.id)
    return f"{entry.name} (id {entry.id})" if labelled else entry.id
