"""The exchange as one deterministic machine: commands in, events out. No clock, no I/O, no chance, no floats."""

from collections.abc import Callable
from typing import Any, Final

from markets import commands
from markets.commands import Command, PlaceOrder, Side
from markets.events import Event
from markets.ledger import FIRST_USER_ACCOUNT
from markets.queries import Query
from markets.views import Reply
from trading.engine import (
    admin,
    amending,
    batches,
    chain_trades,
    closing,
    collateral,
    isolated,
    lease,
    ledger,
    marks,
    orders,
    pools,
    queries,
    sweep,
    thresholds,
    timers,
)
from trading.engine.book import BookSide
from trading.engine.firing import fire_due
from trading.engine.state import State

RULES_VERSION = 3


class Outcome:
    """What a batch did: its events in order, each changed level's new size (0 is gone), and the accounts it touched."""

    __slots__ = ("accounts", "book_changes", "events")

    def __init__(self, events: list[Event], book_changes: dict[int, dict[tuple[Side, int], int]], accounts: set[int]) -> None:
        self.events: list[Event] = events
        self.book_changes: dict[int, dict[tuple[Side, int], int]] = book_changes
        self.accounts: set[int] = accounts


class Engine:
    """One batch is `begin`, any number of `remember` and `apply`, then `finish`."""

    def __init__(self, state: State | None = None) -> None:
        self.state: State = state if state is not None else new_state()

    def begin(self, stamp_ms: int) -> None:
        """Start a batch at a stamp that is not before the last one's: what is due by then happens first."""
        state = self.state
        assert stamp_ms >= state.stamp_ms, "the stamp never goes back"
        state.stamp_ms = stamp_ms
        state.fired = 0
        timers.run_due(state)
        if state.debtors:
            collateral.settle_debts(state)
        if state.emptied:
            pools.release(state)

    def remember(self, found: dict[tuple[int, str], tuple[int, bytes]]) -> None:
        """Hand in, for this batch, what the tables know of client ids: (account, client id) -> (order id, content hash)."""
        self.state.found.update(found)

    def apply(self, command: Command) -> Reply:
        state = self.state
        # Nearly all commands place an order: they are spared the table.
        reply = orders.place(state, command) if isinstance(command, PlaceOrder) else HANDLERS[type(command)](state, command)
        if state.ready_markets or state.ready:
            fire_due(state)
        if state.emptied:
            pools.release(state)
        return reply

    def answer(self, query: Query) -> Any:
        return queries.answer(self.state, query)

    def finish(self) -> Outcome:
        """End the batch and return what it did."""
        state = self.state
        timers.forget(state)
        for account_id in state.touched:
            account = state.accounts[account_id]
            account.seq += 1
            if account.cross.cash_atoms < 0 and account_id >= FIRST_USER_ACCOUNT:
                state.debtors.add(account_id)
        state.unswept |= state.touched
        if state.owing_epoch == state.mark_epoch:
            state.owing_changed |= state.touched
        outcome = Outcome(state.events, take_book_changes(state), state.touched)
        state.events = []
        state.touched = set()
        state.found = {}
        return outcome


def new_state() -> State:
    state = State()
    state.rules_version = RULES_VERSION
    return state


def take_book_changes(state: State) -> dict[int, dict[tuple[Side, int], int]]:
    changes: dict[int, dict[tuple[Side, int], int]] = {}
    for market_id, market in state.markets.items():
        book = market.book
        if book.bids.touched or book.asks.touched:
            found: dict[tuple[Side, int], int] = {}
            take_side(book.bids, "buy", found)
            take_side(book.asks, "sell", found)
            changes[market_id] = found
    return changes


def take_side(side: BookSide, name: Side, found: dict[tuple[Side, int], int]) -> None:
    for key in side.touched:
        found[name, key * side.sign] = side.size_at(key)
    side.touched.clear()


def open_account(state: State, command: commands.OpenAccount) -> Reply:
    late = orders.expired(state, command.valid_until_ms)
    return Reply(reject=late) if late is not None else ledger.open_account(state, command)


def observe_price(state: State, command: commands.ObservePrice) -> Reply:
    """Take in prices, move marks, and liquidate what they leave short."""
    marks.observe(state, command)
    sweep.sweep(state)
    return Reply()


def tick_clock(state: State, command: commands.ClockTick) -> Reply:
    marks.tick(state)
    sweep.sweep(state)
    return Reply()


def sweep_liquidations(state: State, command: commands.SweepLiquidations) -> Reply:
    """Check every pool, whatever was known of it: what a sweep finds by itself, found by looking at all."""
    thresholds.disarm_all(state)
    sweep.sweep(state)
    return Reply()


HANDLERS: Final[dict[type[Command], Callable[[State, Any], Reply]]] = {
    commands.CancelOrder: orders.cancel,
    commands.AmendOrder: amending.amend,
    commands.CancelAll: orders.cancel_all,
    commands.PlaceBatch: batches.place_batch,
    commands.OpenAccount: open_account,
    commands.Deposit: ledger.deposit,
    commands.Withdraw: ledger.withdraw,
    commands.SettleWithdrawal: ledger.settle_withdrawal,
    commands.RevokeKey: orders.revoke_key,
    commands.CloseAccount: closing.close_account,
    commands.CancelNonces: orders.cancel_nonces,
    commands.BookChainTrade: chain_trades.book,
    commands.SetTradingLease: lease.set_lease,
    commands.Transfer: ledger.move,
    commands.AdjustBalance: ledger.adjust,
    commands.SetLeverage: admin.set_leverage,
    commands.SetMarginMode: isolated.set_mode,
    commands.MoveIsolatedMargin: isolated.move_margin,
    commands.SetAsset: collateral.set_asset,
    commands.SetRiskParameters: collateral.set_risk_parameters,
    commands.SetDeadMansSwitch: admin.set_dead_mans_switch,
    commands.ObservePrice: observe_price,
    commands.ClockTick: tick_clock,
    commands.SweepLiquidations: sweep_liquidations,
    commands.CreateMarket: admin.create_market,
    commands.UpdateMarket: admin.update_market,
    commands.SetMarketStatus: admin.set_status,
    commands.HaltIndex: marks.halt,
    commands.RulesUpgrade: admin.upgrade_rules,
}
