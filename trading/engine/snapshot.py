"""The state as bytes and back. Canonical: equal states give equal bytes, whatever path led to them."""

from hashlib import sha256
from heapq import heapify
from typing import Any

import msgspec

from markets.assets import AssetParameters, RiskParameters
from markets.commands import PlaceOrder
from markets.events import CancelReason, OrderStatus
from markets.parameters import MarketParameters, MarketStatus
from markets.rejects import Reject
from oracle.actions import IndexState
from oracle.aggregate import Source
from risk.stable import StableRecord, stable_from
from trading.engine import lives, margin, waterfalls
from trading.engine.book import Order
from trading.engine.index import Index
from trading.engine.ledger import hold
from trading.engine.pricing import take_price
from trading.engine.signatures import terms_of
from trading.engine.state import Account, Asset, Holding, KnownId, MarginPool, Market, Rejection, State


class OrderRecord(msgspec.Struct, array_like=True):
    order_id: int
    command: PlaceOrder
    price_ticks: int
    size_lots: int
    remaining_lots: int
    filled_quote_atoms: int
    fee_atoms: int
    trigger_ticks: int
    reduce_only: bool
    status: OrderStatus
    reason: CancelReason | None
    parent_order_id: int
    created_ms: int
    updated_ms: int
    signed: bytes = b""  # of a self-custodied account's order that was amended; else it is the command's
    signed_from_lots: int = 0


class HoldingRecord(msgspec.Struct, array_like=True):
    market_id: int
    size_lots: int
    cost_atoms: int
    realised_atoms: int
    funding_atoms: int
    leverage: int


class PoolRecord(msgspec.Struct, array_like=True):
    """What an isolated pool has; its one holding is among the account's."""

    market_id: int
    cash_atoms: int


class AccountRecord(msgspec.Struct, array_like=True):
    account_id: int
    seq: int
    cash_atoms: int
    dead_man_ms: int
    deposit_numbers: list[tuple[int, int]]
    holdings: list[HoldingRecord]
    collateral: list[tuple[str, int]] = []
    isolated: list[PoolRecord] = []
    self_custody: bool = False
    signed: list[tuple[bytes, int]] = []
    revoked_keys: list[bytes] = []
    min_nonce: int = 0


class MarketRecord(msgspec.Struct, array_like=True):
    """Resting orders best first and oldest first within a price, so that reading them in order restores every queue.

    `index_e8`, `oracle_state`, `sources` and `suspect` are the index of a snapshot under version 1; later ones have it in `indices`.
    """

    parameters: MarketParameters
    status: MarketStatus
    mark_ticks: int
    index_e8: int
    oracle_state: IndexState
    sources: list[Source]
    suspect: Source | None
    last_ticks: int
    basis_ema_e8: int
    mid_ema_e8: int
    averaged_ms: int
    premium_sum: int
    premium_ms: int
    premium_ppb: int
    premium_sampled_ms: int
    funding_due_ms: int
    shown: tuple[int, int, str, int]
    bids: list[int]
    asks: list[int]


class IndexRecord(msgspec.Struct, array_like=True):
    index_id: int
    asset: str
    max_age_ms: int
    state: IndexState
    price_e8: int
    confidence_e8: int
    stable: StableRecord
    sources: list[Source]
    suspects: list[Source]
    refusals: list[tuple[str, str, int]]
    moved_ms: int
    recovering_ms: int
    average_e8: int
    averaged_ms: int
    halt_reason: str
    verdicts: str


class RejectionRecord(msgspec.Struct, array_like=True):
    account_id: int
    client_order_id: str
    content: bytes
    refused_ms: int
    reject: Reject


class KnownRecord(msgspec.Struct, array_like=True):
    account_id: int
    client_order_id: str
    order_id: int
    content: bytes
    ended_ms: int


class StateRecord(msgspec.Struct, array_like=True):
    stamp_ms: int
    rules_version: int
    status: MarketStatus
    next_order_id: int
    next_trade_id: int
    next_liquidation_id: int
    sources_due_ms: int
    accounts: list[AccountRecord]
    markets: list[MarketRecord]
    live: list[OrderRecord]
    ended: list[OrderRecord]
    known_ids: list[KnownRecord]
    rejections: list[RejectionRecord]
    brackets: list[tuple[int, int, int]]
    ready: list[int]
    ready_markets: list[int]
    indices: list[IndexRecord] = []
    waterfall: waterfalls.WaterfallRecord | None = None
    assets: list[AssetParameters] = []
    risk_parameters: RiskParameters = RiskParameters()
    withdrawals: tuple[int, int, int, int] = (0, 0, 0, 0)  # hour, of which so much has left; day, the same
    debtors: list[int] = []


class LeasedRecord(StateRecord, array_like=True):
    """Of an exchange that settles on a chain."""

    lease_ms: int = 0
    paused: bool = False
    resumed_status: MarketStatus = "normal"


def encode(state: State) -> bytes:
    return msgspec.msgpack.encode(record_of(state))


def state_hash(state: State) -> str:
    return sha256(encode(state)).hexdigest()


def record_of(state: State) -> StateRecord:
    accounts = [state.accounts[account_id] for account_id in sorted(state.accounts)]
    live = [order for account in accounts for order in account.orders.values()]
    record = StateRecord(
        stamp_ms=state.stamp_ms,
        rules_version=state.rules_version,
        status=state.status,
        next_order_id=state.next_order_id,
        next_trade_id=state.next_trade_id,
        next_liquidation_id=state.next_liquidation_id,
        sources_due_ms=state.sources_due_ms,
        accounts=[account_record(account) for account in accounts],
        markets=[market_record(state.markets[market_id]) for market_id in sorted(state.markets)],
        live=[order_record(order) for order in sorted(live, key=lambda order: order.order_id)],
        ended=[order_record(order) for order in state.ended],
        known_ids=[KnownRecord(k.account_id, k.client_order_id, k.order_id, k.content, k.ended_ms) for k in state.known_ids],
        rejections=[RejectionRecord(r.account_id, r.client_order_id, r.content, r.refused_ms, r.reject) for r in state.rejections],
        brackets=[(parent, *pair) for parent, pair in sorted(state.brackets.items())],
        ready=state.ready,
        ready_markets=sorted(state.ready_markets),
        indices=[index_record(state.indices[index_id]) for index_id in sorted(state.indices)],
        waterfall=waterfalls.record_of(state),
        assets=[state.assets[name].parameters for name in sorted(state.assets)],
        risk_parameters=state.risk_parameters,
        withdrawals=(state.withdrawal_hour_ms, state.withdrawn_hour_atoms, state.withdrawal_day_ms, state.withdrawn_day_atoms),
        debtors=sorted(state.debtors),
    )
    return record if not state.lease_ms else leased(state, record)


def leased(state: State, record: StateRecord) -> LeasedRecord:
    fields: dict[str, Any] = msgspec.structs.asdict(record)
    return LeasedRecord(**fields, lease_ms=state.lease_ms, paused=state.paused, resumed_status=state.resumed_status)


def account_record(account: Account) -> AccountRecord:
    holdings = [account.holdings[market_id] for market_id in sorted(account.holdings)]
    return AccountRecord(
        account_id=account.account_id,
        seq=account.seq,
        cash_atoms=account.cross.cash_atoms,
        dead_man_ms=account.dead_man_ms,
        deposit_numbers=sorted(account.deposit_numbers.items()),
        holdings=[holding_record(holding) for holding in holdings if holding.size_lots or holding.leverage],
        collateral=sorted(account.cross.collateral.items()),
        isolated=[PoolRecord(market_id, account.isolated[market_id].cash_atoms) for market_id in sorted(account.isolated)],
        self_custody=account.self_custody,
        signed=sorted(account.signed.items()),
        revoked_keys=sorted(account.revoked_keys),
        min_nonce=account.min_nonce,
    )


def holding_record(holding: Holding) -> HoldingRecord:
    return HoldingRecord(
        holding.market.market_id,
        holding.size_lots,
        holding.cost_atoms,
        holding.realised_atoms,
        holding.funding_atoms,
        holding.leverage,
    )


def market_record(market: Market) -> MarketRecord:
    return MarketRecord(
        parameters=market.parameters,
        status=market.status,
        mark_ticks=market.mark_ticks,
        index_e8=0,
        oracle_state="stale",
        sources=[],
        suspect=None,
        last_ticks=market.last_ticks,
        basis_ema_e8=market.basis_ema_e8,
        mid_ema_e8=market.mid_ema_e8,
        averaged_ms=market.averaged_ms,
        premium_sum=market.premium_sum,
        premium_ms=market.premium_ms,
        premium_ppb=market.premium_ppb,
        premium_sampled_ms=market.premium_sampled_ms,
        funding_due_ms=market.funding_due_ms,
        shown=market.shown,
        bids=[order.order_id for order in market.book.bids.orders()],
        asks=[order.order_id for order in market.book.asks.orders()],
    )


def order_record(order: Order) -> OrderRecord:
    terms = order.terms
    return OrderRecord(
        order_id=order.order_id,
        command=order.command,
        price_ticks=order.price_ticks,
        size_lots=order.size_lots,
        remaining_lots=order.remaining_lots,
        filled_quote_atoms=order.filled_quote_atoms,
        fee_atoms=order.fee_atoms,
        trigger_ticks=order.trigger_ticks,
        reduce_only=order.reduce_only,
        status=order.status,
        reason=order.reason,
        parent_order_id=order.parent_order_id,
        created_ms=order.created_ms,
        updated_ms=order.updated_ms,
        signed=terms.signed if terms is not None and terms.signed != order.command.signed else b"",
        signed_from_lots=terms.from_lots if terms is not None else 0,
    )


def decode(data: bytes) -> State:
    record = msgspec.msgpack.decode(data, type=LeasedRecord)
    state = State()
    state.stamp_ms = record.stamp_ms
    state.rules_version = record.rules_version
    state.status = record.status
    state.next_order_id = record.next_order_id
    state.next_trade_id = record.next_trade_id
    state.next_liquidation_id = record.next_liquidation_id
    state.sources_due_ms = record.sources_due_ms
    for index in record.indices:
        state.indices[index.index_id] = restore_index(index)
    for market in record.markets:
        state.markets[market.parameters.market_id] = restore_market(state, market)
    for parameters in record.assets:
        asset = state.assets[parameters.asset] = Asset(parameters)
        if parameters.index_id:
            take_price(asset, state.indices[parameters.index_id])
    state.risk_parameters = record.risk_parameters
    hour_ms, hour_atoms, day_ms, day_atoms = record.withdrawals
    state.withdrawal_hour_ms, state.withdrawn_hour_atoms = hour_ms, hour_atoms
    state.withdrawal_day_ms, state.withdrawn_day_atoms = day_ms, day_atoms
    state.debtors = set(record.debtors)
    state.lease_ms, state.paused, state.resumed_status = record.lease_ms, record.paused, record.resumed_status
    for account in record.accounts:
        restore_account(state, account)
    restore_orders(state, record)
    state.brackets = {parent: (profit, loss) for parent, profit, loss in record.brackets}
    state.ready = record.ready
    state.ready_markets = set(record.ready_markets)
    waterfalls.restore(state, record.waterfall)
    return state


def index_record(index: Index) -> IndexRecord:
    return IndexRecord(
        index_id=index.index_id,
        asset=index.asset,
        max_age_ms=index.max_age_ms,
        state=index.state,
        price_e8=index.price_e8,
        confidence_e8=index.confidence_e8,
        stable=index.stable.record(),
        sources=[index.sources[name] for name in sorted(index.sources)],
        suspects=[index.suspects[name] for name in sorted(index.suspects)],
        refusals=[(name, *index.refusals[name]) for name in sorted(index.refusals)],
        moved_ms=index.moved_ms,
        recovering_ms=index.recovering_ms,
        average_e8=index.average_e8,
        averaged_ms=index.averaged_ms,
        halt_reason=index.halt_reason,
        verdicts=index.verdicts,
    )


def restore_index(record: IndexRecord) -> Index:
    index = Index(record.index_id, record.asset)
    index.max_age_ms = record.max_age_ms
    index.state = record.state
    index.price_e8 = record.price_e8
    index.confidence_e8 = record.confidence_e8
    index.stable = stable_from(record.stable)
    index.sources = {source.source: source for source in record.sources}
    index.suspects = {source.source: source for source in record.suspects}
    index.refusals = {name: (reason, stamp_ms) for name, reason, stamp_ms in record.refusals}
    index.moved_ms = record.moved_ms
    index.recovering_ms = record.recovering_ms
    index.average_e8 = record.average_e8
    index.averaged_ms = record.averaged_ms
    index.halt_reason = record.halt_reason
    index.verdicts = record.verdicts
    return index


def index_of_market(state: State, record: MarketRecord) -> Index:
    """Return a market's index; a snapshot under version 1 has it in the market."""
    market_id = record.parameters.market_id
    index = state.indices.get(market_id)
    if index is None:
        index = state.indices[market_id] = Index(market_id, record.parameters.base_asset)
        index.state = record.oracle_state
        index.price_e8 = index.average_e8 = record.index_e8
        index.averaged_ms = index.moved_ms = record.averaged_ms
        index.sources = {source.source: source for source in record.sources}
    return index


def restore_market(state: State, record: MarketRecord) -> Market:
    market = Market(record.parameters, index_of_market(state, record))
    market.status = record.status
    market.mark_ticks = record.mark_ticks
    market.last_ticks = record.last_ticks
    market.basis_ema_e8 = record.basis_ema_e8
    market.mid_ema_e8 = record.mid_ema_e8
    market.averaged_ms = record.averaged_ms
    market.premium_sum = record.premium_sum
    market.premium_ms = record.premium_ms
    market.premium_ppb = record.premium_ppb
    market.premium_sampled_ms = record.premium_sampled_ms
    market.funding_due_ms = record.funding_due_ms
    market.shown = record.shown
    return market


def restore_account(state: State, record: AccountRecord) -> None:
    account = state.accounts.setdefault(record.account_id, Account(record.account_id))
    account.seq = record.seq
    account.self_custody = record.self_custody
    account.signed = dict(record.signed)
    account.revoked_keys = set(record.revoked_keys)
    account.min_nonce = record.min_nonce
    state.signed_expiries += [(expiry_ms, record.account_id, digest) for digest, expiry_ms in record.signed]
    account.cross.cash_atoms = record.cash_atoms
    account.dead_man_ms = record.dead_man_ms
    account.deposit_numbers = dict(record.deposit_numbers)
    if record.dead_man_ms:
        state.dead_men[record.account_id] = record.dead_man_ms
        state.dead_men_due_ms = min(state.dead_men.values())
    for name, amount in record.collateral:
        hold(state, account.cross, name, amount)
    for isolated in record.isolated:
        pool = account.isolated[isolated.market_id] = MarginPool(account, isolated.market_id)
        pool.cash_atoms = isolated.cash_atoms
        account.holding(state.markets[isolated.market_id])
    for entry in record.holdings:
        market = state.markets[entry.market_id]
        holding = account.holding(market)
        holding.size_lots = entry.size_lots
        holding.cost_atoms = entry.cost_atoms
        holding.realised_atoms = entry.realised_atoms
        holding.funding_atoms = entry.funding_atoms
        holding.leverage = entry.leverage
        margin.changed(holding)
        if entry.size_lots:
            market.holders[record.account_id] = holding
            market.open_interest_lots += max(0, entry.size_lots)


def restore_orders(state: State, record: StateRecord) -> None:
    for entry in record.live:
        order = restore_order(state, entry)
        lives.register(state, order)
        if order.status == "untriggered" and order.order_id not in record.ready:
            order.holding.market.watch.add(order)
    for market in record.markets:
        for order_id in market.bids + market.asks:
            lives.rest(state.orders[order_id])
    for entry in record.ended:
        order = restore_order(state, entry)
        state.ended.append(order)
        state.orders[order.order_id] = order
        order.account.client_ids[order.command.client_order_id] = order
    for known in record.known_ids:
        remembered = KnownId(known.account_id, known.client_order_id, known.order_id, known.content, known.ended_ms)
        state.known_ids.append(remembered)
        state.accounts[known.account_id].client_ids[known.client_order_id] = remembered
    for refused in record.rejections:
        rejection = Rejection(refused.account_id, refused.client_order_id, refused.content, refused.refused_ms, refused.reject)
        state.rejections.append(rejection)
        state.accounts[refused.account_id].client_ids[refused.client_order_id] = rejection
    for live in state.markets.values():
        live.crowd_lots = max(live.open_interest_lots, live.parameters.margin_rises_from_lots)
        live.book.bids.touched.clear()
        live.book.asks.touched.clear()
    state.touched.clear()
    heapify(state.expiries)
    heapify(state.signed_expiries)


def restore_order(state: State, record: OrderRecord) -> Order:
    account = state.accounts[record.command.account_id]
    market = state.markets[record.command.market_id]
    order = Order(
        record.order_id, record.command, account, account.holding(market), record.price_ticks, record.size_lots, record.created_ms
    )
    order.remaining_lots = record.remaining_lots
    order.filled_quote_atoms = record.filled_quote_atoms
    order.fee_atoms = record.fee_atoms
    order.trigger_ticks = record.trigger_ticks
    order.reduce_only = record.reduce_only
    order.status = record.status
    order.reason = record.reason
    order.parent_order_id = record.parent_order_id
    order.updated_ms = record.updated_ms
    if account.self_custody:
        order.terms = terms_of(record.signed or record.command.signed, record.signed_from_lots)
    return order
