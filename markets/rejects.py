"""Why the engine refuses a command. A refusal is a value, not an exception.

`PRECEDENCE` lists the codes in the order in which they are checked: of several that hold, the first is answered.
"""

import msgspec

PRECEDENCE = (
    "EXPIRED",  # the command's own valid_until_ms has passed
    "ACCOUNT_NOT_FOUND",
    "MARKET_NOT_FOUND",
    "DUPLICATE_ID",  # client_order_id was used for an order with other content
    "EXCHANGE_HALTED",
    "MARKET_HALTED",
    "MARKET_CANCEL_ONLY",
    "MARKET_POST_ONLY",
    "ORDER_NOT_FOUND",
    "INVALID_COMBINATION",  # fields that exclude each other; data names them
    "INVALID_SIZE",  # not positive, or below what is filled
    "SIZE_TOO_LARGE",
    "INVALID_PRICE",
    "INVALID_TRIGGER",
    "GOOD_TILL_IN_PAST",
    "SIGNATURE_REQUIRED",  # a self-custodied account's order without a signed order, or with a field that none covers
    "SIGNED_ORDER_MALFORMED",
    "SIGNATURE_REFUSED",  # what was signed does not allow the order, or must not be used now; data names the rule
    "SIGNATURE_USED",  # a signed order stands for one order
    "TOO_MANY_SIGNED",  # of an account's signed orders, used ones are remembered until they expire
    "PRICE_STALE",  # the index's state does not permit it (oracle.actions), or there is no mark yet; data names the state
    "TRIGGERS_IMMEDIATELY",
    "PRICE_OUT_OF_BAND",
    "MIN_NOTIONAL",
    "TOO_MANY_ORDERS",
    "REDUCE_ONLY",  # nothing to reduce, or it would increase
    "POST_ONLY_WOULD_TAKE",
    "FOK_UNFILLABLE",
    "NO_LIQUIDITY",  # a market order found nothing inside its worst price
    "OPEN_INTEREST_CAP",
    "POSITION_LIMIT",  # an account's position, its orders of that side filled, would be larger than the market admits
    "INSUFFICIENT_MARGIN",
    "INVALID_LEVERAGE",
    "UNKNOWN_ASSET",
    "INVALID_AMOUNT",
    "OUT_OF_SEQUENCE",  # a deposit's number is not the last plus one
    "SELF_CUSTODY",  # a self-custodied account's money leaves through the chain only, and is USDC; its positions only its owner closes
    "DEPOSIT_CAP",  # the account or the exchange would hold more of the asset than is admitted
    "INSUFFICIENT_BALANCE",
    "WITHDRAWAL_LIMIT",  # transient: as much as may leave the exchange in an hour or a day has left
    "LIQUIDITY_SHORT",  # transient: what others owe is not in the vault now
    "HAS_EXPOSURE",  # the margin mode stays while there is a position or an order
    "NOT_ISOLATED",
    "MARKET_EXISTS",
    "INVALID_PARAMETERS",
    "BATCH_TOO_LARGE",
    "NOTHING_TO_CHANGE",
    "PROJECTION_BEHIND",  # transient: old client ids cannot be looked up just now
)
TRANSIENT = frozenset({"PROJECTION_BEHIND", "PRICE_STALE", "EXPIRED", "WITHDRAWAL_LIMIT", "LIQUIDITY_SHORT"})


class Reject(msgspec.Struct, frozen=True, array_like=True):
    """A refusal: a stable code and named facts (integers in engine units, or words)."""

    code: str
    data: dict[str, int | str] = {}

    @property
    def transient(self) -> bool:
        return self.code in TRANSIENT
