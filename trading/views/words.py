"""The engine's refusals in a trader's words: what is wrong, what to do, and which field is to blame."""

from decimal import Decimal, InvalidOperation
from string import Formatter
from typing import NamedTuple

from markets import figures
from markets.errors import DomainError
from markets.parameters import MarketParameters
from markets.rejects import Reject
from trading.refusals import refused


class Refusal(NamedTuple):
    field: str
    text: str


SENTENCES = {
    "EXPIRED": Refusal("form", "The order came too late. Send it again."),
    "ACCOUNT_NOT_FOUND": Refusal("form", "This account is not open yet. Deposit first."),
    "DUPLICATE_ID": Refusal("form", "This ticket was sent before with other values. Reload the page."),
    "EXCHANGE_HALTED": Refusal("form", "Trading is halted on the whole exchange."),
    "MARKET_HALTED": Refusal("form", "This market is halted."),
    "MARKET_CANCEL_ONLY": Refusal("form", "This market takes cancellations only for now."),
    "MARKET_POST_ONLY": Refusal("form", "This market takes resting orders only for now: tick Post only."),
    "ORDER_NOT_FOUND": Refusal("form", "This order is no longer open."),
    "INVALID_COMBINATION": Refusal("form", "These choices exclude each other."),
    "INVALID_SIZE": Refusal("size", "Size must be more than what is filled already."),
    "SIZE_TOO_LARGE": Refusal("size", "Size is at most {max_order}."),
    "INVALID_PRICE": Refusal("price", "Enter a price."),
    "INVALID_TRIGGER": Refusal("trigger_price", "Enter a trigger price."),
    "GOOD_TILL_IN_PAST": Refusal("good_till", "The order's end is in the past."),
    "PRICE_STALE": Refusal("form", "The oracle price cannot be traded on just now, so nothing that raises risk is taken. Try again soon."),
    "TRIGGERS_IMMEDIATELY": Refusal("trigger_price", "This would trigger at once: the price is {reference}."),
    "PRICE_OUT_OF_BAND": Refusal("price", "Price must be between {min} and {max}."),
    "MIN_NOTIONAL": Refusal("size", "The order is worth {notional}; the least is {min_notional}."),
    "TOO_MANY_ORDERS": Refusal("form", "You have {max_open_orders} orders open here, the most there can be. Cancel one first."),
    "REDUCE_ONLY": Refusal("reduce_only", "There is no position on the other side that this order would reduce."),
    "POST_ONLY_WOULD_TAKE": Refusal("price", "This price would trade at once, and the order is post only. The best price is {best}."),
    "FOK_UNFILLABLE": Refusal("size", "The book cannot fill the whole size at this price."),
    "NO_LIQUIDITY": Refusal("form", "The book has nothing inside the worst price, {worst}."),
    "OPEN_INTEREST_CAP": Refusal("size", "The market's open interest is at its cap of {max_open_interest}."),
    "POSITION_LIMIT": Refusal("size", "A position here is at most {max_position}, open orders included."),
    "INSUFFICIENT_MARGIN": Refusal("size", "Not enough margin: {required} needed, {available} available."),
    "INVALID_LEVERAGE": Refusal("leverage", "Leverage is a whole number within this market's limit."),
    "HAS_EXPOSURE": Refusal("form", "Close the position and cancel the orders in this market first."),
    "INSUFFICIENT_BALANCE": Refusal("amount", "At most {movable} can be moved now."),
    "NOT_ISOLATED": Refusal("form", "There is no isolated position in this market."),
    "SIGNATURE_REQUIRED": Refusal("form", "Your wallet owns this account: sign this with your trading key."),
    "SIGNATURE_USED": Refusal("form", "This signature was used before. Send the order again."),
    "NOTHING_TO_CHANGE": Refusal("form", "Nothing would change."),
    "PROJECTION_BEHIND": Refusal("form", "The exchange is catching up. Try again in a moment."),
}


PRICE_HALTED = Refusal("form", "The price is halted, so nothing trades. Orders can be cancelled.")
CHAIN_AWAITED = Refusal(
    "form",
    "Trading waits for the chain: until trades are settled there again, orders can only be cancelled. It goes on by itself.",
)
MONEY = frozenset({"movable", "notional", "min_notional", "required", "available"})


def refusal(error: DomainError) -> Refusal:
    """Return a refusal's sentence with its facts, and the field to put it beside."""
    is_halted = error.code == "PRICE_STALE" and error.data.get("oracle_state") == "halted"
    found = PRICE_HALTED if is_halted else SENTENCES.get(error.code)
    if error.data.get("waits_for") == "chain":
        found = CHAIN_AWAITED
    field = str(error.data.get("field") or "form")
    if found is None:
        return Refusal(field, _with_nearest(error, field))
    names = [name for _, name, _, _ in Formatter().parse(found.text) if name]
    if not all(name in error.data for name in names):
        return Refusal(found.field, error.message)
    return Refusal(found.field, found.text.format(**{name: _fact(name, error.data[name]) for name in names}))


def preview_text(reject: Reject | None, market: MarketParameters) -> str:
    """Return why a previewed order would be refused, "" when it would not."""
    return refusal(refused(reject, market)).text if reject else ""


def _with_nearest(error: DomainError, field: str) -> str:
    """Return the message with the field's label in front and the nearest valid value behind it."""
    label = field.replace("_", " ").capitalize()
    text = error.message.replace(f"{field} ", f"{label} ", 1) if error.message.startswith(field) else error.message
    nearest = error.data.get("nearest")
    return f"{text.rstrip('.')}: try {nearest}." if nearest else text


def _fact(name: str, value: object) -> str:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return "$" + figures.number(amount.quantize(Decimal("0.01"))) if name in MONEY else figures.number(amount)
