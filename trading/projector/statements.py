"""The statements that carry a run's changes into the tables: COPY for what is only ever added, sets for what changes."""

from typing import LiteralString

COPIES: dict[str, LiteralString] = {
    "used_ids": "trading_usedclientorderid (account_id, client_order_id, order_id, content_hash)",
    "fills": "trading_fill (id, trade_id, market_id, order_id, account_id, side, liquidity, price_ticks, size_lots, quote_atoms, "
    "fee_atoms, pnl_atoms, kind, executed_at)",
    "trades": "markets_trade (id, market_id, price_ticks, size_lots, taker_side, kind, executed_at)",
    "transfers": "accounts_ledgertransfer (id, debit_account_id, credit_account_id, asset, amount_atoms, kind, trade_id, reason, "
    "posted_at)",
    "prices": "oracle_oracleprice (id, market_id, mark_ticks, index_e8, confidence_e8, state, observed_at)",
    "funding_rates": "risk_fundingrate (market_id, due_at, rate_ppb, index_e8, cumulative)",
    "funding_payments": "risk_fundingpayment (account_id, market_id, due_at, amount_atoms)",
    "liquidation_steps": "risk_liquidationstep (liquidation_id, step, stage, market_id, position_lots, wanted_lots, closed_lots, "
    "mark_ticks, limit_ticks, bankruptcy_ticks, quote_atoms, realised_atoms, fee_atoms, equity_atoms, maintenance_atoms, "
    "equity_after_atoms, maintenance_after_atoms, taken_at)",
    "deleveragings": "risk_deleveraging (id, liquidation_id, bankrupt_account_id, account_id, market_id, position_lots, closed_lots, "
    "mark_ticks, quote_atoms, profit_atoms, side_profit_atoms, realised_atoms, closed_at)",
    "fund_movements": "risk_fundmovement (id, fund_id, other_id, asset, amount_atoms, kind, reason, moved_at)",
}
COPY_ORDERS: LiteralString = (
    "trading_order (id, account_id, market_id, client_order_id, side, type, time_in_force, post_only, reduce_only, close_position, "
    "self_trade_prevention, price_ticks, size_lots, filled_lots, filled_quote_atoms, fee_atoms, trigger_ticks, trigger_by, "
    "good_till_ms, parent_order_id, link_id, status, reason, created_at, updated_at)"
)

# Taken first: a second projector waits here, finds another number and starts over from it.
ADVANCE = "update trading_projection set seq = %s, stamp_ms = %s where id = 1 and seq = %s"

CHANGE_ORDERS = """
update trading_order o set
    filled_lots = o.filled_lots + d.filled_lots,
    filled_quote_atoms = o.filled_quote_atoms + d.filled_quote_atoms,
    fee_atoms = o.fee_atoms + d.fee_atoms,
    price_ticks = coalesce(d.price_ticks, o.price_ticks),
    size_lots = coalesce(d.size_lots, o.size_lots),
    trigger_ticks = coalesce(d.trigger_ticks, o.trigger_ticks),
    status = case
        when d.status in ('cancelled', 'expired') then d.status
        when d.filled_lots > 0 and o.filled_lots + d.filled_lots = coalesce(d.size_lots, o.size_lots) then 'filled'
        else coalesce(d.status, o.status)
    end,
    reason = coalesce(d.reason, o.reason),
    updated_at = d.updated_at
from unnest(
    %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[],
    %s::timestamptz[]
) as d (id, filled_lots, filled_quote_atoms, fee_atoms, price_ticks, size_lots, trigger_ticks, status, reason, updated_at)
where o.id = d.id
"""

OPEN_POSITIONS = """
insert into trading_position (account_id, market_id, size_lots, cost_atoms, realised_atoms, funding_atoms, opened_at, updated_at)
select * from unnest(
    %s::bigint[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[]
)
on conflict (account_id, market_id) do update set
    size_lots = excluded.size_lots,
    cost_atoms = excluded.cost_atoms,
    realised_atoms = excluded.realised_atoms,
    funding_atoms = excluded.funding_atoms,
    opened_at = excluded.opened_at,
    updated_at = excluded.updated_at
"""

CHANGE_POSITIONS = """
update trading_position p set
    size_lots = coalesce(d.size_lots, p.size_lots),
    cost_atoms = coalesce(d.cost_atoms, p.cost_atoms),
    realised_atoms = p.realised_atoms + d.realised_atoms,
    funding_atoms = p.funding_atoms + d.funding_atoms,
    updated_at = d.updated_at
from unnest(%s::bigint[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[])
    as d (account_id, market_id, size_lots, cost_atoms, realised_atoms, funding_atoms, updated_at)
where p.account_id = d.account_id and p.market_id = d.market_id
"""

CLOSE_POSITIONS = """
delete from trading_position p using unnest(%s::bigint[], %s::int[]) as d (account_id, market_id)
where p.account_id = d.account_id and p.market_id = d.market_id
"""

CHANGE_BALANCES = """
insert into accounts_balance as b (account_id, asset, amount_atoms)
select * from unnest(%s::bigint[], %s::text[], %s::bigint[])
on conflict (account_id, asset) do update set amount_atoms = b.amount_atoms + excluded.amount_atoms
"""

EXTEND_CANDLES = """
insert into markets_candle as c (
    market_id, interval, opened_at, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, volume_quote_atoms, trades
)
select * from unnest(
    %s::int[], %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
    %s::int[]
)
on conflict (market_id, interval, opened_at) do update set
    high_ticks = greatest(c.high_ticks, excluded.high_ticks),
    low_ticks = least(c.low_ticks, excluded.low_ticks),
    close_ticks = excluded.close_ticks,
    volume_lots = c.volume_lots + excluded.volume_lots,
    volume_quote_atoms = c.volume_quote_atoms + excluded.volume_quote_atoms,
    trades = c.trades + excluded.trades
"""

EXTEND_MARK_CANDLES = """
insert into markets_markcandle as c (
    market_id, interval, opened_at, open_ticks, high_ticks, low_ticks, close_ticks, open_interest_lots, sampled_at
)
select * from unnest(
    %s::int[], %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
    %s::timestamptz[]
)
on conflict (market_id, interval, opened_at) do update set
    high_ticks = greatest(c.high_ticks, excluded.high_ticks),
    low_ticks = least(c.low_ticks, excluded.low_ticks),
    close_ticks = excluded.close_ticks,
    open_interest_lots = excluded.open_interest_lots,
    sampled_at = excluded.sampled_at
"""

DEFINE_MARKET = """
insert into markets_market (
    id, symbol, base_asset, tick_e8, lot_e8, parameters, status, status_reason, mark_ticks, index_e8, oracle_state, last_ticks,
    open_interest_lots, predicted_funding_ppb
)
values (%s, %s, %s, %s, %s, %s, 'normal', '', 0, 0, 'stale', 0, 0, 0)
on conflict (id) do update set parameters = excluded.parameters
"""

CHANGE_STATUS = "update markets_market set status = %s, status_reason = %s where id = %s"

CHANGE_MARKETS = """
update markets_market m set
    mark_ticks = coalesce(d.mark_ticks, m.mark_ticks),
    index_e8 = coalesce(d.index_e8, m.index_e8),
    oracle_state = coalesce(d.oracle_state, m.oracle_state),
    predicted_funding_ppb = coalesce(d.predicted_funding_ppb, m.predicted_funding_ppb),
    last_ticks = coalesce(d.last_ticks, m.last_ticks),
    open_interest_lots = m.open_interest_lots + d.open_interest_lots,
    updated_at = d.updated_at
from unnest(
    %s::int[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[]
) as d (
    id, mark_ticks, index_e8, oracle_state, predicted_funding_ppb, last_ticks, open_interest_lots, updated_at
)
where m.id = d.id
"""

START_LIQUIDATION = """
insert into risk_liquidation (
    id, account_id, equity_atoms, maintenance_atoms, started_at, pool_market_id, closed_quote_atoms, fee_atoms, insurance_paid_atoms,
    taken_over, deleveraged, steps_taken
)
values (%s, %s, %s, %s, %s::timestamptz, %s, 0, 0, 0, '[]', '[]', 0)
"""

CHANGE_LIQUIDATION = """
update risk_liquidation set
    closed_quote_atoms = closed_quote_atoms + %s,
    fee_atoms = fee_atoms + %s,
    insurance_paid_atoms = insurance_paid_atoms + %s,
    taken_over = taken_over || %s::jsonb,
    deleveraged = deleveraged || %s::jsonb,
    steps_taken = %s,
    equity_after_atoms = %s,
    ended_at = %s::timestamptz
where id = %s
"""

FORGET_ORDERS = """
delete from trading_order
where status in ('cancelled', 'expired') and filled_lots = 0 and updated_at >= %s::timestamptz and updated_at < %s::timestamptz
"""
