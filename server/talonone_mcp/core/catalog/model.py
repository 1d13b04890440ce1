"""The data model of the catalog: operations, workflows, toolsets, profiles and words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from talonone_mcp.core.catalog.columns import Columns
from talonone_mcp.core.catalog.impact_rules import Before, ImpactRule
from talonone_mcp.core.catalog.word_lists import Words
from talonone_mcp.core.names import nearest
from talonone_mcp.core.policy import Policy

Risk = Literal["read", "write", "destructive"]
Api = Literal["management", "integration", "third_party", "capillary"]
Status = Literal["current", "deprecated", "removed"]
Schema = dict[str, Any]


class CatalogError(ValueError):
    """A catalog entry is wrong; the message says which and how."""


@dataclass(frozen=True, slots=True)
class Toolset:
    """A group of operations for one area of work."""

    name: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Profile:
    """The tools and prompts that a host sees for one job."""

    name: str
    title: str
    tools: tuple[str, ...]
    prompts: tuple[str, ...]

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Profile:
        """Rebuild a profile from its JSON form."""
        return cls(
            record["name"], record["title"], tuple(record["tools"]), tuple(record["prompts"])
        )


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the schema cannot say about the arguments: either `must` with `say`, or `order`.

    Attributes:
        must: a JSON Schema over all arguments.
        say: the message if `must` does not hold.
        order: the paths of two times; the first must not be later than the second.
    """

    must: Schema | None = None
    say: str = ""
    order: tuple[str, str] | None = None

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Constraint:
        """Rebuild a constraint from its JSON form."""
        if "order" in record:
            first, second = record["order"]
            return cls(order=(first, second))
        return cls(**record)


@dataclass(frozen=True, slots=True)
class Body:
    """How the arguments outside path, query and headers become the request's body.

    Unless an attribute is set, every remaining argument is a property of a JSON object.

    Attributes:
        whole: the one argument that is the entire body.
        file: the multipart field that carries the CSV of an import.
        columns: the columns of that CSV.
        credentials: whether the body is the configured e-mail and password.
    """

    whole: str | None = None
    file: str | None = None
    columns: Columns | None = None
    credentials: bool = False

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Body:
        """Rebuild a body from its JSON form."""
        fields = dict(record)
        if "columns" in fields:
            fields["columns"] = Columns.from_compiled(fields["columns"])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Replaces:
    """How to change a part of what a request replaces as a whole.

    `Operation.before` tells what is there now.

    Attributes:
        fields: the properties of the body.
        required: those that upstream's request must have, which a call need not name.
        renamed: the read's name for a property, where it has another.
        only_lists: whether upstream keeps the fields that a request leaves out, and replaces only
            the lists and maps that it names.
        blind: the fields that a request without them empties, and that no read shows: a call must
            set or clear each of them, or say `replace: true`.
    """

    fields: tuple[str, ...]
    required: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    only_lists: bool = False
    blind: tuple[str, ...] = ()

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Replaces:
        """Rebuild it from its JSON form."""
        fields = dict(record)
        for name in ("fields", "required", "blind"):
            fields[name] = tuple(fields.get(name, ()))
        return cls(**fields)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tool:
    """What operations and workflows share: all that clients and the gate need.

    Attributes:
        apis: any one of them must have credentials for a call.
        input_schema: the JSON Schema that clients see and calls are validated against.
        reserved: our own arguments, accepted beside those of the schema and never sent upstream.
        secrets: arguments whose values are never shown.
        constraints: what the schema cannot say about the arguments.
        impact: what a call may do; none for a read, and for a workflow, whose steps have theirs.
        undo: what a person should know about undoing it.
        check: the read that tells whether a write happened.
        keywords: what people call it; for search only.
    """

    name: str
    title: str
    description: str
    toolset: str
    apis: tuple[Api, ...]
    risk: Risk
    input_schema: Schema
    reserved: Mapping[str, Schema] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    impact: tuple[ImpactRule, ...] = ()
    undo: str = ""
    check: str | None = None
    status: Status = "current"
    idempotent: bool = False
    keywords: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of its names, the main one last."""
        return (*self.aliases, self.name)

    @property
    def path_arguments(self) -> tuple[str, ...]:
        """The arguments that are path segments, in order."""
        return ()

    @property
    def sent_schema(self) -> Schema:
        """The JSON Schema of the arguments that a request is made of."""
        return self.input_schema

    @property
    def is_read(self) -> bool:
        """Whether a call changes nothing."""
        return self.risk == "read"

    @property
    def is_export(self) -> bool:
        """Whether the answer is CSV that goes to a file."""
        return False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Operation(Tool):
    """One upstream operation, as defined in `tools/*.yaml`.

    Attributes:
        query: the arguments that go into the query string.
        joined: those of them whose list is sent as one comma-separated value.
        dotted: those of them whose every key is a parameter of its own, prefixed with a dot.
        headers: the header that carries an argument, by argument.
        listed_by: the operation that lists an argument's values, by argument.
        view: the fields shown by default, as paths like those in `fields`; empty means all. Paths
            start at an item of `data`, or at the answer if it has no such list.
        hidden: who may read the secret at a path of the answer: a person, from a file, or nobody.
            Names that say secret need no entry.
        before: the read that shows what a call is about to change.
        replaces: how a call that names only what is to change is completed, if upstream's request
            replaces the whole.
        refused_if: the function of `calls/foreseen_refusals` that tells what upstream would refuse.
        keeps_items: whether the actions of a catalog's sync are completed from the items there.
    """

    method: str
    path: str
    query: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    dotted: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    answer: Literal["json", "csv"] = "json"
    view: tuple[str, ...] = ()
    hidden: Mapping[str, Literal["person", "nobody"]] = field(default_factory=dict)
    listed_by: Mapping[str, str] | None = None
    before: Before | None = None
    replaces: Replaces | None = None
    refused_if: str = ""
    keeps_items: bool = False
    operation_id: str = ""

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Operation:
        """Rebuild an operation from its JSON form."""
        fields = _tool_fields(record)
        fields["apis"] = (fields.pop("api"),)
        if "body" in fields:
            fields["body"] = Body.from_compiled(fields["body"])
        if "before" in fields:
            fields["before"] = Before(**fields["before"])
        if "replaces" in fields:
            fields["replaces"] = Replaces.from_compiled(fields["replaces"])
        for name in ("query", "joined", "dotted", "view"):
            fields[name] = tuple(fields.get(name, ()))
        return cls(**fields)

    @property
    def sent_schema(self) -> Schema:
        """The JSON Schema of what upstream is sent: of the whole, where a call names a part."""
        if self.replaces is None:
            return self.input_schema
        required = [*self.input_schema.get("required", ()), *self.replaces.required]
        return {**self.input_schema, "required": required}

    @property
    def is_export(self) -> bool:
        """Whether the answer is CSV that goes to a file."""
        return self.answer == "csv"

    @property
    def api(self) -> Api:
        """The API it belongs to."""
        return self.apis[0]

    @property
    def names(self) -> tuple[str, ...]:
        """All of its names: upstream's operationId, aliases, and the main one last."""
        return (self.operation_id, *self.aliases, self.name)

    @property
    def path_arguments(self) -> tuple[str, ...]:
        """The names of the path's placeholders, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Workflow(Tool):
    """Several operations in one call, as defined in `tools/workflows.yaml`.

    Attributes:
        uses: the operations it may call.
        answer: the schemas of the answer's parts, by name; an answer omits empty parts.
    """

    uses: tuple[str, ...]
    answer: Mapping[str, Schema]

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Workflow:
        """Rebuild a workflow from its JSON form."""
        fields = _tool_fields(record)
        for name in ("apis", "uses"):
            fields[name] = tuple(fields[name])
        return cls(**fields)


def _tool_fields(record: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(record)
    fields["impact"] = tuple(ImpactRule(**rule) for rule in fields.get("impact", ()))
    fields["constraints"] = tuple(map(Constraint.from_compiled, fields.get("constraints", ())))
    for name in ("secrets", "aliases"):
        fields[name] = tuple(fields.get(name, ()))
    return fields


@dataclass(frozen=True, slots=True)
class Catalog:
    """All operations and workflows by name, in listing order, and the gate's policy."""

    operations: Mapping[str, Operation]
    toolsets: Mapping[str, Toolset]
    workflows: Mapping[str, Workflow] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    aliases: Mapping[str, Tool] = field(default_factory=dict)
    words: Words = field(default_factory=Words)
    policy: Policy = field(default_factory=Policy)

    @classmethod
    def from_compiled(cls, compiled: Mapping[str, Any]) -> Catalog:
        """Rebuild the catalog from its JSON form."""
        operations = [Operation.from_compiled(record) for record in compiled["operations"]]
        workflows = [Workflow.from_compiled(record) for record in compiled["workflows"]]
        toolsets = (Toolset(**record) for record in compiled["toolsets"])
        return cls(
            {operation.name: operation for operation in operations},
            {toolset.name: toolset for toolset in toolsets},
            {workflow.name: workflow for workflow in workflows},
            {record["name"]: Profile.from_compiled(record) for record in compiled["profiles"]},
            {alias: tool for tool in (*workflows, *operations) for alias in tool.aliases},
            Words.from_compiled(compiled["words"]),
            Policy.from_compiled(compiled["policy"]),
        )

    def __iter__(self) -> Iterator[Operation]:
        """Yield every operation."""
        return iter(self.operations.values())

    @property
    def tools(self) -> tuple[Tool, ...]:
        """All workflows, then all operations."""
        return (*self.workflows.values(), *self.operations.values())

    def find(self, name: str) -> Tool | None:
        """Return the operation or workflow with this name or alias, or None."""
        return self.operations.get(name) or self.workflows.get(name) or self.aliases.get(name)

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """Return the names most similar to `name`, however dissimilar they are."""
        return nearest(name, (tool.name for tool in self.tools), count=count, alike=0)
