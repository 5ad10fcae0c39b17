"""The engine's refusals in words and decimal strings, for REST, socket and pages alike."""

from typing import Any

from markets.assets import QUOTE
from markets.errors import Refused
from markets.parameters import MarketParameters
from markets.rejects import Reject
from markets.units import ASSET_DECIMALS
from trading.representations import atoms_text, price_text, size_text

MESSAGES = {
    "EXPIRED": "The command's own deadline had passed.",
    "ACCOUNT_NOT_FOUND": "There is no such account.",
    "MARKET_NOT_FOUND": "There is no such market.",
    "DUPLICATE_ID": "This client_order_id was used for another order.",
    "EXCHANGE_HALTED": "The exchange is halted; where `waits_for` says chain, until trades are settled there again.",
    "MARKET_HALTED": "The market is halted.",
    "MARKET_CANCEL_ONLY": "The market takes cancels only.",
    "MARKET_POST_ONLY": "The market takes post-only orders only.",
    "ORDER_NOT_FOUND": "There is no such open order.",
    "INVALID_COMBINATION": "These fields exclude each other.",
    "INVALID_SIZE": "The size is not possible here.",
    "SIZE_TOO_LARGE": "The size is above the market's largest order.",
    "INVALID_PRICE": "The price is not possible here.",
    "INVALID_TRIGGER": "The trigger price is not possible here.",
    "GOOD_TILL_IN_PAST": "good_till_ms is in the past.",
    "SIGNATURE_REQUIRED": "A wallet owns this account: its orders are signed, and what `field` names cannot be.",
    "SIGNED_ORDER_MALFORMED": "What was signed is no order.",
    "SIGNATURE_REFUSED": "What was signed does not allow this order, or may not be used now: `rule` says why.",
    "SIGNATURE_USED": "This signed order was used before; sign another.",
    "TOO_MANY_SIGNED": "Too many signed orders of this account have not expired yet; let them expire sooner.",
    "SELF_CUSTODY": "A wallet owns this account: its money leaves through the chain only and is USDC, and only it closes its positions.",
    "PRICE_STALE": "The oracle price does not allow this just now: `oracle_state` says why.",
    "TRIGGERS_IMMEDIATELY": "The trigger would fire at once.",
    "PRICE_OUT_OF_BAND": "The price is too far from the mark price.",
    "MIN_NOTIONAL": "The order's value is below the market's minimum.",
    "TOO_MANY_ORDERS": "Too many open orders in this market.",
    "REDUCE_ONLY": "There is no position that this order would reduce.",
    "POST_ONLY_WOULD_TAKE": "The order would have traded at once.",
    "FOK_UNFILLABLE": "The order cannot be filled whole.",
    "NO_LIQUIDITY": "Nothing rests within the order's worst price.",
    "OPEN_INTEREST_CAP": "The market's open interest is at its cap.",
    "POSITION_LIMIT": "The position would be larger than one account may have in this market.",
    "INSUFFICIENT_MARGIN": "The order needs more margin than is available.",
    "INVALID_LEVERAGE": "The leverage is not possible here.",
    "UNKNOWN_ASSET": "There is no such asset.",
    "INVALID_AMOUNT": "The amount is not possible here.",
    "OUT_OF_SEQUENCE": "The deposit's number is not the next one.",
    "DEPOSIT_CAP": "More of this asset is not accepted as collateral.",
    "INSUFFICIENT_BALANCE": "The balance is too low.",
    "WITHDRAWAL_LIMIT": "As much as may leave the exchange has left for now; try again later.",
    "LIQUIDITY_SHORT": "More USDC is owed than the backstop has: for now a part of each balance may leave, and who owes adds no risk.",
    "HAS_EXPOSURE": "The margin mode can be changed only without a position and orders in the market.",
    "NOT_ISOLATED": "The market is not in isolated margin.",
    "MARKET_EXISTS": "The market exists already.",
    "INVALID_PARAMETERS": "The market's parameters are not possible.",
    "BATCH_TOO_LARGE": "The batch has too many items.",
    "NOTHING_TO_CHANGE": "The amendment changes nothing.",
    "PROJECTION_BEHIND": "Old order ids cannot be looked up just now; try again.",
}
FIELDS = {
    "DUPLICATE_ID": "client_order_id",
    "INVALID_SIZE": "size",
    "SIZE_TOO_LARGE": "size",
    "MIN_NOTIONAL": "size",
    "INSUFFICIENT_MARGIN": "size",
    "FOK_UNFILLABLE": "size",
    "POSITION_LIMIT": "size",
    "INVALID_PRICE": "price",
    "PRICE_OUT_OF_BAND": "price",
    "POST_ONLY_WOULD_TAKE": "price",
    "INVALID_TRIGGER": "trigger_price",
    "TRIGGERS_IMMEDIATELY": "trigger_price",
    "GOOD_TILL_IN_PAST": "good_till_ms",
    "REDUCE_ONLY": "reduce_only",
    "SIGNATURE_REQUIRED": "signed",
    "SIGNED_ORDER_MALFORMED": "signed",
    "SIGNATURE_REFUSED": "signed",
    "SIGNATURE_USED": "signed",
    "TOO_MANY_SIGNED": "signed",
    "INVALID_LEVERAGE": "leverage",
}
STATUSES = {"ORDER_NOT_FOUND": 404, "MARKET_NOT_FOUND": 404, "ACCOUNT_NOT_FOUND": 404, "DUPLICATE_ID": 409, "SIGNED_ORDER_MALFORMED": 400}


def refused(reject: Reject, market: MarketParameters | None = None) -> Refused:
    """Return the refusal as an error; with its market, ticks and lots become prices and sizes."""
    refusal = Refused(reject, MESSAGES.get(reject.code, ""))
    refusal.status = STATUSES.get(reject.code, refusal.status)
    facts = {"field": FIELDS[reject.code]} if reject.code in FIELDS else {}
    asset = str(reject.data.get("asset", QUOTE))
    unit = asset if asset in ASSET_DECIMALS else QUOTE
    refusal.data = facts | dict(_fact(name, value, market, unit) for name, value in reject.data.items())
    return refusal


def _fact(name: str, value: int | str, market: MarketParameters | None, asset: str) -> tuple[str, Any]:
    if isinstance(value, int) and name.endswith("_atoms"):
        return name.removesuffix("_atoms"), atoms_text(value, asset)
    if isinstance(value, int) and market and name.endswith("_ticks"):
        return name.removesuffix("_ticks"), price_text(value, market)
    if isinstance(value, int) and market and name.endswith("_lots"):
        return name.removesuffix("_lots"), size_text(value, market)
    return name, value
