"""Lets a call through: judges it, has a person confirm it if need be, and counts what it gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from talonone_mcp.calls.arguments import validate_whole
from talonone_mcp.calls.caller import Caller
from talonone_mcp.calls.explained import Explained
from talonone_mcp.calls.gate import AgreedPlan, Gate, Passage, gated_call
from talonone_mcp.calls.judging import CallJudgement, Judge, is_judged
from talonone_mcp.calls.plan import Plan
from talonone_mcp.calls.question import Question, Statement, is_elided, question_of
from talonone_mcp.calls.recorder import AuditEntry
from talonone_mcp.calls.shown import Shown
from talonone_mcp.calls.spending_limits import Charge, SpendingLimits, was_refused
from talonone_mcp.calls.statements import statement_of, statement_of_plan
from talonone_mcp.calls.updating import changed_fields, conflict
from talonone_mcp.core.catalog import Catalog, Operation, Tool, Workflow
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.impact import Impact
from talonone_mcp.core.policy import Key
from talonone_mcp.core.settings import ConfirmPolicy
from talonone_mcp.upstream.place import Place

_ID_CHARS = 10  # of the digest of a call, by which a person finds all of it
_REHEARSED = "it changes nothing"
_MANY = "This is asked about because of all that went without asking before it."
_PLANS = "a plan of several changes is always asked about, as a whole"


class RehearsedError(Exception):
    """A call that is only to be explained reached the point where it would change something."""

    def __init__(self, explained: Explained) -> None:
        super().__init__(explained.because)
        self.explained = explained


class Admission:
    """Admits the calls of one server."""

    def __init__(
        self,
        catalog: Catalog,
        judge: Judge,
        gate: Gate,
        limits: SpendingLimits,
        place: Callable[[Tool], Place],
    ) -> None:
        """Take what admits.

        Args:
            catalog: every operation.
            judge: tells what a call would do.
            gate: has a person confirm a call.
            limits: tells which calls those are.
            place: tells where a tool's calls go.
        """
        self._catalog = catalog
        self._judge = judge
        self._gate = gate
        self._limits = limits
        self._place = place

    @asynccontextmanager
    async def admitted(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        caller: Caller,
        entry: AuditEntry,
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the arguments to send, once the call may go out.

        Args:
            operation: what is called.
            arguments: of the call; an import's `csv` is its `Content`.
            caller: who calls.
            entry: the call's audit entry.

        Raises:
            CallError: the call cannot be made, or nobody confirmed it.
            QuestionOpenError: a person must confirm it first.
        """
        if self.mode == "off" or not is_judged(operation, arguments):
            entry.passage = Passage("off") if operation.impact and self.mode == "off" else None
            yield await self.completed(operation, arguments)
            return
        deployment = self._place(operation).url
        await self._gate.refuse_if_unanswered(operation, arguments, caller, deployment)
        judgement = await self._judged(operation, arguments)
        charge = self._charge(operation, judgement.impacts, caller)
        entry.impacts = judgement.impacts
        counted = await self._limits.count_unasked(charge)
        if counted is not None:
            async with self._counted(counted):
                yield judgement.update.whole
            return
        async with self._confirmed(judgement, charge, caller, entry) as latest:
            yield latest.update.whole

    async def completed(
        self, operation: Operation, arguments: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the arguments to send of a call that needs no judgement.

        Raises:
            CallError: what an update changes cannot be read, or the call does not go with it.
        """
        if operation.replaces is None and not operation.keeps_items:
            return arguments
        judgement = await self._judge.completed(operation, arguments)
        validate_whole(operation, judgement.update.whole, arguments)
        return judgement.update.whole

    @asynccontextmanager
    async def agreed(
        self,
        workflow: Workflow,
        arguments: Mapping[str, Any],
        caller: Caller,
        entry: AuditEntry,
        make: Callable[[], Awaitable[Plan]],
    ) -> AsyncIterator[AgreedPlan]:
        """Have a person agree to a workflow's plan, as a whole, and yield the agreed plan.

        Args:
            workflow: the workflow called.
            arguments: the call's arguments.
            caller: who calls.
            entry: the call's audit entry.
            make: makes the plan; called again after a late yes, since the plan may have changed.

        Raises:
            CallError: nobody agreed, or `make` raised it and nobody was asked.
            QuestionOpenError: a person must agree first.
        """
        if self.mode == "off":
            entry.passage = Passage("off")
            yield AgreedPlan(await make(), entry.passage)
            return

        async def write() -> Question:
            plan = await make()
            return self._question_of_plan(workflow, arguments, plan, caller)

        deployment = self._place(workflow).url
        await self._gate.refuse_if_unanswered(workflow, arguments, caller, deployment)
        entry.passage = passage = await self._gate.confirm(
            workflow, arguments, caller, deployment=deployment, write=write
        )
        async with self._closed(passage):
            plan = passage.plan or await make()
            charge = self._charge(workflow, self.impacts_of_plan(plan), caller)
            entry.impacts = charge.impacts
            await self._limits.count_asked(charge)  # and not given back: a part may be done
            yield AgreedPlan(plan, passage)

    @property
    def mode(self) -> ConfirmPolicy:
        """What happens to a call that a person must confirm."""
        return self._gate.mode

    async def left(self, place: Place, caller: Caller) -> dict[Key, float]:
        """Return how much of each kind and unit may still go without asking.

        Raises:
            CallError: `blocked`, if the sums cannot be read.
        """
        return await self._limits.left(place.account, caller.principal)

    # --- Explaining ------------------------------------------------------------------------------

    async def explained(
        self, operation: Operation, arguments: Mapping[str, Any], caller: Caller
    ) -> Explained:
        """Return what a call would do, whether a person is asked, and what. Nothing is changed.

        Raises:
            CallError: the call would be refused.
        """
        if not is_judged(operation, arguments):
            await self.completed(operation, arguments)
            return Explained(operation.name, (), asked=False, because=_REHEARSED, question="")
        judgement = await self._judged(operation, arguments)
        ruling = await self._limits.ruling(self._charge(operation, judgement.impacts, caller))
        question = ""
        if ruling.asked:
            question = self._question(await self._judge.with_state(judgement), caller).text
        return Explained(operation.name, judgement.impacts, ruling.asked, ruling.because, question)

    def explained_plan(
        self, workflow: Workflow, arguments: Mapping[str, Any], plan: Plan, caller: Caller
    ) -> Explained:
        """Return what a plan would do, and what a person is asked."""
        question = self._question_of_plan(workflow, arguments, plan, caller)
        impacts = self.impacts_of_plan(plan)
        return Explained(workflow.name, impacts, True, _PLANS, question.text)

    def impacts_of_plan(self, plan: Plan) -> tuple[Impact, ...]:
        """Return what the calls of a plan do together."""
        return tuple(
            impact
            for call in plan.calls
            for impact in self._judge.judged(
                self._catalog.operations[call.operation],
                call.arguments,
                Shown().with_before(dict(call.before)).with_rehearsal(None),
            ).impacts
        )

    # --- One call --------------------------------------------------------------------------------

    async def _judged(self, operation: Operation, arguments: Mapping[str, Any]) -> CallJudgement:
        judgement = await self._judge.judge(operation, arguments)
        if operation.replaces is not None:
            validate_whole(operation, judgement.update.whole, arguments)
        return judgement

    @asynccontextmanager
    async def _confirmed(
        self, judgement: CallJudgement, charge: Charge, caller: Caller, entry: AuditEntry
    ) -> AsyncIterator[CallJudgement]:
        """Have a person confirm a call, and yield its judgement by what is there then."""
        operation, arguments = judgement.operation, judgement.arguments
        seen: list[CallJudgement] = []  # at each look

        async def write() -> Question:
            latest = await self._judged(operation, arguments) if seen else judgement
            seen.append(await self._judge.with_state(latest))
            return self._question(seen[-1], caller)

        entry.passage = passage = await self._gate.confirm(
            operation,
            arguments,
            caller,
            deployment=self._place(operation).url,
            write=write,
        )
        latest = seen[-1]
        charge = replace(charge, impacts=latest.impacts)
        async with self._closed(passage), self._counted(await self._limits.count_asked(charge)):
            _refuse_if_changed(seen[-2:][0], latest)
            yield latest

    @asynccontextmanager
    async def _counted(self, counted: str) -> AsyncIterator[None]:
        """Give back what a call was to give, if upstream refuses it."""
        try:
            yield
        except CallError as error:
            if was_refused(error):
                await self._limits.give_back(counted)
            raise

    @asynccontextmanager
    async def _closed(self, passage: Passage) -> AsyncIterator[None]:
        """Close a confirmed call's ledger entry once its outcome is known.

        An entry that stays open means that this process ended before that.
        """
        try:
            yield
        except CallError:
            await self._gate.close(passage)
            raise
        await self._gate.close(passage)

    def _charge(self, tool: Tool, impacts: tuple[Impact, ...], caller: Caller) -> Charge:
        return Charge(self._place(tool).account, caller.principal, impacts)

    # --- Questions -------------------------------------------------------------------------------

    def _question(self, judgement: CallJudgement, caller: Caller) -> Question:
        operation = judgement.operation
        place = self._place(operation)
        statement = statement_of(
            judgement,
            place.name,
            is_sandbox=place.is_sandbox,
            is_same=self._is_same_thing(operation),
        )
        if not self._limits.policy.judge(judgement.impacts).asked:
            statement = replace(statement, warnings=(_MANY, *statement.warnings))
        return self._asked(operation, judgement.arguments, statement, caller)

    def _is_same_thing(self, operation: Operation) -> bool:
        """Tell whether what is read before a call is the thing that it changes."""
        before = operation.before
        if before is None:
            return False
        return bool(before.pick) or self._catalog.operations[before.read].path == operation.path

    def _question_of_plan(
        self, workflow: Workflow, arguments: Mapping[str, Any], plan: Plan, caller: Caller
    ) -> Question:
        place = self._place(workflow)
        statement = statement_of_plan(
            workflow, plan, self.impacts_of_plan(plan), place.name, is_sandbox=place.is_sandbox
        )
        return replace(self._asked(workflow, arguments, statement, caller), plan=plan)

    def _asked(
        self, tool: Tool, arguments: Mapping[str, Any], statement: Statement, caller: Caller
    ) -> Question:
        """Return the question, which names where all of it is if it cannot hold everything."""
        if not is_elided(statement):
            return question_of(statement)
        call = gated_call(tool, arguments, caller, self._place(tool).url)
        entry = call.digest[:_ID_CHARS]
        whole = f"talonone-mcp approvals show {entry}"
        return replace(question_of(replace(statement, whole=whole)), whole=entry)


def _refuse_if_changed(asked_about: CallJudgement, latest: CallJudgement) -> None:
    """Refuse an update of what somebody else changed while a person was asked.

    Raises:
        CallError: `conflict`.
    """
    old, new = asked_about.update.old, latest.update.old
    if old is None or new is None:
        return
    changed = changed_fields(old, new)
    if changed:
        raise conflict(latest.operation, changed)
