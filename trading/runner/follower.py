"""Re-executes the journal: the same commands on the same state must give the same events."""

import msgspec

from trading.engine.engine import RULES_VERSION, Engine
from trading.journal import GENESIS_HASH, JournalBody, SealedRow, unseal


class WrongRules(Exception):
    """A row was executed under rules that this engine does not have."""


class ReplayDiverged(Exception):
    """A row's commands gave other events than the journal holds: the code is not what executed it, or has a fault."""


class Position(msgspec.Struct, frozen=True):
    """A place in the journal: the last row that a state includes."""

    seq: int = 0
    hash: bytes = GENESIS_HASH
    stamp_ms: int = 0
    rules_version: int = RULES_VERSION


class Follower:
    """An engine at a position of the journal. `touched` tells the last row that touched an account, from `start_seq` on."""

    def __init__(self, *, engine: Engine, position: Position) -> None:
        self.engine = engine
        self.position = position
        self.start_seq = position.seq
        self.touched: dict[int, int] = {}

    def follow(self, row: SealedRow) -> JournalBody:
        """Execute the next row; JournalCorrupt, WrongRules or ReplayDiverged when it does not fit."""
        if row.seq != self.position.seq + 1:
            raise ReplayDiverged(f"journal row {self.position.seq + 1} is missing: {row.seq} comes next")
        row.verify(self.position.hash)
        require_rules(row)
        body = unseal(row.payload)
        self.execute(row, body)
        self.position = Position(row.seq, row.hash, row.stamp_ms, row.rules_version)
        return body

    def execute(self, row: SealedRow, body: JournalBody) -> None:
        engine = self.engine
        engine.begin(row.stamp_ms)
        remember(engine, body)
        for command in body.commands:
            engine.apply(command)
        outcome = engine.finish()
        if outcome.events != body.events:
            raise ReplayDiverged(f"journal row {row.seq}, executed again, gives other events than it holds")
        for account_id in outcome.accounts:
            self.touched[account_id] = row.seq

    def touched_seq(self, account_id: int) -> int:
        """Return the last row that touched the account, or a later one: before the start, the start is as much as is known."""
        return self.touched.get(account_id, self.start_seq)


def remember(engine: Engine, body: JournalBody) -> None:
    if body.found_ids:
        engine.remember({(found.account_id, found.client_order_id): (found.order_id, found.content_hash) for found in body.found_ids})


def require_rules(row: SealedRow) -> None:
    if row.rules_version != RULES_VERSION:
        raise WrongRules(
            f"journal row {row.seq} was executed under rules {row.rules_version}, this engine has rules {RULES_VERSION}. "
            "Stop the version that wrote it cleanly (SIGTERM): it leaves a snapshot at the tip of the journal, from which this one starts."
        )


def require_not_newer(seq: int, rules_version: int) -> None:
    if rules_version > RULES_VERSION:
        raise WrongRules(f"snapshot {seq} was taken under rules {rules_version}, this engine has rules {RULES_VERSION}")
