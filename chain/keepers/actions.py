"""What a keeper does: one transaction for each action, side by side, and what became of each.

That somebody else was first is no failure. It is told from a failure by the name of the program's error.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import structlog
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.signature import Signature

from chain.building import Signed, build
from chain.client import ChainClient
from chain.errors import SimulationFailed, TransactionTooLarge

Outcome = Literal["done", "done by another", "refused", "lost", "too large"]
# What a program says of an account that was closed, made, numbered on or done with by somebody else in the meantime.
BY_ANOTHER: Final = frozenset({"AccountNotInitialized", "AlreadyDone", "ConstraintSeeds", "Taken", "WrongPhase"})
NAMED: Final = re.compile(r"Error Code: (\w+)")
# Of an address that has an account: newer clusters name it, older ones do not know Anchor's instruction for one with lamports.
TAKEN: Final = re.compile(r"already in use|Program 1{32} failed: invalid instruction data")
POLL_S, RESEND_S, TIMEOUT_S = 0.4, 2.0, 60.0
log = structlog.get_logger("keeper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """`by_another`: the errors, beside those of BY_ANOTHER, that mean it is not due any more. `otherwise`: less, where all fails."""

    job: str
    title: str
    instructions: list[Instruction]
    by_another: frozenset[str] = frozenset()
    otherwise: list[Instruction] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    job: str
    title: str
    outcome: Outcome
    detail: str = ""


@dataclass(slots=True)
class _Sent:
    action: Action
    signed: Signed
    again_at: float = field(default_factory=lambda: time.monotonic() + RESEND_S)


class Sender:
    """Any funded key pays. `pause` waits between two looks. `tables`: lookup tables, for what does not fit without."""

    def __init__(self, *, client: ChainClient, payer: Keypair, pause: Callable[[float], None] = time.sleep) -> None:
        self._client, self._payer, self._pause = client, payer, pause
        self.tables: list[AddressLookupTableAccount] = []

    def send(self, actions: Sequence[Action]) -> list[Result]:
        """Send all of them, wait until each is confirmed, and tell what became of it, in a line of the log each."""
        results: list[Result] = []
        waiting: dict[Signature, _Sent] = {}
        for action in actions:
            made = self._build(action)
            if isinstance(made, Result):
                results.append(_told(made))
            else:
                self._client.send(made.transaction)
                waiting[made.signature] = _Sent(action, made)
        return [*results, *map(_told, self._wait(waiting))]

    def _build(self, action: Action) -> Signed | Result:
        try:
            return self._signed(action.instructions)
        except SimulationFailed as failure:
            if action.otherwise is not None:
                return self._build(replace(action, instructions=action.otherwise, otherwise=None))
            return _failed(action, error_name(failure.logs) or failure.error)
        except TransactionTooLarge as failure:
            return Result(job=action.job, title=action.title, outcome="too large", detail=failure.message)

    def _signed(self, instructions: list[Instruction]) -> Signed:
        """What does not fit takes the keeper's lookup table, and what fits only without a budget the default one."""
        ways = [(True, tables) for tables in self._tables_tried()] + [(False, tables) for tables in self._tables_tried()]
        for budgeted, tables in ways[:-1]:
            try:
                return self._built(instructions, budgeted, tables)
            except TransactionTooLarge:
                continue
        return self._built(instructions, *ways[-1])

    def _tables_tried(self) -> list[list[AddressLookupTableAccount]]:
        return [[], self.tables] if self.tables else [[]]

    def _built(self, instructions: list[Instruction], budgeted: bool, tables: list[AddressLookupTableAccount]) -> Signed:
        return build(client=self._client, payer=self._payer, instructions=instructions, budgeted=budgeted, tables=tables)

    def _wait(self, waiting: dict[Signature, _Sent]) -> Iterable[Result]:
        until = time.monotonic() + TIMEOUT_S
        while waiting and time.monotonic() < until:
            for signature, sent in list(waiting.items()):
                result = self._look(signature, sent)
                if result is not None:
                    del waiting[signature]
                    yield result
            if waiting:
                self._pause(POLL_S)
        for sent in waiting.values():
            yield Result(job=sent.action.job, title=sent.action.title, outcome="lost", detail="not confirmed in time")

    def _look(self, signature: Signature, sent: _Sent) -> Result | None:
        status = self._client.status(signature)
        if status is None and time.monotonic() > sent.again_at:
            sent.again_at = time.monotonic() + RESEND_S
            self._client.send(sent.signed.transaction)
        if status is None or status.commitment == "processed":
            return None
        if status.error is None:
            return Result(job=sent.action.job, title=sent.action.title, outcome="done", detail=str(signature))
        landed = self._client.transaction(str(signature), "confirmed")
        logs = (landed or {}).get("meta", {}).get("logMessages") or []
        return _failed(sent.action, error_name(logs) or status.error)


def error_name(logs: Iterable[str]) -> str:
    """Return what the program called its error; nothing where it gave none."""
    text = "\n".join(logs)
    named = NAMED.findall(text)
    return str(named[-1]) if named else "Taken" if TAKEN.search(text) else ""


def _failed(action: Action, error: str) -> Result:
    another = error in BY_ANOTHER or error in action.by_another
    return Result(job=action.job, title=action.title, outcome="done by another" if another else "refused", detail=error)


def _told(result: Result) -> Result:
    level = "info" if result.outcome in {"done", "done by another"} else "warning"
    getattr(log, level)("keeper_action", job=result.job, action=result.title, outcome=result.outcome, detail=result.detail)
    return result
