"""What the owner of a self-custodied account signed, and which orders and fills that allows.

The engine checks terms, the front whose signature it is. A signed order stands for one order here, or for one amendment, and never
again: what was used is remembered until it expires. It ends like a good-till order at its expiry at the latest.
"""

from heapq import heappop, heappush
from typing import Final

from markets.commands import PlaceOrder
from markets.events import KeyRevoked, NoncesCancelled
from markets.rejects import Reject
from markets.signed_orders import KEY_BYTES, OrderMalformed, decode, order_hash, take_apart
from markets.units import charge
from trading.engine.book import Order, Terms
from trading.engine.state import HOUR_MS, Account, Market, State

MAX_LIFE_MS: Final = 90 * 24 * HOUR_MS
MAX_NONCE_LEAD_MS: Final = 60_000  # nonces are times: the chain drops those from before a fallback, which one from the future would outlive
MAX_REMEMBERED: Final = 20_000  # of one account
NEVER_MS: Final = 1 << 62


def refused(rule: str) -> Reject:
    return Reject("SIGNATURE_REFUSED", {"rule": rule})


def unsignable(command: PlaceOrder) -> str:
    """Return the field that no signature covers, or nothing: what the engine would place by itself is not the owner's order."""
    if command.take_profit_ticks:
        return "take_profit"
    if command.stop_loss_ticks:
        return "stop_loss"
    return "close_position" if command.close_position else ""


def terms_of(signed: bytes, from_lots: int) -> Terms:
    """Return the terms of a signed order; OrderMalformed for bytes that are none. `from_lots` were filled before it took effect."""
    parts = take_apart(signed)
    order = decode(parts.data)
    return Terms(
        signed,
        order_hash(parts.data),
        parts.key,
        order.market_id,
        1 if order.side == "buy" else -1,
        order.size_lots,
        order.limit_ticks,
        order.fee_cap_ppm,
        order.reduce_only,
        order.expiry_ms,
        order.nonce,
        from_lots,
    )


def read(state: State, account: Account, market: Market, signed: bytes, from_lots: int) -> Terms | Reject:
    """Return the terms of a signed order that may be used now."""
    if not signed:
        return Reject("SIGNATURE_REQUIRED")
    try:
        terms = terms_of(signed, from_lots)
    except OrderMalformed as error:
        return Reject("SIGNED_ORDER_MALFORMED", {"rule": error.rule})
    return unusable(state, account, market, terms) or terms


def unusable(state: State, account: Account, market: Market, terms: Terms) -> Reject | None:
    if terms.market_id != market.market_id:
        return refused("OtherMarket")
    if terms.expiry_ms <= state.stamp_ms:
        return refused("Expired")
    if terms.expiry_ms > state.stamp_ms + MAX_LIFE_MS:
        return refused("ExpiresTooLate")
    if terms.nonce < account.min_nonce:
        return refused("NonceCancelled")
    if terms.nonce > state.stamp_ms + MAX_NONCE_LEAD_MS:
        return refused("NonceAhead")
    if terms.key in account.revoked_keys:
        return refused("KeyRevoked")
    if terms.digest in account.signed:
        return Reject("SIGNATURE_USED")
    # Who is full can still get out of what he is in.
    if len(account.signed) >= (2 * MAX_REMEMBERED if terms.reduce_only else MAX_REMEMBERED):
        return Reject("TOO_MANY_SIGNED", {"max_signed": MAX_REMEMBERED})
    return None


def exceeded(market: Market, command: PlaceOrder, terms: Terms, price_ticks: int, lots: int) -> Reject | None:
    """Refuse an order that asks for more than what was signed: `lots` of it at `price_ticks`, 0 for whatever the signed limit is."""
    if (1 if command.side == "buy" else -1) != terms.sign:
        return refused("OtherSide")
    if lots > terms.size_lots:
        return refused("Overfilled")
    if price_ticks and terms.sign * price_ticks > terms.sign * terms.limit_ticks:
        return refused("OutsideLimit")
    if market.parameters.taker_fee_ppm > terms.fee_cap_ppm:
        return refused("FeeAboveCap")
    return refused("NotReducing") if terms.reduce_only and not command.reduce_only else None


def for_order(state: State, account: Account, market: Market, command: PlaceOrder) -> Terms | Reject:
    """Return the terms under which a self-custodied account's order may enter."""
    terms = read(state, account, market, command.signed, 0)
    if isinstance(terms, Reject):
        return terms
    return exceeded(market, command, terms, command.price_ticks, command.size_lots) or terms


def for_amendment(state: State, order: Order, signed: bytes, price_ticks: int, size_lots: int) -> Terms | Reject:
    """Return the terms under which the rest of an order may go on at another price or size."""
    market = order.holding.market
    filled = order.size_lots - order.remaining_lots
    terms = read(state, order.account, market, signed, filled)
    if isinstance(terms, Reject):
        return terms
    return exceeded(market, order.command, terms, price_ticks, size_lots - filled) or terms


def limited(terms: Terms, worst_ticks: int) -> int:
    """Return a market order's worst price, or the signed limit where that is tighter; 0 without a mark."""
    return min(worst_ticks, terms.limit_ticks) if terms.sign > 0 or not worst_ticks else max(worst_ticks, terms.limit_ticks)


def use(state: State, order: Order, terms: Terms) -> None:
    """Put an order under terms; no other order comes under them any more."""
    account = order.account
    order.terms = terms
    account.signed[terms.digest] = terms.expiry_ms
    heappush(state.signed_expiries, (terms.expiry_ms, account.account_id, terms.digest))


def use_elsewhere(state: State, account: Account, digest: bytes) -> list[Order]:
    """Note a signed order that the chain has filled, and return the live order that it stands for, which must be cancelled.

    Until when it is valid is not known of one that was never placed here: it is remembered for ever.
    """
    if digest not in account.signed:
        account.signed[digest] = NEVER_MS
        heappush(state.signed_expiries, (NEVER_MS, account.account_id, digest))
        state.touched.add(account.account_id)
    return [order for order in account.orders.values() if order.terms is not None and order.terms.digest == digest]


def forget(state: State) -> None:
    """Drop what has expired: it is refused for that from now on."""
    heap = state.signed_expiries
    while heap and heap[0][0] <= state.stamp_ms:
        _, account_id, digest = heappop(heap)
        del state.accounts[account_id].signed[digest]


def permits(state: State, market: Market, order: Order, terms: Terms, lots: int, price_ticks: int, fee_ppm: int) -> bool:
    """Tell whether the owner signed for a fill, as the chain will judge it."""
    if state.stamp_ms >= terms.expiry_ms or order.size_lots - order.remaining_lots - terms.from_lots + lots > terms.size_lots:
        return False
    if terms.sign * price_ticks > terms.sign * terms.limit_ticks:
        return False
    if fee_ppm > terms.fee_cap_ppm:
        value = lots * price_ticks * market.tick_lot_atoms
        if charge(value, fee_ppm) > charge(value, terms.fee_cap_ppm):
            return False
    return not terms.reduce_only or -terms.sign * order.holding.size_lots >= lots


def revoke(state: State, account: Account, key: bytes) -> list[Order]:
    """Take a key back and return the live orders that it signed, which must be cancelled."""
    if len(key) == KEY_BYTES and key not in account.revoked_keys:
        account.revoked_keys.add(key)
        state.touched.add(account.account_id)
        state.events.append(KeyRevoked(account_id=account.account_id, key=key))
    return [order for order in account.orders.values() if order.terms is not None and order.terms.key == key]


def cancel_nonces(state: State, account: Account, min_nonce: int) -> list[Order]:
    """Raise the least nonce and return the live orders below it, which must be cancelled."""
    if min_nonce > account.min_nonce:
        account.min_nonce = min_nonce
        state.touched.add(account.account_id)
        state.events.append(NoncesCancelled(account_id=account.account_id, min_nonce=min_nonce))
    return [order for order in account.orders.values() if order.terms is not None and order.terms.nonce < account.min_nonce]
