"""What the engine can be told to do. Immutable, integers only; journalled exactly as given.

Every command is a msgspec struct, encoded as an array whose first item is its name: append fields, never reorder.
Words are the same in JSON, SQL and pages. Limits of each field are checked by the engine, which answers with a
`Reject` (see markets.rejects); nothing malformed passes the decoder.
"""

from typing import Literal

import msgspec

from markets.assets import AssetParameters, RiskParameters
from markets.parameters import MarketParameters, MarketStatus

Side = Literal["buy", "sell"]
OrderType = Literal["limit", "market", "stop_market", "stop_limit", "take_profit_market", "take_profit_limit"]
TimeInForce = Literal["gtc", "ioc", "fok", "gtd"]
PostOnly = Literal["none", "reject", "slide"]
SelfTradePrevention = Literal["expire_maker", "expire_taker", "expire_both"]
TriggerBy = Literal["mark", "index", "last"]
MarginMode = Literal["cross", "isolated"]

MAX_CLIENT_ORDER_ID = 36
MAX_BATCH = 20


class Command(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag=True, tag_field="command"):
    """A command; `valid_until_ms` 0 means it never expires, else it is refused once the engine's stamp has passed it."""

    valid_until_ms: int = 0


class OpenAccount(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Open a user's account. A self-custodied one is owned by a wallet: it trades by signed orders only, and stays what it is."""

    account_id: int
    self_custody: bool = False


class PlaceOrder(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Place an order.

    A market order has price 0, or its worst price. A trigger order states `trigger_ticks`; it waits off the book and
    holds no margin until it triggers. `close_position` closes whatever is open when it triggers (size 0).
    `take_profit_ticks` and `stop_loss_ticks` attach a linked pair of reduce-only market triggers that arm with the
    order's fills. Two trigger orders of one account that name the same non-zero `link_id` are one-cancels-other.
    """

    account_id: int
    market_id: int
    side: Side
    type: OrderType
    size_lots: int
    price_ticks: int = 0
    client_order_id: str = ""
    time_in_force: TimeInForce = "gtc"
    good_till_ms: int = 0  # gtd only
    post_only: PostOnly = "none"
    reduce_only: bool = False
    close_position: bool = False
    self_trade_prevention: SelfTradePrevention = "expire_maker"
    trigger_ticks: int = 0
    trigger_by: TriggerBy = "mark"
    take_profit_ticks: int = 0
    stop_loss_ticks: int = 0
    link_id: int = 0
    session_id: int = 0  # the socket whose loss cancels this order; 0 for none
    signed: bytes = b""  # the owner's signed order (markets.signed_orders), which self-custodied accounts need


class AmendOrder(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Change price, size or trigger price (0 keeps each). Priority is kept when only the size goes down.

    The order is named by `order_id`, or by `client_order_id` when that is 0. `size_lots` is the new total, filled included.
    A self-custodied account signs anew whatever does more than lower the size: `signed` is for what is left to fill.
    """

    account_id: int
    market_id: int
    order_id: int = 0
    client_order_id: str = ""
    price_ticks: int = 0
    size_lots: int = 0
    trigger_ticks: int = 0
    signed: bytes = b""


class CancelOrder(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    account_id: int
    order_id: int = 0
    client_order_id: str = ""


class CancelAll(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Cancel an account's orders, triggers included: in one market (0 = all), of one session (0 = any)."""

    account_id: int
    market_id: int = 0
    session_id: int = 0


class PlaceBatch(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Up to MAX_BATCH items of one account, applied in order; each succeeds or fails on its own."""

    account_id: int
    items: tuple[PlaceOrder | AmendOrder | CancelOrder, ...]


class SetLeverage(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    account_id: int
    market_id: int
    leverage: int


class SetDeadMansSwitch(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Cancel all of the account's orders unless set again within `timeout_ms`; 0 turns it off."""

    account_id: int
    timeout_ms: int


class Deposit(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Credit an account from a source account of the ledger: the demo faucet, or the chain's custody account.

    `number` counts the source's deposits to this account from 1; only the last plus one is applied.
    """

    account_id: int
    asset: str
    amount_atoms: int
    number: int
    source_account_id: int


class Withdraw(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Let money leave an account.

    A `number` counts the account's withdrawals to this target from 1, and only the last plus one is applied; 0 counts for nothing.
    """

    account_id: int
    asset: str
    amount_atoms: int
    target_account_id: int
    number: int = 0


class SettleWithdrawal(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """End a withdrawal that is pending: paid on chain it leaves through custody, else it returns to the account.

    `number` counts the account's settled withdrawals from 1; only the last plus one is applied.
    """

    account_id: int
    asset: str
    amount_atoms: int
    number: int
    paid: bool


class RevokeKey(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Take back a self-custodied account's trading key, for ever: what it signed is cancelled, and nothing it signs is accepted."""

    account_id: int
    key: bytes


class CancelNonces(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Cancel a self-custodied account's signed orders with nonces below this, for ever."""

    account_id: int
    min_nonce: int


class BookChainTrade(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Take over a trade that was made on chain: the buyer paid the seller `quote_atoms` for the lots, whatever rules say here.

    `number` is the chain's event's: of one account's, only one higher than the last is applied. A liquidation names whom it was of, and its
    fee, which the quote holds; a match the hashes of the two signed orders, of which nothing may be filled here any more.
    """

    market_id: int
    buyer_account_id: int
    seller_account_id: int
    size_lots: int
    quote_atoms: int
    number: int
    liquidated_account_id: int = 0
    fee_atoms: int = 0
    buy_order: bytes = b""
    sell_order: bytes = b""


class SetTradingLease(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Say until when the engine may match, since nobody can match on chain before: afterwards the exchange is halted. 0 for ever."""

    until_ms: int
    reason: str = ""  # why it has run out already


class Transfer(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Move free collateral between two accounts of one owner."""

    account_id: int
    to_account_id: int
    asset: str
    amount_atoms: int


class AdjustBalance(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Move an amount between any two ledger accounts; for staff, with reason and author."""

    debit_account_id: int
    credit_account_id: int
    asset: str
    amount_atoms: int
    reason: str
    author: str


class Observation(msgspec.Struct, frozen=True, array_like=True):
    """One source's price of one market's underlying, as published: integers of 1e-8 USD.

    `market_id` is the index's id: the market's own, or that of a collateral asset without a market.
    """

    market_id: int
    source: str  # a name of oracle.sources
    price_e8: int
    confidence_e8: int
    published_ms: int


class ObservePrice(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    observations: tuple[Observation, ...]


class HaltIndex(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Stop the use of a price, for a reason; with an empty one let it be used again once its sources have been good for a while."""

    index_id: int
    reason: str
    author: str = ""


class SweepLiquidations(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Check every account's maintenance margin; the engine also does so by itself when marks move."""


class ClockTick(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Let time pass: what is due by the batch's stamp happens."""


class CreateMarket(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    parameters: MarketParameters
    author: str = ""
    status: MarketStatus = "normal"  # where a chain settles, a market is halted until it is there


class UpdateMarket(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Replace a market's parameters; symbol, tick and lot must stay."""

    parameters: MarketParameters
    author: str = ""


class SetMarketStatus(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Set one market's state, or with market 0 the whole exchange's; the stricter of both holds."""

    market_id: int
    status: MarketStatus
    reason: str
    author: str = ""


class RulesUpgrade(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Journalled as the first command under a new version of the engine's rules."""

    from_version: int
    to_version: int


class SetAsset(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Admit an asset as collateral, or replace its parameters; decimals and index must stay."""

    parameters: AssetParameters
    author: str = ""


class SetRiskParameters(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Replace the exchange-wide limits."""

    parameters: RiskParameters
    author: str = ""


class SetMarginMode(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Choose how an account's position in a market is margined; only without a position and orders there."""

    account_id: int
    market_id: int
    mode: MarginMode


class MoveIsolatedMargin(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Move USDC from the cross pool to an isolated position's, or back when the amount is negative."""

    account_id: int
    market_id: int
    amount_atoms: int


class CloseAccount(Command, frozen=True, kw_only=True, array_like=True, tag=True):
    """Close a self-custodied account's orders and positions against the book: its owner has asked on chain for an exit."""

    account_id: int


AnyCommand = (
    OpenAccount | PlaceOrder | AmendOrder | CancelOrder | CancelAll | PlaceBatch | SetLeverage | SetDeadMansSwitch
    | Deposit | Withdraw | Transfer | AdjustBalance | ObservePrice | SweepLiquidations | ClockTick
    | CreateMarket | UpdateMarket | SetMarketStatus | RulesUpgrade
    | SetAsset | SetRiskParameters | SetMarginMode | MoveIsolatedMargin
    | HaltIndex
    | SettleWithdrawal | RevokeKey | CancelNonces | CloseAccount
    | BookChainTrade | SetTradingLease
)  # fmt: skip
