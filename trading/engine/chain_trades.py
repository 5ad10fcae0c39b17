"""Trades that were made on chain itself, while the exchange had fallen back: taken over as they are, whatever limits, caps and margin say.

Each side's position moves by exactly the lots and atoms that the program moved, so that chain and ledger stay equal. Each account counts
the numbers of the chain's events that it had a part in, beside its deposits: an event comes once, and in its order.
"""

from typing import Final

from markets.commands import BookChainTrade
from markets.events import AccountLiquidated, ChainTradeBooked, LiquidationStarted, LiquidationStepped
from markets.ledger import CLEARING, CUSTODY, PENDING_WITHDRAWALS
from markets.rejects import Reject
from markets.units import MAX_AMOUNT_ATOMS
from markets.views import Reply
from trading.engine import margin, signatures
from trading.engine.checks import MAX_TICKS
from trading.engine.liquidation import Plan
from trading.engine.orders import ACCOUNT_NOT_FOUND, MARKET_NOT_FOUND, cancelled, expired
from trading.engine.pools import emptied
from trading.engine.positions import apply_value, book_cash, follow
from trading.engine.state import Account, Holding, Market, State

PLACELESS: Final = (CLEARING, PENDING_WITHDRAWALS, CUSTODY)  # these have no account on chain
HASH_SIZES: Final = (0, 32)


class Liquidated:
    """What an account was like before a stranger took over some of its position; no plan where the journal knows of no such position."""

    __slots__ = ("equity_atoms", "holding", "liquidation_id", "maintenance_atoms", "plan")

    def __init__(self, state: State, holding: Holding, lots: int) -> None:
        self.holding: Holding = holding
        self.liquidation_id: int = state.next_liquidation_id
        self.equity_atoms: int = margin.equity(state, holding.pool)
        self.maintenance_atoms: int = margin.maintenance(state, holding.pool)
        reduces = holding.size_lots * lots < 0 and abs(lots) <= abs(holding.size_lots)
        self.plan: Plan | None = Plan(state, holding) if reduces else None


def book(state: State, command: BookChainTrade) -> Reply:
    buyer = placed(state, command.buyer_account_id)
    seller = placed(state, command.seller_account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or buyer is None or seller is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    market = state.markets.get(command.market_id)
    if market is None:
        return Reply(reject=MARKET_NOT_FOUND)
    reject = impossible(command) or out_of_sequence(buyer, seller, command.number)
    if reject is not None:
        return Reply(reject=reject)
    buyer.deposit_numbers[CLEARING] = seller.deposit_numbers[CLEARING] = command.number
    withdraw_orders(state, buyer, command.buy_order)
    withdraw_orders(state, seller, command.sell_order)
    move(state, market, command, buyer.holding(market), seller.holding(market))
    return Reply()


def placed(state: State, account_id: int) -> Account | None:
    """Return an account that has a place on chain; the exchange's own may be a side, too."""
    return None if account_id in PLACELESS else state.accounts.get(account_id)


def impossible(command: BookChainTrade) -> Reject | None:
    field = contradictory(command)
    if field:
        return Reject("INVALID_COMBINATION", {"field": field})
    if not 0 < command.size_lots <= MAX_TICKS:
        return Reject("INVALID_SIZE", {"size_lots": command.size_lots})
    if not (0 <= command.quote_atoms <= MAX_AMOUNT_ATOMS and 0 <= command.fee_atoms <= MAX_AMOUNT_ATOMS):
        return Reject("INVALID_AMOUNT", {"quote_atoms": command.quote_atoms})
    return None


def contradictory(command: BookChainTrade) -> str:
    """Return the field that does not go with the others, or nothing."""
    sides = (command.buyer_account_id, command.seller_account_id)
    if sides[0] == sides[1]:
        return "seller_account_id"
    if command.liquidated_account_id and command.liquidated_account_id not in sides:
        return "liquidated_account_id"
    if len(command.buy_order) not in HASH_SIZES:
        return "buy_order"
    return "" if len(command.sell_order) in HASH_SIZES else "sell_order"


def out_of_sequence(buyer: Account, seller: Account, number: int) -> Reject | None:
    """Refuse an event that was booked before, or whose successor was: both sides always know the same of an event."""
    last = [account.deposit_numbers.get(CLEARING, 0) for account in (buyer, seller)]
    return Reject("OUT_OF_SEQUENCE", {"last_number": min(last)}) if number <= max(last) else None


def withdraw_orders(state: State, account: Account, digest: bytes) -> None:
    """Let a signed order that was filled on chain never be filled here any more: the chain has taken its first lots."""
    if digest and account.self_custody:
        cancelled(state, signatures.use_elsewhere(state, account, digest))


def move(state: State, market: Market, command: BookChainTrade, buying: Holding, selling: Holding) -> None:
    trade_id = state.next_trade_id
    state.next_trade_id = trade_id + 1
    closing = selling if command.liquidated_account_id == command.seller_account_id else buying
    lots = command.size_lots if closing is buying else -command.size_lots
    liquidated = Liquidated(state, closing, lots) if command.liquidated_account_id else None
    if liquidated is not None:
        begin_liquidation(state, liquidated)
    buyer_pnl = apply_value(buying, command.size_lots, command.quote_atoms)
    seller_pnl = apply_value(selling, -command.size_lots, -command.quote_atoms)
    margin.count_crowd(state, market)
    settle(state, buying, buyer_pnl)
    settle(state, selling, seller_pnl)
    state.events.append(
        ChainTradeBooked(
            number=command.number,
            trade_id=trade_id,
            market_id=market.market_id,
            buyer_account_id=command.buyer_account_id,
            seller_account_id=command.seller_account_id,
            price_ticks=command.quote_atoms // (command.size_lots * market.tick_lot_atoms),
            size_lots=command.size_lots,
            quote_atoms=command.quote_atoms,
            fee_atoms=command.fee_atoms,
            buyer_pnl_atoms=buyer_pnl,
            seller_pnl_atoms=seller_pnl,
            buyer_position_lots=buying.size_lots,
            buyer_cost_atoms=buying.cost_atoms,
            seller_position_lots=selling.size_lots,
            seller_cost_atoms=selling.cost_atoms,
            liquidated_account_id=command.liquidated_account_id,
            liquidation_id=liquidated.liquidation_id if liquidated is not None else 0,
            buy_order=command.buy_order,
            sell_order=command.sell_order,
        )
    )
    for holding in (buying, selling):
        if holding.reducing:
            follow(state, holding)
    if liquidated is not None:
        end_liquidation(state, liquidated, command, buyer_pnl if closing is buying else seller_pnl)


def settle(state: State, holding: Holding, realised_atoms: int) -> None:
    """Pay what a side realised; no floor of its pool holds any more."""
    book_cash(state, holding.pool, realised_atoms, 0)
    margin.distrust(holding.pool)
    if holding.pool.market_id and holding.size_lots == 0:
        emptied(state, holding)


def begin_liquidation(state: State, liquidated: Liquidated) -> None:
    state.next_liquidation_id += 1
    state.events.append(
        LiquidationStarted(
            liquidation_id=liquidated.liquidation_id,
            account_id=liquidated.holding.account.account_id,
            equity_atoms=liquidated.equity_atoms,
            maintenance_atoms=liquidated.maintenance_atoms,
            market_id=liquidated.holding.pool.market_id,
        )
    )


def end_liquidation(state: State, liquidated: Liquidated, command: BookChainTrade, realised_atoms: int) -> None:
    """Tell of the liquidation as of the engine's own: the one step that it was, and its end."""
    pool, plan = liquidated.holding.pool, liquidated.plan
    if plan is not None:
        report_step(state, liquidated, plan, command, realised_atoms)
    state.events.append(
        AccountLiquidated(
            liquidation_id=liquidated.liquidation_id,
            account_id=liquidated.holding.account.account_id,
            closed_quote_atoms=before_fee(command),
            fee_atoms=command.fee_atoms,
            insurance_paid_atoms=0,
            taken_over=(),
            equity_atoms=margin.equity(state, pool),
            maintenance_atoms=margin.maintenance(state, pool),
            steps=0 if plan is None else 1,
            market_id=pool.market_id,
        )
    )


def before_fee(command: BookChainTrade) -> int:
    """Return what the position was closed for: a long that sold got less than that, a short that bought paid more."""
    sold = command.liquidated_account_id == command.seller_account_id
    return command.quote_atoms + command.fee_atoms if sold else command.quote_atoms - command.fee_atoms


def report_step(state: State, liquidated: Liquidated, plan: Plan, command: BookChainTrade, realised_atoms: int) -> None:
    holding = liquidated.holding
    long = plan.lots > 0
    lots = command.size_lots if long else -command.size_lots
    state.events.append(
        LiquidationStepped(
            liquidation_id=liquidated.liquidation_id,
            account_id=holding.account.account_id,
            step=1,
            stage="chain",
            market_id=holding.market.market_id,
            position_lots=plan.lots,
            wanted_lots=lots,
            closed_lots=lots,
            mark_ticks=plan.mark_ticks,
            limit_ticks=plan.mark_ticks,
            bankruptcy_ticks=plan.bankrupt_ticks,
            quote_atoms=before_fee(command),
            realised_atoms=realised_atoms + command.fee_atoms,
            fee_atoms=command.fee_atoms,
            equity_atoms=plan.equity_atoms,
            maintenance_atoms=plan.maintenance_atoms,
            equity_after_atoms=margin.equity(state, holding.pool),
            maintenance_after_atoms=margin.maintenance(state, holding.pool),
        )
    )
