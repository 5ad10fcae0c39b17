"""Placing, amending and cancelling orders: validate, check margin, match, settle, release."""

from typing import Final

import msgspec

from markets.commands import CancelAll, CancelNonces, CancelOrder, PlaceOrder, RevokeKey
from markets.events import CancelReason, OrderAccepted, OrderRejected, OrderStatus
from markets.ledger import FIRST_USER_ACCOUNT
from markets.rejects import TRANSIENT, Reject
from markets.views import OrderView, Reply
from trading.engine import checks, lives, signatures
from trading.engine.book import Order, Terms
from trading.engine.brackets import given_id
from trading.engine.identity import content_hash
from trading.engine.matching import match
from trading.engine.pools import top_up
from trading.engine.state import Account, Holding, KnownId, Market, Rejection, State
from trading.engine.views import order_view

ACCOUNT_NOT_FOUND: Final = Reject("ACCOUNT_NOT_FOUND")
MARKET_NOT_FOUND: Final = Reject("MARKET_NOT_FOUND")


def user_account(state: State, account_id: int) -> Account | None:
    return state.accounts.get(account_id) if account_id >= FIRST_USER_ACCOUNT else None


def expired(state: State, valid_until_ms: int) -> Reject | None:
    if valid_until_ms and state.stamp_ms > valid_until_ms:
        return Reject("EXPIRED", {"stamp_ms": state.stamp_ms})
    return None


def place(state: State, command: PlaceOrder) -> Reply:
    account = state.accounts.get(command.account_id)
    if account is None or command.account_id < FIRST_USER_ACCOUNT:
        return Reply(reject=expired(state, command.valid_until_ms) or ACCOUNT_NOT_FOUND)
    if command.valid_until_ms and state.stamp_ms > command.valid_until_ms:
        return refuse(state, account, command, Reject("EXPIRED", {"stamp_ms": state.stamp_ms}), False)
    market = state.markets.get(command.market_id)
    if market is None:
        return refuse(state, account, command, MARKET_NOT_FOUND, False)
    if command.client_order_id in account.client_ids or state.found:
        repeated = repeat(state, account, command)
        if repeated is not None:
            return repeated
    reject = checks.refusal(state, account, market, command)
    if reject is not None:
        return refuse(state, account, command, reject, True)
    holding = account.holding(market)
    price = command.price_ticks
    terms: Terms | None = None
    if account.self_custody:
        found = signatures.for_order(state, account, market, command)
        if isinstance(found, Reject):
            return refuse(state, account, command, found, False)  # signed otherwise it is the same order
        terms = found
        if price == 0:
            price = signatures.limited(terms, checks.worst_price(market, terms.sign))
    if command.type not in checks.PLAIN:
        return place_trigger(state, holding, command, terms)
    entry = checks.entry(state, market, holding, command, price, command.size_lots, False)
    if entry.reject is not None:
        return refuse(state, account, command, entry.reject, True)
    if entry.margin_atoms:
        top_up(state, holding, entry.margin_atoms)
    order = accept(state, holding, command, entry.price_ticks, entry.lots, "open", terms)
    execute(state, market, order, entry.tight)
    return Reply(orders=(order_view(order),))


def refuse(state: State, account: Account, command: PlaceOrder, reject: Reject, final: bool) -> Reply:
    """Report a refusal; a final one is remembered under its client id, a transient one may be tried again."""
    client_id = command.client_order_id
    state.events.append(
        OrderRejected(account_id=command.account_id, market_id=command.market_id, client_order_id=client_id, code=reject.code)
    )
    if final and client_id and reject.code not in TRANSIENT:
        entry = Rejection(command.account_id, client_id, content_hash(command), state.stamp_ms, reject)
        account.client_ids[client_id] = entry
        state.rejections.append(entry)
    return Reply(reject=reject)


def repeat(state: State, account: Account, command: PlaceOrder) -> Reply | None:
    """Answer an order whose client id is known: the same content gets the first result, as it stands, other content is refused.

    An accepted reply without an order says that the order ended too long ago to be held here.
    """
    known = account.client_ids.get(command.client_order_id)
    if known is None:
        found = state.found.get((account.account_id, command.client_order_id))
        if found is None:
            return None
        content, order_id = found[1], found[0]
    elif isinstance(known, Order):
        content, order_id = content_hash(known.command), known.order_id
    elif isinstance(known, KnownId):
        content, order_id = known.content, known.order_id
    else:
        content, order_id = known.content, 0
    if content != content_hash(command):
        return refuse(state, account, command, Reject("DUPLICATE_ID", {"order_id": order_id}), False)
    if isinstance(known, Order):
        return Reply(orders=(order_view(known),))
    return Reply(reject=known.reject) if isinstance(known, Rejection) else Reply()


def accept(
    state: State, holding: Holding, command: PlaceOrder, price_ticks: int, lots: int, status: OrderStatus, terms: Terms | None
) -> Order:
    order_id = state.next_order_id
    state.next_order_id = order_id + 1
    if not command.client_order_id:
        command = msgspec.structs.replace(command, client_order_id=given_id(order_id))
    order = Order(order_id, command, holding.account, holding, price_ticks, lots, state.stamp_ms)
    order.status = status
    if terms is not None:
        signatures.use(state, order, terms)
    lives.register(state, order)
    state.events.append(OrderAccepted(order_id=order_id, order=command, price_ticks=price_ticks, size_lots=lots, status=status))
    return order


def execute(state: State, market: Market, order: Order, tight: bool) -> None:
    """Match a live order, then rest, cancel or close what is left."""
    keys = (market.book.asks if order.sign > 0 else market.book.bids).keys
    stopped: CancelReason | None = None
    if keys and keys[-1] >= -order.sign * order.price_ticks:
        stopped = match(state, market, order, tight, False)
    command = order.command
    if order.remaining_lots == 0:
        lives.filled(state, order)
    elif stopped is not None:
        lives.cancel(state, order, stopped)
    elif checks.rests(command):
        lives.rest(order)
    else:
        lives.cancel(state, order, unfilled_reason(command))


def unfilled_reason(command: PlaceOrder) -> CancelReason:
    if checks.is_market(command.type):
        return "slippage"
    return "fok" if command.time_in_force == "fok" else "ioc"


def place_trigger(state: State, holding: Holding, command: PlaceOrder, terms: Terms | None) -> Reply:
    reject = checks.trigger_refusal(holding.market, holding, command)
    if reject is not None:
        return refuse(state, holding.account, command, reject, True)
    order = accept(state, holding, command, command.price_ticks, command.size_lots, "untriggered", terms)
    order.trigger_ticks = command.trigger_ticks
    holding.market.watch.add(order)
    return Reply(orders=(order_view(order),))


def find_live(account: Account, order_id: int, client_order_id: str) -> Order | None:
    if order_id:
        return account.orders.get(order_id)
    known = account.client_ids.get(client_order_id)
    return known if isinstance(known, Order) and lives.is_live(known) else None


def cancel(state: State, command: CancelOrder) -> Reply:
    account = user_account(state, command.account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    order = find_live(account, command.order_id, command.client_order_id)
    if order is None:
        return Reply(reject=Reject("ORDER_NOT_FOUND", {"order_id": command.order_id}))
    lives.cancel(state, order, "user")
    return Reply(orders=(order_view(order),))


def revoke_key(state: State, command: RevokeKey) -> Reply:
    account = user_account(state, command.account_id)
    if account is None:
        return Reply(reject=ACCOUNT_NOT_FOUND)
    return Reply(orders=cancelled(state, signatures.revoke(state, account, command.key)))


def cancel_nonces(state: State, command: CancelNonces) -> Reply:
    account = user_account(state, command.account_id)
    if account is None:
        return Reply(reject=ACCOUNT_NOT_FOUND)
    return Reply(orders=cancelled(state, signatures.cancel_nonces(state, account, command.min_nonce)))


def cancelled(state: State, chosen: list[Order]) -> tuple[OrderView, ...]:
    """Cancel orders whose owner takes his signature back."""
    for order in chosen:
        if lives.is_live(order):  # a linked one went with the one before
            lives.cancel(state, order, "signature")
    return tuple(order_view(order) for order in chosen)


def cancel_all(state: State, command: CancelAll) -> Reply:
    account = user_account(state, command.account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    if command.market_id and command.market_id not in state.markets:
        return Reply(reject=MARKET_NOT_FOUND)
    reason: CancelReason = "disconnect" if command.session_id else "user"
    ended = cancel_orders(state, account, reason, command.market_id, command.session_id)
    return Reply(orders=tuple(order_view(order) for order in ended))


def cancel_orders(state: State, account: Account, reason: CancelReason, market_id: int = 0, session_id: int = 0) -> list[Order]:
    """Cancel an account's live orders, oldest first, and return them; linked ones that went with others are included."""
    chosen = [
        order
        for order in account.orders.values()
        if market_id in (0, order.command.market_id) and session_id in (0, order.command.session_id)
    ]
    for order in chosen:
        if lives.is_live(order):
            lives.cancel(state, order, reason)
    return chosen
