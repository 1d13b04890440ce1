"""What the engine knows of one operation, and of all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from talonone_mcp.core.names import nearest

Risk = Literal["read", "write", "destructive"]
Api = Literal["management", "integration", "third_party", "capillary"]
Status = Literal["current", "deprecated", "removed"]
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
class Profile:
    """The tools and the prompts that a host is shown for one job."""

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
class Action:
    """What can be done: the verbs of operations' names, and the words that people have for it."""

    verbs: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """What people say, and what it means.

    `things` have other names; `also` are words that phrases hint at without naming them.
    """

    things: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Words:
        """Rebuild the words from their JSON form."""
        return cls(
            {name: tuple(others) for name, others in record.get("things", {}).items()},
            {name: tuple(phrases) for name, phrases in record.get("also", {}).items()},
            {
                name: Action(**{key: tuple(words) for key, words in each.items()})
                for name, each in record.get("actions", {}).items()
            },
        )


@dataclass(frozen=True, slots=True)
class Confirm:
    """When a person must say yes to a call, and what they are asked.

    `when` is a JSON Schema over the arguments; None means always. `preview` names the read whose
    answer the question shows, `preview_with` what that read is given beside the path arguments;
    "{name}" stands for the call's own argument. `threshold` names the setting whose number may
    take the place of the one in `when`. The placeholders of `ask` are described in `question`.
    """

    ask: str
    when: Schema | None = None
    preview: str | None = None
    preview_with: Mapping[str, Any] | None = None
    threshold: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the schema cannot say about the arguments: a JSON Schema in `must`, or an `order`.

    `order` holds the paths of two times, of which the first must not be the later one. `say` is
    the message of a `must` that does not hold.
    """

    must: Schema | None = None
    say: str = ""
    order: tuple[str, str] | None = None

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Rule:
        """Rebuild a rule from its JSON form."""
        if "order" in record:
            first, second = record["order"]
            return cls(order=(first, second))
        return cls(**record)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that an import's CSV may have; of `one_of`, exactly one must be there.

    `max_rows` is how many rows upstream takes, the header not counted; None when it does not say.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    max_rows: int | None = None

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Columns:
        """Rebuild the columns from their JSON form."""
        fields = dict(record)
        for name in ("required", "optional", "one_of"):
            fields[name] = tuple(fields.get(name, ()))
        return cls(**fields)

    @property
    def all(self) -> tuple[str, ...]:
        """Every column, those that must be there first."""
        return (*self.one_of, *self.required, *self.optional)


@dataclass(frozen=True, slots=True)
class Body:
    """How the arguments outside path and query become the request's body.

    `whole` names the one argument that is the body; `file` is the multipart field that carries
    the CSV of an import, with `columns`; `credentials` means the configured e-mail and password.
    With none of them, every remaining argument is a property of a JSON object.
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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tool:
    """What an operation and a workflow have in common: all that a client, and the gate, know of it.

    `input_schema` is the JSON Schema that clients are shown and that calls are validated with,
    beside the `rules`. Any one of `apis` lets it be called. `reserved` are arguments of the
    engine's own, which are accepted beside it and never sent. `secrets` are the arguments that are
    never shown. `check` is the read that tells whether a write happened.
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
    rules: tuple[Rule, ...] = ()
    confirm: Confirm | None = None
    check: str | None = None
    status: Status = "current"
    idempotent: bool = False
    keywords: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that it is called, its own name last."""
        return (*self.aliases, self.name)

    @property
    def path_arguments(self) -> tuple[str, ...]:
        """The arguments that are segments of a path, in order."""
        return ()

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
    """One upstream operation, as `tools/*.yaml` states it.

    `query` lists the arguments that go into the query string: `joined` those whose list is one
    comma-separated value, `dotted` those whose every key is a parameter of its own with a dot in
    front. `headers` names, for an argument, the header that carries it; `listed_by`, for an
    argument, the operation that lists its values. `view` holds the paths (as in `fields`) of what
    an answer shows unless a call asks for other fields; empty means all. They lead from an item of
    `data`, or from the answer where it has no such list.
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
    listed_by: Mapping[str, str] | None = None
    operation_id: str = ""

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Operation:
        """Rebuild an operation from its JSON form."""
        fields = _tool_fields(record)
        fields["apis"] = (fields.pop("api"),)
        if "body" in fields:
            fields["body"] = Body.from_compiled(fields["body"])
        for name in ("query", "joined", "dotted", "view"):
            fields[name] = tuple(fields.get(name, ()))
        return cls(**fields)

    @property
    def is_export(self) -> bool:
        """Whether the answer is CSV that goes to a file."""
        return self.answer == "csv"

    @property
    def api(self) -> Api:
        """The one API that it belongs to."""
        return self.apis[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that it is called: upstream's name, aliases, and its own name last."""
        return (self.operation_id, *self.aliases, self.name)

    @property
    def path_arguments(self) -> tuple[str, ...]:
        """The names of the path's placeholders, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Workflow(Tool):
    """Several operations in one call, as `tools/workflows.yaml` states it; `uses` names them.

    `answer` holds the schemas of what is in its answer, by name; a part that is empty stays out.
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
    if "confirm" in fields:
        fields["confirm"] = Confirm(**fields["confirm"])
    fields["rules"] = tuple(map(Rule.from_compiled, fields.get("rules", ())))
    for name in ("secrets", "aliases"):
        fields[name] = tuple(fields.get(name, ()))
    return fields


@dataclass(frozen=True, slots=True)
class Catalog:
    """All operations and workflows by name, in the order in which they are listed."""

    operations: Mapping[str, Operation]
    toolsets: Mapping[str, Toolset]
    workflows: Mapping[str, Workflow] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    aliases: Mapping[str, Tool] = field(default_factory=dict)
    words: Words = field(default_factory=Words)

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
        )

    def __iter__(self) -> Iterator[Operation]:
        """Yield every operation."""
        return iter(self.operations.values())

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Everything that can be called, workflows first."""
        return (*self.workflows.values(), *self.operations.values())

    def find(self, name: str) -> Tool | None:
        """Return the operation or workflow of this name or alias."""
        return self.operations.get(name) or self.workflows.get(name) or self.aliases.get(name)

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """Return the names that look most like `name`, which may be not at all."""
        return nearest(name, (tool.name for tool in self.tools), count=count, alike=0)
