"""The one writer: takes what has queued as a batch, executes it, commits it, and only then lets anything of it out.

There are no timers. The open batch takes in what arrives while the last commit is in flight; when that returns, the batch
is closed and its own commit begins. Invariant: nothing that was computed from uncommitted state is written to a link
before `_release` of the batch that it was computed in.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import cast

import msgspec
import structlog

from markets import queries, wire
from markets.commands import AnyCommand, CancelAll, ClockTick, PlaceBatch, RulesUpgrade
from markets.events import AnyEvent
from markets.rejects import Reject
from markets.views import Reply, StateView
from trading.engine.engine import RULES_VERSION
from trading.engine.snapshot import state_hash
from trading.engine.state import State
from trading.journal import FoundId, JournalBody, seal
from trading.runner import metrics
from trading.runner.batch import Batch, Deferred
from trading.runner.feed import Feed
from trading.runner.follower import Follower, Position
from trading.runner.server import Link
from trading.runner.used_ids import Key, UsedIds, knows, placed, unknown_ids
from trading.runner.writer import JournalWriter

BATCH_LIMIT = 1_000
TICK_SECONDS = 1.0
LEASE_SECONDS = 1.9  # less than the silence after which a standby takes over
TICK = wire.Submit(0, ClockTick())
PROJECTION_BEHIND = Reply(reject=Reject("PROJECTION_BEHIND"))

log = structlog.get_logger("engine")

Request = tuple[Link | None, wire.ClientMessage]


def answered(ask: wire.Ask, find: Callable[[], object]) -> wire.Answered | wire.Malformed:
    """Return a query's answer. A number that no message can carry is a bug that concerns the asker only: it must not stop the leader."""
    try:
        return wire.Answered(ask.id, msgspec.Raw(wire.encoder.encode(find())))
    except OverflowError as error:
        log.error("an answer cannot be encoded", query=type(ask.query).__name__, error=str(error))
        return wire.Malformed(ask.id, "the answer has a number that is too large to be sent")


class Leader:
    """Executes requests on the engine from the follower's position on. `find_ids` asks the tables for client ids."""

    def __init__(
        self,
        *,
        follower: Follower,
        epoch: int,
        feed: Feed,
        used_ids: UsedIds,
        queue_limit: int,
        find_ids: Callable[[list[Key]], "asyncio.Future[list[FoundId]]"],
        boundary: Callable[[State, Position, int], None],
        session_ended: Callable[[CancelAll], None],
    ) -> None:
        self.engine = follower.engine
        self.epoch = epoch
        self.writer: JournalWriter
        self.projection_behind = False
        self.committed_position = self._position = follower.position
        self._follower = follower
        self._feed = feed
        self._used_ids = used_ids
        self._queue_limit = queue_limit
        self._find_ids = find_ids
        self._boundary = boundary
        self._session_ended = session_ended
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Request] = deque()
        self._open = Batch(self._position.seq)
        self._in_flight: Batch | None = None
        self._looked_up: dict[Key, FoundId | None] = {}
        self._looking_up = False
        self._woken = False
        self._finishing = False
        self._committed_at = time.monotonic()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def queue_depth(self) -> int:
        return len(self._queue)

    def receive(self, link: Link | None, message: wire.ClientMessage) -> None:
        """Queue a request, or refuse it when the queue is full. The runner's own commands come without a link."""
        if link is not None and (len(self._queue) >= self._queue_limit or self._finishing):
            link.send(wire.frames_of([wire.Busy(getattr(message, "id", 0))]))
            return
        self._queue.append((link, message))
        self._wake()

    def command(self, command: AnyCommand) -> None:
        """Queue a command of the runner itself."""
        self.receive(None, wire.Submit(0, command))

    def upgrade_rules(self) -> None:
        """Journal the new version before anything is executed under it."""
        if self._position.rules_version != RULES_VERSION:
            self.command(RulesUpgrade(from_version=self._position.rules_version, to_version=RULES_VERSION))

    def tick(self) -> None:
        """Let time pass, once a second."""
        self.receive(None, TICK)

    async def finish(self) -> None:
        """Take nothing more, and wait until everything that was received is committed and answered."""
        self._finishing = True
        while self._queue or self._open.size or self._in_flight is not None:
            self._idle.clear()
            await self._idle.wait()

    def committed(self) -> None:
        """The writer's row is durable."""
        self._committed_at = time.monotonic()
        batch, self._in_flight = self._in_flight, None
        assert batch is not None
        assert batch.row is not None
        row = batch.row
        self.committed_position = Position(row.seq, row.hash, row.stamp_ms, row.rules_version)
        self._release(batch)
        self._pump()

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._woken = False
        self._pump()

    def _pump(self) -> None:
        self._execute_queued()
        if self._in_flight is None and self._open.size:
            self._close()
            if self._queue:
                self._wake()
        if not self._queue and not self._open.size and self._in_flight is None:
            self._idle.set()

    def _execute_queued(self) -> None:
        queue = self._queue
        batch = self._open
        while queue and batch.size < BATCH_LIMIT and not self._looking_up:
            link, message = queue[0]
            if type(message) is wire.Submit:
                if self._needs_lookup(message.command):
                    return
                queue.popleft()
                self._execute(batch, link, message)
            else:
                queue.popleft()
                assert link is not None
                self._ask(batch, link, message)

    def _execute(self, batch: Batch, link: Link | None, message: wire.Submit) -> None:
        command = message.command
        batch.size += 1 + len(command.items) if type(command) is PlaceBatch else 1
        if self.projection_behind and placed(command):
            if link is not None:
                batch.answer(link, wire.Replied(message.id, PROJECTION_BEHIND))
            return
        if not batch.commands:
            self._begin(batch)
        if self._looked_up:
            self._remember_found(batch, command)
        reply = self.engine.apply(command)
        batch.commands.append(command)
        if link is not None:
            batch.answer(link, wire.Replied(message.id, msgspec.structs.replace(reply, seq=batch.seq)))

    def _begin(self, batch: Batch) -> None:
        batch.seq = self._position.seq + 1
        batch.stamp_ms = max(self._position.stamp_ms, time.time_ns() // 1_000_000)
        self.engine.begin(batch.stamp_ms)

    def _ask(self, batch: Batch, link: Link, message: wire.ClientMessage) -> None:
        batch.size += 1
        if type(message) is wire.Ask and not isinstance(message.query, queries.GetBook | queries.GetCommittedSeq | queries.GetState):
            query = message.query
            batch.answer(link, answered(message, lambda: self.engine.answer(query)))
        else:
            assert isinstance(message, wire.Ask | wire.Watch | wire.Unwatch)
            batch.deferred.append(Deferred(link, message))

    def _needs_lookup(self, command: AnyCommand) -> bool:
        """Ask the tables for ids that only they can know; what is queued waits, so that order is kept."""
        unknown = [key for key in unknown_ids(self.engine, self._used_ids, command) if key not in self._looked_up]
        if not unknown:
            return False
        self._looking_up = True
        keys = dict.fromkeys(unknown)
        for _, message in list(self._queue)[:BATCH_LIMIT]:
            if type(message) is wire.Submit:
                keys.update(dict.fromkeys(unknown_ids(self.engine, self._used_ids, message.command)))
        self._find_ids(list(keys)).add_done_callback(lambda found: self._lookup_done(keys, found.result()))
        return True

    def _lookup_done(self, keys: dict[Key, None], found: list[FoundId]) -> None:
        self._looking_up = False
        self._looked_up.update(keys)
        self._looked_up.update({(one.account_id, one.client_order_id): one for one in found})
        self._pump()

    def _remember_found(self, batch: Batch, command: AnyCommand) -> None:
        for order in placed(command):
            key = (order.account_id, order.client_order_id)
            found = self._looked_up.pop(key, None)
            if found is not None and not knows(self.engine, key):
                batch.found_ids.append(found)
                self.engine.remember({key: (found.order_id, found.content_hash)})

    def _close(self) -> None:
        """End the open batch: send its row, or let its answers go when it changed nothing."""
        batch = self._open
        if not batch.commands and time.monotonic() - self._committed_at > LEASE_SECONDS:
            self._execute(batch, None, TICK)  # perhaps another leads by now; only a commit can tell
        if not batch.commands:
            batch.seq = self._position.seq
        else:
            self._seal(batch)
        self._view_accounts(batch)
        self._answer_states(batch)
        self._open = Batch(self._position.seq)
        if batch.row is None:
            batch.encode_answers()
            self._release(batch)
            return
        self._in_flight = batch
        batch.sent_at = time.perf_counter()
        self.writer.write(batch.row)
        self._boundary(self.engine.state, self._position, len(batch.commands))
        batch.encode_answers()

    def _seal(self, batch: Batch) -> None:
        outcome = batch.outcome = self.engine.finish()
        events = cast("list[AnyEvent]", outcome.events)
        self._used_ids.note(events)
        batch.row = seal(
            JournalBody(batch.commands, batch.found_ids, events),
            seq=batch.seq,
            epoch=self.epoch,
            previous_hash=self._position.hash,
            stamp_ms=batch.stamp_ms,
            rules_version=RULES_VERSION,
        )
        self._position = Position(batch.seq, batch.row.hash, batch.stamp_ms, RULES_VERSION)

    def _view_accounts(self, batch: Batch) -> None:
        """Take the views that the feed will need of this state, before the next batch changes it."""
        wanted = set(self._feed.watched_accounts & batch.outcome.accounts) if batch.outcome else set()
        for deferred in batch.deferred:
            if isinstance(deferred.message, wire.Watch):
                wanted.update(self._feed.accounts_of(deferred.message.topic))
        batch.views = {account_id: self.engine.answer(queries.GetAccount(account_id=account_id)) for account_id in wanted}

    def _answer_states(self, batch: Batch) -> None:
        for link, message in batch.deferred:
            if isinstance(message, wire.Ask) and isinstance(message.query, queries.GetState):
                batch.answer(link, answered(message, self._state_view))

    def _state_view(self) -> StateView:
        view: StateView = self.engine.answer(queries.GetState())
        return msgspec.structs.replace(
            view,
            seq=self._position.seq,
            stamp_ms=self._position.stamp_ms,
            epoch=self.epoch,
            rules_version=RULES_VERSION,
            state_hash=state_hash(self.engine.state),
        )

    def _release(self, batch: Batch) -> None:
        """Let out what a durable batch has to say."""
        for link, data in batch.frames:
            link.send(data)
        if batch.outcome is not None:
            for account_id in batch.outcome.accounts:
                self._follower.touched[account_id] = batch.seq
            self._feed.committed(batch)
            self._end_sessions(batch)
            metrics.committed(batch, current_epoch=self.epoch, depth=len(self._queue))
        for deferred in batch.deferred:
            self._answer_deferred(deferred, batch)

    def _end_sessions(self, batch: Batch) -> None:
        for command in batch.commands:
            if type(command) is CancelAll and command.session_id:
                self._session_ended(command)

    def _answer_deferred(self, deferred: Deferred, batch: Batch) -> None:
        link, message = deferred
        if isinstance(message, wire.Watch):
            link.send(wire.frames_of([self._feed.watch(link, message, batch.views)]))
        elif isinstance(message, wire.Unwatch):
            self._feed.unwatch(link, message.topic)
            link.send(wire.frames_of([wire.Done(message.id)]))
        elif isinstance(message.query, queries.GetBook):
            book = self._feed.book(message.query.market_id, message.query.depth)
            link.send(wire.frames_of([wire.Answered(message.id, msgspec.Raw(wire.encoder.encode(book)))]))
        elif isinstance(message.query, queries.GetCommittedSeq):
            seq = self._committed_seq(message.query.account_id)
            link.send(wire.frames_of([wire.Answered(message.id, msgspec.Raw(wire.encoder.encode(seq)))]))

    def _committed_seq(self, account_id: int) -> int:
        return self._follower.touched_seq(account_id) if account_id else self.committed_position.seq
