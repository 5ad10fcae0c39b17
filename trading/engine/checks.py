"""Why an order is refused, checked in the order of `markets.rejects.PRECEDENCE`. Nothing here changes the state."""

from typing import Final

from markets.commands import MAX_CLIENT_ORDER_ID, PlaceOrder
from markets.parameters import MarketParameters
from markets.rejects import Reject
from markets.units import PPM, charge
from oracle.actions import OPEN, Action
from trading.engine import margin, signatures, withdrawals
from trading.engine.liquidity import complete_value
from trading.engine.state import Account, Holding, Market, State

MAX_TICKS: Final = 1 << 52
MAX_SHOWN: Final = 1 << 62  # what a reply can carry is a signed 64-bit integer
PLAIN: Final = frozenset({"limit", "market"})
MARKET: Final = frozenset({"market", "stop_market", "take_profit_market"})
RESTING: Final = frozenset({"gtc", "gtd"})
MAX_LINK_ID: Final = 1 << 62


class Entry:
    """How an order would enter the market: refused, or at a price and size. See `matching.match` for `tight`.

    `margin_atoms` is what its isolated pool must first get from the cross pool.
    """

    __slots__ = ("lots", "margin_atoms", "price_ticks", "reject", "tight")

    def __init__(self, reject: Reject | None, price_ticks: int = 0, lots: int = 0, tight: bool = False, margin_atoms: int = 0) -> None:
        self.reject: Reject | None = reject
        self.price_ticks: int = price_ticks
        self.lots: int = lots
        self.tight: bool = tight
        self.margin_atoms: int = margin_atoms


def shown(figure: int) -> int:
    """Keep a figure within what a reply can carry: orders and prices that are only tried may be absurd."""
    return max(-MAX_SHOWN, min(MAX_SHOWN, figure))


def is_trigger(type_: str) -> bool:
    return type_ not in PLAIN


def is_market(type_: str) -> bool:
    return type_ in MARKET


def rests(command: PlaceOrder) -> bool:
    return not is_market(command.type) and command.time_in_force in RESTING


def closed_status(state: State, market: Market, posts_only: bool) -> Reject | None:
    """Refuse what the market's or the exchange's state does not admit."""
    status = state.strictest_status(market)
    if status == "normal" or (status == "post_only" and posts_only):
        return None
    if state.status == "halted":
        return Reject("EXCHANGE_HALTED", {"waits_for": "chain"} if state.paused else {})
    if status in {"halted", "delisted"}:
        return Reject("MARKET_HALTED", {"status": status})
    return Reject("MARKET_CANCEL_ONLY" if status == "cancel_only" else "MARKET_POST_ONLY")


def refusal(state: State, account: Account, market: Market, order: PlaceOrder) -> Reject | None:
    """Check the states of exchange and market, and the order's own fields."""
    if state.status != "normal" or market.status != "normal":
        reject = closed_status(state, market, order.post_only != "none" or is_trigger(order.type))
        if reject is not None:
            return reject
    field = invalid_combination(state, account, order)
    if field:
        return Reject("INVALID_COMBINATION", {"field": field})
    reject = invalid_number(order, market.parameters, market.mark_ticks, state.stamp_ms)
    if reject is None and account.self_custody:
        field = signatures.unsignable(order)
        return Reject("SIGNATURE_REQUIRED", {"field": field}) if field else None
    return reject


def invalid_combination(state: State, account: Account, order: PlaceOrder) -> str:
    """Return the field that does not go with the others, or nothing."""
    trigger = order.type not in PLAIN
    market = order.type in MARKET
    tif = order.time_in_force
    client_id = order.client_order_id
    if client_id and (len(client_id) > MAX_CLIENT_ORDER_ID or client_id[0] == "~"):
        return "client_order_id"
    if order.good_till_ms and tif != "gtd":
        return "good_till_ms"
    if market and tif == "gtd":
        return "time_in_force"
    if order.post_only != "none" and (market or tif not in RESTING):
        return "post_only"
    if order.trigger_ticks and not trigger:
        return "trigger_ticks"
    if order.close_position and not (trigger and market and order.size_lots == 0):
        return "close_position"
    if order.take_profit_ticks and (trigger or order.reduce_only):
        return "take_profit_ticks"
    if order.stop_loss_ticks and (trigger or order.reduce_only):
        return "stop_loss_ticks"
    if order.link_id and not (trigger and is_free_link(state, account, order.link_id)):
        return "link_id"
    return ""


def is_free_link(state: State, account: Account, link_id: int) -> bool:
    """Tell whether a link may take one more order: it joins two."""
    return 0 < link_id <= MAX_LINK_ID and len(state.links.get((account.account_id, link_id), ())) < 2


def invalid_number(order: PlaceOrder, parameters: MarketParameters, mark_ticks: int, stamp_ms: int) -> Reject | None:
    """Check size, price, triggers and expiry, each by itself."""
    size = order.size_lots
    price = order.price_ticks
    if size <= 0 and not order.close_position:
        return Reject("INVALID_SIZE", {"size_lots": size})
    if size > parameters.max_order_lots:
        return Reject("SIZE_TOO_LARGE", {"max_order_lots": parameters.max_order_lots})
    if price < 0 or price > MAX_TICKS or (price == 0 and not is_market(order.type)):
        return Reject("INVALID_PRICE", {"price_ticks": price})
    if order.type != "limit" or order.take_profit_ticks or order.stop_loss_ticks:
        field = invalid_trigger(order, mark_ticks)
        if field:
            return Reject("INVALID_TRIGGER", {"field": field})
    if order.time_in_force == "gtd" and order.good_till_ms <= stamp_ms:
        return Reject("GOOD_TILL_IN_PAST", {"stamp_ms": stamp_ms})
    return None


def invalid_trigger(order: PlaceOrder, mark_ticks: int) -> str:
    """Return the trigger field that is out of range, or an attached one on the wrong side of the order's price."""
    if is_trigger(order.type):
        return "" if 0 < order.trigger_ticks <= MAX_TICKS else "trigger_ticks"
    reference = order.price_ticks if order.type == "limit" else mark_ticks
    sign = 1 if order.side == "buy" else -1
    profit = order.take_profit_ticks
    loss = order.stop_loss_ticks
    if profit and not (0 < profit <= MAX_TICKS and sign * profit > sign * reference):
        return "take_profit_ticks"
    if loss and not (0 < loss <= MAX_TICKS and sign * loss < sign * reference):
        return "stop_loss_ticks"
    return ""


def worst_price(market: Market, sign: int) -> int:
    """Return a market order's limit: mark and its slippage, rounded towards mark."""
    slippage = market.parameters.market_slippage_ppm
    if sign > 0:
        return market.mark_ticks * (PPM + slippage) // PPM
    return max(1, -(-market.mark_ticks * (PPM - slippage) // PPM))


def out_of_band(market: Market, price_ticks: int) -> Reject:
    mark = market.mark_ticks
    band = mark * market.parameters.price_band_ppm // PPM
    return Reject("PRICE_OUT_OF_BAND", {"min_ticks": mark - band, "max_ticks": mark + band})


def reference_ticks(market: Market, trigger_by: str) -> int:
    """Return the price that triggers look at, 0 when there is none yet."""
    if trigger_by == "mark":
        return market.mark_ticks
    return market.index_ticks() if trigger_by == "index" else market.last_ticks


def too_small(market: Market, price_ticks: int, lots: int) -> Reject | None:
    value = price_ticks * lots * market.tick_lot_atoms
    least = market.parameters.min_notional_atoms
    return Reject("MIN_NOTIONAL", {"min_notional_atoms": least, "notional_atoms": value}) if value < least else None


def trigger_refusal(market: Market, holding: Holding, order: PlaceOrder) -> Reject | None:
    """Check what a trigger order must meet to wait; margin and the rest are checked when it triggers."""
    sign = 1 if order.side == "buy" else -1
    reducing = order.reduce_only or order.close_position
    rising = sign if order.type.startswith("stop") else -sign
    reference = reference_ticks(market, order.trigger_by)
    if reference and rising * reference >= rising * order.trigger_ticks:
        return Reject("TRIGGERS_IMMEDIATELY", {"reference_ticks": reference})
    small = None if reducing else too_small(market, order.price_ticks or order.trigger_ticks, order.size_lots)
    if small is not None:
        return small
    if holding.order_count >= market.parameters.max_open_orders:
        return Reject("TOO_MANY_ORDERS", {"max_open_orders": market.parameters.max_open_orders})
    return Reject("REDUCE_ONLY", {"position_lots": holding.size_lots}) if reducing and sign * holding.size_lots >= 0 else None


def entry(state: State, market: Market, holding: Holding, order: PlaceOrder, price_ticks: int, lots: int, counted: bool) -> Entry:
    """Decide whether and how an order enters the market now; `counted` says that the account's order count includes it."""
    sign = 1 if order.side == "buy" else -1
    reduce_only = order.reduce_only or order.close_position
    risky = not reduce_only and margin.adds_risk(holding, sign, lots)
    price = price_ticks or worst_price(market, sign)
    reject = unfit(market, holding, order, sign, price, lots, risky, reduce_only, counted, price_ticks > 0)
    if reject is not None:
        return Entry(reject)
    if reduce_only:
        lots = min(lots, abs(holding.size_lots)) if lots else abs(holding.size_lots)
    opposite = market.book.asks if sign > 0 else market.book.bids
    crosses = len(opposite.keys) > 0 and opposite.keys[-1] >= -sign * price
    if crosses and order.post_only != "none":
        price = opposite.best_ticks() - sign
        if order.post_only == "reject" or price <= 0:
            return Entry(Reject("POST_ONLY_WOULD_TAKE", {"best_ticks": opposite.best_ticks()}))
        crosses = False
    if order.type != "limit" or order.time_in_force == "fok" or not price_ticks:
        reject = unfillable(state, market, holding, order, sign, price, lots, crosses)
        if reject is not None:
            return Entry(reject)
    if risky:
        return affordable(state, market, holding, order, sign, price, lots, crosses)
    return reducing(state, market, holding, order, sign, price, lots, crosses)


def unfit(
    market: Market,
    holding: Holding,
    order: PlaceOrder,
    sign: int,
    price_ticks: int,
    lots: int,
    risky: bool,
    reduce_only: bool,
    counted: bool,
    stated: bool,
) -> Reject | None:
    """Check an order against prices and limits, before it meets the book. Only a stated price is held to the band."""
    parameters = market.parameters
    mark = market.mark_ticks
    if market.index.state not in OPEN or mark == 0:
        reject = untrusted(market, order, risky)
        if reject is not None:
            return reject
    if stated and mark and abs(price_ticks - mark) * PPM > mark * parameters.price_band_ppm:
        return out_of_band(market, price_ticks)
    if not reduce_only and price_ticks * lots * market.tick_lot_atoms < parameters.min_notional_atoms:
        return too_small(market, price_ticks, lots)
    if not counted and holding.order_count >= parameters.max_open_orders and rests(order):
        return Reject("TOO_MANY_ORDERS", {"max_open_orders": parameters.max_open_orders})
    if reduce_only and sign * holding.size_lots >= 0:
        return Reject("REDUCE_ONLY", {"position_lots": holding.size_lots})
    return None


def untrusted(market: Market, order: PlaceOrder, risky: bool) -> Reject | None:
    """Refuse an order that the state of the price does not admit."""
    action: Action = "reduce"
    if risky:
        action = "match" if order.post_only == "none" else "post"
    if not market.index.allows(action) or (market.mark_ticks == 0 and risky):
        return Reject("PRICE_STALE", {"oracle_state": market.index.state})
    return None


def unfillable(
    state: State, market: Market, holding: Holding, order: PlaceOrder, sign: int, price_ticks: int, lots: int, crosses: bool
) -> Reject | None:
    if order.time_in_force == "fok":
        skip_own = order.self_trade_prevention == "expire_maker"
        if not complete_value(state, market, holding.account, sign, price_ticks, lots, skip_own):
            return Reject("FOK_UNFILLABLE", {"size_lots": lots})
    if is_market(order.type) and not crosses:
        return Reject("NO_LIQUIDITY", {"worst_ticks": price_ticks})
    return None


def reducing(
    state: State, market: Market, holding: Holding, order: PlaceOrder, sign: int, price_ticks: int, lots: int, crosses: bool
) -> Entry:
    """Let an order in that only reduces; one whose worst fills would leave less than nothing is checked fill by fill."""
    value = lots * price_ticks
    if crosses and order.time_in_force == "fok":
        value = complete_value(state, market, holding.account, sign, price_ticks, lots, order.self_trade_prevention == "expire_maker")
    fee = charge(value * market.tick_lot_atoms, market.parameters.taker_fee_ppm)
    bears = not crosses or margin.bears(state, holding, sign, lots, value, fee)
    if not bears and order.time_in_force == "fok":
        return Entry(Reject("INSUFFICIENT_MARGIN", {"equity_atoms": margin.equity(state, holding.pool)}))
    # What it costs at worst lowers the floor, as of any order: to drop the floor would have the next order make all sums exact.
    margin.spend(state, holding.pool, margin.most_of_order(holding, sign, lots, price_ticks, fee))
    return Entry(None, price_ticks, lots, not bears)


def too_large(market: Market, holding: Holding, sign: int, lots: int) -> Reject | None:
    """Refuse what would make a position, its open orders filled first, larger than an account may have, or open interest."""
    most = market.parameters.max_position_lots
    waiting = holding.buy_lots if sign > 0 else holding.sell_lots
    if most and sign * holding.size_lots + waiting + lots > most:
        return Reject("POSITION_LIMIT", {"max_position_lots": most, "position_lots": holding.size_lots, "open_lots": waiting})
    cap = market.parameters.max_open_interest_lots
    if market.open_interest_lots + lots <= cap:
        return None
    larger = abs(holding.size_lots + sign * lots) - abs(holding.size_lots)
    if larger > 0 and market.open_interest_lots + larger > cap:
        return Reject("OPEN_INTEREST_CAP", {"max_open_interest_lots": cap, "open_interest_lots": market.open_interest_lots})
    return None


def affordable(
    state: State, market: Market, holding: Holding, order: PlaceOrder, sign: int, price_ticks: int, lots: int, crosses: bool
) -> Entry:
    """Check limits and margin: at the worst price, and if that is too much, at the prices that the book shows.

    What an isolated pool lacks may come from the cross pool.
    """
    reject = too_large(market, holding, sign, lots)
    if reject is not None:
        return Entry(reject)
    value = lots * price_ticks
    pool = holding.pool
    if pool.cash_atoms < 0:
        reject = withdrawals.illiquid(state)
        if reject is not None:
            return Entry(reject)
    fee = charge(value * market.tick_lot_atoms, market.parameters.taker_fee_ppm) if crosses else 0
    if margin.spend(state, pool, margin.most_of_order(holding, sign, lots, price_ticks, fee)):
        return Entry(None, price_ticks, lots)
    left = margin.available_with_order(state, holding, sign, lots, value, fee)
    if left >= 0:
        pool.floor_atoms = left
        return Entry(None, price_ticks, lots)
    spare = margin.movable(state, holding.account.cross) if pool.market_id else 0
    if left + spare >= 0:
        return Entry(None, price_ticks, lots, False, -left)
    if crosses:
        left = expected_available(state, market, holding, order, sign, price_ticks, lots)
        if left + spare >= 0:
            margin.distrust(pool)
            return Entry(None, price_ticks, lots, order.time_in_force != "fok", max(0, -left))
    free = margin.available(state, pool) + spare
    left += spare
    return Entry(Reject("INSUFFICIENT_MARGIN", {"available_atoms": free, "required_atoms": shown(free - left)}))


def expected_available(state: State, market: Market, holding: Holding, order: PlaceOrder, sign: int, price_ticks: int, lots: int) -> int:
    """Return what would be available after taking what the book shows; gains against mark are not counted."""
    if order.time_in_force == "fok":
        taken, value = lots, complete_value(state, market, holding.account, sign, price_ticks, lots, True)
    else:
        taken, value = market.book.side(-sign).walk(lots, -sign * price_ticks)
    fee = charge(value * market.tick_lot_atoms, market.parameters.taker_fee_ppm)
    value = sign * max(sign * value, sign * taken * market.mark_ticks)
    rest = lots - taken if rests(order) else 0
    return margin.available_with_order(state, holding, sign, taken + rest, value + rest * price_ticks, fee)
