"""Amending: an order keeps its place only when nothing but its size goes down."""

from markets.commands import AmendOrder
from markets.rejects import Reject
from markets.views import Reply
from trading.engine import checks, lives, margin, signatures
from trading.engine.book import Order, Terms
from trading.engine.orders import ACCOUNT_NOT_FOUND, MARKET_NOT_FOUND, execute, expired, find_live, user_account
from trading.engine.pools import top_up
from trading.engine.positions import report_amended
from trading.engine.state import Market, State
from trading.engine.views import order_view


def amend(state: State, command: AmendOrder) -> Reply:
    account = user_account(state, command.account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    market = state.markets.get(command.market_id)
    if market is None:
        return Reply(reject=MARKET_NOT_FOUND)
    order = find_live(account, command.order_id, command.client_order_id)
    posts_only = order is not None and (order.command.post_only != "none" or order.status == "untriggered")
    closed = checks.closed_status(state, market, posts_only)
    if closed is not None:
        return Reply(reject=closed)
    if order is None or order.command.market_id != command.market_id:
        return Reply(reject=Reject("ORDER_NOT_FOUND", {"order_id": command.order_id}))
    reject = malformed(market, order, command) or apply(state, market, order, command)
    return Reply(reject=reject) if reject is not None else Reply(orders=(order_view(order),))


def malformed(market: Market, order: Order, command: AmendOrder) -> Reject | None:
    filled = order.size_lots - order.remaining_lots
    if command.trigger_ticks and order.status != "untriggered":
        return Reject("INVALID_COMBINATION", {"field": "trigger_ticks"})
    if command.size_lots and order.command.close_position:
        return Reject("INVALID_COMBINATION", {"field": "size_lots"})
    if command.size_lots and command.size_lots <= filled:
        return Reject("INVALID_SIZE", {"filled_lots": filled})
    if command.size_lots > market.parameters.max_order_lots:
        return Reject("SIZE_TOO_LARGE", {"max_order_lots": market.parameters.max_order_lots})
    if not 0 <= command.price_ticks <= checks.MAX_TICKS:
        return Reject("INVALID_PRICE", {"price_ticks": command.price_ticks})
    if not 0 <= command.trigger_ticks <= checks.MAX_TICKS:
        return Reject("INVALID_TRIGGER", {"field": "trigger_ticks"})
    return None


def apply(state: State, market: Market, order: Order, command: AmendOrder) -> Reject | None:
    price = command.price_ticks or order.price_ticks
    size = command.size_lots or order.size_lots
    trigger = command.trigger_ticks or order.trigger_ticks
    if (price, size, trigger) == (order.price_ticks, order.size_lots, order.trigger_ticks):
        return Reject("NOTHING_TO_CHANGE")
    shrinks = price == order.price_ticks and trigger == order.trigger_ticks and size < order.size_lots
    terms: Terms | None = None
    if order.terms is not None and (command.signed or not shrinks):
        found = signatures.for_amendment(state, order, command.signed, price, size)
        if isinstance(found, Reject):
            return found
        terms = found
    if order.status == "untriggered":
        return amend_trigger(state, market, order, price, size, trigger, terms)
    if shrinks:
        return shrink(state, market, order, size, terms)
    return replace(state, market, order, price, size, terms)


def sign_anew(state: State, order: Order, terms: Terms | None) -> bytes:
    """Put an amended order under its new terms, if it has any, and return what was signed."""
    if terms is None:
        return b""
    signatures.use(state, order, terms)
    lives.expire_later(state, order)
    return terms.signed


def shrink(state: State, market: Market, order: Order, size_lots: int, terms: Terms | None) -> Reject | None:
    """Lower the size in place."""
    less = order.size_lots - size_lots
    small = None if order.reduce_only else checks.too_small(market, order.price_ticks, order.remaining_lots - less)
    if small is not None:
        return small
    if not order.reduce_only:
        margin.reserve(order.holding, order.sign, -less, order.price_ticks)
    market.book.side(order.sign).reduce(order, less)
    order.size_lots = size_lots
    report_amended(state, order, sign_anew(state, order, terms))
    return None


def replace(state: State, market: Market, order: Order, price_ticks: int, size_lots: int, terms: Terms | None) -> Reject | None:
    """Leave the book and enter it again as amended; a refusal leaves the order where it was."""
    holding = order.holding
    filled = order.size_lots - order.remaining_lots
    reserved = 0 if order.reduce_only else order.remaining_lots
    margin.reserve(holding, order.sign, -reserved, order.price_ticks)
    entry = checks.entry(state, market, holding, order.command, price_ticks, size_lots - filled, True)
    margin.reserve(holding, order.sign, reserved, order.price_ticks)
    if entry.reject is not None:
        margin.distrust(holding.pool)
        return entry.reject
    top_up(state, holding, entry.margin_atoms)
    lives.withdraw(order)
    order.price_ticks = entry.price_ticks
    order.remaining_lots = entry.lots
    order.size_lots = filled + entry.lots
    report_amended(state, order, sign_anew(state, order, terms))
    execute(state, market, order, entry.tight)
    return None


def amend_trigger(
    state: State, market: Market, order: Order, price_ticks: int, size_lots: int, trigger_ticks: int, terms: Terms | None
) -> Reject | None:
    if trigger_ticks != order.trigger_ticks:
        reference = checks.reference_ticks(market, order.command.trigger_by)
        rising = order.sign if order.command.type.startswith("stop") else -order.sign
        if reference and rising * reference >= rising * trigger_ticks:
            return Reject("TRIGGERS_IMMEDIATELY", {"reference_ticks": reference})
    reducing = order.command.reduce_only or order.command.close_position
    small = None if reducing else checks.too_small(market, price_ticks or trigger_ticks, size_lots)
    if small is not None:
        return small
    lives.withdraw(order)
    order.price_ticks = price_ticks
    order.size_lots = order.remaining_lots = size_lots
    order.trigger_ticks = trigger_ticks
    market.watch.add(order)
    report_amended(state, order, sign_anew(state, order, terms))
    return None
