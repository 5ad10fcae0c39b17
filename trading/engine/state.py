"""Everything that later commands depend on. What can be recomputed is kept beside it and never encoded."""

from collections import deque
from typing import Final

from markets import ledger, units
from markets.assets import QUOTE, AssetParameters, CollateralTier, RiskParameters
from markets.events import Event
from markets.parameters import MarketParameters, MarketStatus
from markets.rejects import Reject
from trading.engine.average import TimeAverage
from trading.engine.book import Book, Order
from trading.engine.index import Index
from trading.engine.watch import Watch

HOUR_MS: Final = 3_600_000
MEMORY_MS: Final = 600_000  # how long client ids of ended and refused orders are known here
RECENT_ORDERS = 65_536  # ended orders kept whole within that time; of older ones only id and content hash
DEFAULT_LEVERAGE: Final = 10
UNKNOWN_VERSION: Final = -1


class Rejection:
    """A refused order with a client id: the same command again gets the same answer."""

    __slots__ = ("account_id", "client_order_id", "content", "refused_ms", "reject")

    def __init__(self, account_id: int, client_order_id: str, content: bytes, refused_ms: int, reject: Reject) -> None:
        self.account_id: int = account_id
        self.client_order_id: str = client_order_id
        self.content: bytes = content
        self.refused_ms: int = refused_ms
        self.reject: Reject = reject


class KnownId:
    """What is left of an ended order that was pushed out of the recent ones."""

    __slots__ = ("account_id", "client_order_id", "content", "ended_ms", "order_id")

    def __init__(self, account_id: int, client_order_id: str, order_id: int, content: bytes, ended_ms: int) -> None:
        self.account_id: int = account_id
        self.client_order_id: str = client_order_id
        self.order_id: int = order_id
        self.content: bytes = content
        self.ended_ms: int = ended_ms


class Holding:
    """What one account has in one market: a position, its leverage, and the open orders' totals.

    `buy_*` and `sell_*` sum the resting orders that may add risk (reduce-only ones cannot); values are ticks x lots. The last
    three fields cache the holding's part of its pool's sums as of the market's `version`.
    """

    __slots__ = (
        "account",
        "buy_lots",
        "buy_value",
        "cost_atoms",
        "funding_atoms",
        "initial_atoms",
        "leverage",
        "market",
        "order_count",
        "pool",
        "realised_atoms",
        "reducing",
        "sell_lots",
        "sell_value",
        "serial",
        "size_lots",
        "unrealised_atoms",
        "version",
    )

    def __init__(self, account: "Account", market: "Market") -> None:
        self.account: Account = account
        self.market: Market = market
        self.pool: MarginPool = account.pool_of(market.market_id)
        self.size_lots: int = 0
        self.cost_atoms: int = 0
        self.realised_atoms: int = 0
        self.funding_atoms: int = 0
        self.leverage: int = 0  # 0 until the account sets it
        self.order_count: int = 0
        self.buy_lots: int = 0
        self.buy_value: int = 0
        self.sell_lots: int = 0
        self.sell_value: int = 0
        self.reducing: dict[int, Order] = {}
        self.initial_atoms: int = 0
        self.unrealised_atoms: int = 0
        self.version: int = market.version
        self.serial: int = 0  # of the thresholds that are set for it now, see `trading.engine.thresholds`

    def effective_leverage(self) -> int:
        return min(self.leverage or DEFAULT_LEVERAGE, self.market.max_leverage)


class Liquidation:
    """A pool's liquidation while it runs, with the sums of its steps."""

    __slots__ = (
        "closed_quote_atoms",
        "deleveraged",
        "due_ms",
        "fee_atoms",
        "insurance_paid_atoms",
        "liquidation_id",
        "steps",
        "taken_over",
    )

    def __init__(self, liquidation_id: int) -> None:
        self.liquidation_id: int = liquidation_id
        self.steps: int = 0
        self.due_ms: int = 0  # before it no slice is sold
        self.closed_quote_atoms: int = 0
        self.fee_atoms: int = 0
        self.insurance_paid_atoms: int = 0
        self.taken_over: list[tuple[int, int, int]] = []  # (market, size_lots, price_ticks)
        self.deleveraged: list[tuple[int, int, int]] = []  # (market, size_lots, quote_atoms)


class Asset:
    """A collateral asset, its prices, and the users that hold some.

    `price_e8` is the index less its confidence; `initial_price_e8` the worse of that and the stable price, 0 while the index is
    not to be trusted with new risk.
    """

    __slots__ = ("holders", "initial_price_e8", "parameters", "price_e8", "total_atoms")

    def __init__(self, parameters: AssetParameters) -> None:
        self.parameters: AssetParameters = parameters
        self.price_e8: int = 0
        self.initial_price_e8: int = 0
        self.total_atoms: int = 0  # of all users
        self.holders: dict[int, MarginPool] = {}  # by account, of an asset other than USDC


class MarginPool:
    """Money that stands for the same positions: all cross-margined ones of an account (market 0), or one isolated position.

    `cash_atoms` is USDC, of which there may be less than none; `collateral` holds the other assets. The sums are exact while
    `epoch` is the state's mark epoch; `floor_atoms` is a lower bound of what is available, see `trading.engine.margin`.
    """

    __slots__ = (
        "account",
        "armed",
        "cash_atoms",
        "collateral",
        "collateral_atoms",
        "collateral_initial_atoms",
        "epoch",
        "floor_atoms",
        "floor_epoch",
        "holdings",
        "initial_atoms",
        "level",
        "liquidation",
        "market_id",
        "short_ms",
        "unrealised_atoms",
    )

    def __init__(self, account: "Account", market_id: int) -> None:
        self.account: Account = account
        self.market_id: int = market_id
        self.cash_atoms: int = 0
        self.collateral: dict[str, int] = {}
        self.holdings: dict[int, Holding] = {}
        self.initial_atoms: int = 0
        self.unrealised_atoms: int = 0
        self.collateral_atoms: int = 0  # what the other assets count for at maintenance weights
        self.collateral_initial_atoms: int = 0  # and at initial ones
        self.epoch: int = UNKNOWN_VERSION
        self.floor_atoms: int = 0
        self.floor_epoch: int = UNKNOWN_VERSION
        self.armed: bool = False  # whether its thresholds are set for what it holds now
        self.level: int = 0  # of its margin ratio when it was last checked, see `risk.liquidation`
        self.short_ms: int = 0  # the newest price when it was first found short; 0 while it is not
        self.liquidation: Liquidation | None = None


class Account:
    """A user's account, or one of the exchange's own: a cross pool, and a pool for each market that it trades isolated."""

    __slots__ = (
        "account_id",
        "client_ids",
        "cross",
        "dead_man_ms",
        "deposit_numbers",
        "holdings",
        "isolated",
        "min_nonce",
        "orders",
        "revoked_keys",
        "self_custody",
        "seq",
        "signed",
    )

    def __init__(self, account_id: int) -> None:
        self.account_id: int = account_id
        self.self_custody: bool = False  # owned by a wallet: what it does, its owner signed
        self.seq: int = 0
        self.cross: MarginPool = MarginPool(self, 0)
        self.isolated: dict[int, MarginPool] = {}
        self.dead_man_ms: int = 0
        self.deposit_numbers: dict[int, int] = {}
        self.holdings: dict[int, Holding] = {}
        self.orders: dict[int, Order] = {}
        self.client_ids: dict[str, Order | Rejection | KnownId] = {}
        self.signed: dict[bytes, int] = {}  # hash and expiry of the signed orders that were used, see `trading.engine.signatures`
        self.revoked_keys: set[bytes] = set()
        self.min_nonce: int = 0

    def pool_of(self, market_id: int) -> MarginPool:
        return self.isolated.get(market_id, self.cross) if self.isolated else self.cross

    def pools(self) -> list[MarginPool]:
        """Return the cross pool, then the isolated ones by market."""
        return [self.cross, *(self.isolated[market_id] for market_id in sorted(self.isolated))]

    def usdc_atoms(self) -> int:
        """Return the account's USDC in all its pools: what the ledger calls its balance."""
        return self.cross.cash_atoms + sum(pool.cash_atoms for pool in self.isolated.values())

    def holding(self, market: "Market") -> Holding:
        found = self.holdings.get(market.market_id)
        if found is None:
            found = self.holdings[market.market_id] = Holding(self, market)
            found.pool.holdings[market.market_id] = found
        return found


class Market:
    """A market's book, prices and funding sums. `version` counts what changes the value of positions in it."""

    __slots__ = (
        "averaged_ms",
        "basis_ema_e8",
        "book",
        "crowd_lots",
        "cumulative_funding",
        "falls",
        "funding_due_ms",
        "holders",
        "index",
        "last_ticks",
        "mark_ticks",
        "market_id",
        "max_leverage",
        "mid_ema_e8",
        "open_interest_lots",
        "parameters",
        "premium_ms",
        "premium_ppb",
        "premium_sampled_ms",
        "premium_sum",
        "raises_margin",
        "ranked",
        "ranked_second",
        "rises",
        "settlement",
        "shown",
        "status",
        "steepest_ppm",
        "tick_lot_atoms",
        "version",
        "watch",
    )

    def __init__(self, parameters: MarketParameters, index: Index) -> None:
        self.market_id: int = parameters.market_id
        self.index: Index = index
        self.book: Book = Book()
        self.watch: Watch = Watch()
        self.status: MarketStatus = "normal"
        self.mark_ticks: int = 0
        self.last_ticks: int = 0
        self.basis_ema_e8: int = 0
        self.mid_ema_e8: int = 0
        self.averaged_ms: int = 0  # when the averages last moved; 0 before the first sample
        self.premium_sum: int = 0  # ppb x ms within the hour
        self.premium_ms: int = 0
        self.premium_ppb: int = 0  # the last sample
        self.premium_sampled_ms: int = 0  # until when the sum runs; 0 without a sample this hour
        self.funding_due_ms: int = 0
        self.cumulative_funding: int = 0  # sum of rate_ppb x index_e8 over all hours
        self.settlement: TimeAverage = TimeAverage()  # of the index, for a delisting
        self.falls: list[tuple[int, int, Holding]] = []  # thresholds, see `trading.engine.thresholds`
        self.rises: list[tuple[int, int, Holding]] = []
        self.ranked: tuple[tuple[list[int], int], tuple[list[int], int]] = (([], 0), ([], 0))  # see `trading.engine.places`
        self.ranked_second: int = 0
        self.open_interest_lots: int = 0
        self.holders: dict[int, Holding] = {}
        self.version: int = 0
        self.shown: tuple[int, int, str, int] = (0, 0, "stale", 0)
        self.replace_parameters(parameters)

    def replace_parameters(self, parameters: MarketParameters) -> None:
        self.parameters: MarketParameters = parameters
        self.tick_lot_atoms: int = units.tick_lot_atoms(tick_e8=parameters.tick_e8, lot_e8=parameters.lot_e8)
        self.max_leverage: int = parameters.tiers[0].max_leverage
        self.steepest_ppm: int = max(tier.maintenance_ppm for tier in parameters.tiers)
        # Open interest as it counts for initial margin, where that rises with it.
        self.crowd_lots: int = max(self.open_interest_lots, parameters.margin_rises_from_lots)
        self.raises_margin: bool = parameters.margin_rises_from_lots > 0 or parameters.concentration_ppm > 0
        self.index.max_age_ms = parameters.oracle_max_age_ms
        self.version += 1

    def index_ticks(self) -> int:
        return units.ticks_from_e8(self.index.price_e8, self.parameters.tick_e8)


QUOTE_PARAMETERS: Final = AssetParameters(
    asset=QUOTE,
    decimals=units.QUOTE_DECIMALS,
    index_id=0,
    tiers=(CollateralTier(0, units.PPM, units.PPM),),
    exchange_cap_atoms=10**17,
    account_cap_atoms=10**16,
)


class State:
    """The whole exchange. Fields after `events` belong to the running batch or are recomputed, and are not encoded."""

    __slots__ = (
        "accounts",
        "assets",
        "backstop_capital_atoms",
        "brackets",
        "clearing",
        "dead_men",
        "dead_men_due_ms",
        "debtors",
        "emptied",
        "ended",
        "events",
        "expiries",
        "fees",
        "fired",
        "found",
        "hour_due_ms",
        "indices",
        "known_ids",
        "lease_ms",
        "links",
        "mark_epoch",
        "markets",
        "next_liquidation_id",
        "next_order_id",
        "next_serial",
        "next_trade_id",
        "orders",
        "owing",
        "owing_atoms",
        "owing_changed",
        "owing_epoch",
        "paused",
        "ready",
        "ready_markets",
        "rejections",
        "resumed_status",
        "risk_parameters",
        "rules_version",
        "signed_expiries",
        "sources_due_ms",
        "stamp_ms",
        "status",
        "touched",
        "unswept",
        "unwind_due_ms",
        "withdrawal_day_ms",
        "withdrawal_hour_ms",
        "withdrawn_day_atoms",
        "withdrawn_hour_atoms",
    )

    def __init__(self) -> None:
        self.stamp_ms: int = 0
        self.rules_version: int = 0
        self.status: MarketStatus = "normal"
        self.next_order_id: int = 1
        self.next_trade_id: int = 1
        self.next_liquidation_id: int = 1
        self.accounts: dict[int, Account] = {account_id: Account(account_id) for account_id in ledger.NAMES}
        self.markets: dict[int, Market] = {}
        self.assets: dict[str, Asset] = {QUOTE: Asset(QUOTE_PARAMETERS)}
        self.risk_parameters: RiskParameters = RiskParameters()
        self.indices: dict[int, Index] = {}  # of the markets, and of collateral assets that have none
        self.orders: dict[int, Order] = {}  # open, waiting and recently ended
        self.ended: deque[Order] = deque()
        self.known_ids: deque[KnownId] = deque()
        self.rejections: deque[Rejection] = deque()
        self.brackets: dict[int, tuple[int, int]] = {}  # live parent -> its take-profit and stop-loss, 0 for none
        self.ready: list[int] = []  # triggered orders that wait for the next batch
        self.ready_markets: set[int] = set()  # markets whose reference prices moved since triggers were last looked at
        self.sources_due_ms: int = 0  # before it no fresh price grows old
        self.backstop_capital_atoms: int = 0  # what the backstop was given: what it has less than this it has lost
        self.unwind_due_ms: int = 0  # before it the exchange's own positions are not reduced further
        self.withdrawal_hour_ms: int = 0  # when the hour began of which `withdrawn_hour_atoms` tells
        self.withdrawn_hour_atoms: int = 0
        self.withdrawal_day_ms: int = 0
        self.withdrawn_day_atoms: int = 0
        self.lease_ms: int = 0  # until when trading may go on without news from the chain; 0 for ever
        self.paused: bool = False  # the lease has run out: `status` is halted
        self.resumed_status: MarketStatus = "normal"  # the exchange's once it is renewed
        self.events: list[Event] = []
        self.touched: set[int] = set()
        self.fired: int = 0
        self.found: dict[tuple[int, str], tuple[int, bytes]] = {}
        self.links: dict[tuple[int, int], list[Order]] = {}
        self.expiries: list[tuple[int, int]] = []  # heap of (good_till_ms, order_id), ended ones included
        self.signed_expiries: list[tuple[int, int, bytes]] = []  # heap of what accounts have in `signed`
        self.dead_men: dict[int, int] = {}
        self.dead_men_due_ms: int = 0
        self.hour_due_ms: int = 0  # before it no market's funding is due
        self.mark_epoch: int = 0
        self.unswept: set[int] = set()  # accounts whose margin must be checked at the next sweep, whatever prices do
        self.next_serial: int = 1
        self.debtors: set[int] = set()  # accounts whose cross pool was left with less than no USDC
        self.owing: dict[int, int] = {}  # what each account owed when it was last looked at, see `withdrawals.total_debt`
        self.owing_atoms: int = 0  # their sum
        self.owing_epoch: int = UNKNOWN_VERSION
        self.owing_changed: set[int] = set()  # accounts touched since then, by earlier batches
        self.emptied: set[tuple[int, int]] = set()  # (account, market) of isolated pools that may have margin to give back
        self.clearing: MarginPool = self.accounts[ledger.CLEARING].cross
        self.fees: MarginPool = self.accounts[ledger.FEES].cross

    def strictest_status(self, market: Market) -> MarketStatus:
        return market.status if STRICTNESS[market.status] >= STRICTNESS[self.status] else self.status


STRICTNESS: dict[MarketStatus, int] = {"normal": 0, "post_only": 1, "cancel_only": 2, "halted": 3, "delisted": 4}
