"""An exchange in one process for replays: the pure engine, makers around the path, prices from two sources."""

from collections.abc import Callable

from markets import ledger
from markets.commands import (
    AdjustBalance,
    CancelAll,
    Command,
    CreateMarket,
    Deposit,
    Observation,
    ObservePrice,
    OpenAccount,
    PlaceBatch,
    PlaceOrder,
    SetAsset,
    SetLeverage,
    SetMarginMode,
    Side,
)
from markets.events import Event
from markets.parameters import MarketParameters
from markets.seed import ASSETS
from markets.views import Reply
from trading.engine.engine import Engine
from trading.engine.state import Account

USDC = 1_000_000
START_MS = 1_800_000_000_000
MAKERS = (1000, 1001)
MAKER_CASH = 100_000_000 * USDC
SOURCES = ("pyth", "pyth_solana")
SECOND_MS = 1_000
LEVELS = 6
Listener = Callable[[list[Event]], None]


class Exchange:
    """Every call is a batch of its own; its events go to the listeners."""

    def __init__(
        self, *, markets: tuple[MarketParameters, ...], insurance_atoms: int, backstop_atoms: int, listeners: tuple[Listener, ...] = ()
    ) -> None:
        self.engine = Engine()
        self.now_ms = START_MS
        self.parameters = {each.market_id: each for each in markets}
        self.listeners = listeners
        self.refused: dict[str, int] = {}
        self.do(*(CreateMarket(parameters=each) for each in markets))
        indices = {0, *self.parameters}
        self.do(*(SetAsset(parameters=asset) for asset in ASSETS if asset.index_id in indices))
        self.fund(ledger.INSURANCE, insurance_atoms)
        self.fund(ledger.BACKSTOP, backstop_atoms)
        for account_id in MAKERS:
            self.open(account_id, MAKER_CASH)

    def do(self, *commands: Command) -> list[Reply]:
        self.engine.begin(self.now_ms)
        replies = [self.engine.apply(command) for command in commands]
        events = self.engine.finish().events
        for listener in self.listeners:
            listener(events)
        for reply in replies:
            if reply.reject is not None:
                self.refused[reply.reject.code] = self.refused.get(reply.reject.code, 0) + 1
        return replies

    def account(self, account_id: int) -> Account:
        return self.engine.state.accounts[account_id]

    def fund(self, account_id: int, amount_atoms: int) -> None:
        """Give one of the exchange's own accounts its first money."""
        self.do(
            AdjustBalance(
                debit_account_id=ledger.FAUCET,
                credit_account_id=account_id,
                asset="USDC",
                amount_atoms=amount_atoms,
                reason="replay",
                author="replay",
            )
        )

    def open(self, account_id: int, amount_atoms: int) -> None:
        self.do(OpenAccount(account_id=account_id))
        self.deposit(account_id, amount_atoms)

    def deposit(self, account_id: int, amount_atoms: int, asset: str = "USDC") -> None:
        number = self.account(account_id).deposit_numbers.get(ledger.FAUCET, 0) + 1
        self.do(Deposit(account_id=account_id, asset=asset, amount_atoms=amount_atoms, number=number, source_account_id=ledger.FAUCET))

    def isolate(self, account_id: int, market_id: int) -> None:
        self.do(SetMarginMode(account_id=account_id, market_id=market_id, mode="isolated"))

    def lever(self, account_id: int, leverage: int) -> None:
        for market_id, parameters in self.parameters.items():
            most = min(leverage, parameters.tiers[0].max_leverage)
            self.do(SetLeverage(account_id=account_id, market_id=market_id, leverage=most))

    def observe(self, prices_e8: dict[int, int], elapsed_ms: int) -> None:
        """Let every source publish the same prices, and again a second later: a liquidation wants to see a price twice."""
        self.now_ms += elapsed_ms - SECOND_MS
        self.publish(prices_e8)
        self.now_ms += SECOND_MS
        self.publish(prices_e8)

    def publish(self, prices_e8: dict[int, int]) -> None:
        seen = tuple(Observation(market_id, source, price, 0, self.now_ms) for market_id, price in prices_e8.items() for source in SOURCES)
        self.do(ObservePrice(observations=seen))

    def quote(self, market_id: int, price_e8: int, *, level_usd: int, step_ppm: int) -> None:
        """Let each maker replace its ladder around a price; the second one's lies half a step further out."""
        parameters = self.parameters[market_id]
        centre = price_e8 // parameters.tick_e8
        step = max(1, centre * step_ppm // 1_000_000)
        lots = max(1, level_usd * USDC // (centre * self.engine.state.markets[market_id].tick_lot_atoms))
        for rank, account_id in enumerate(MAKERS):
            near = step + rank * step // 2
            self.do(
                CancelAll(account_id=account_id, market_id=market_id),
                PlaceBatch(account_id=account_id, items=self.ladder(account_id, market_id, centre, near, step, lots)),
            )

    def ladder(self, account_id: int, market_id: int, centre: int, near: int, step: int, lots: int) -> tuple[PlaceOrder, ...]:
        sides: tuple[tuple[Side, int], ...] = (("buy", -1), ("sell", 1))
        return tuple(
            PlaceOrder(
                account_id=account_id,
                market_id=market_id,
                side=side,
                type="limit",
                size_lots=lots * (level + 1),
                price_ticks=max(1, centre + sign * (near + level * step)),
                post_only="slide",
            )
            for level in range(LEVELS)
            for side, sign in sides
        )

    def take(self, account_id: int, market_id: int, signed_lots: int, *, reduce_only: bool = False) -> None:
        side: Side = "buy" if signed_lots > 0 else "sell"
        self.do(
            PlaceOrder(
                account_id=account_id, market_id=market_id, side=side, type="market", size_lots=abs(signed_lots), reduce_only=reduce_only
            )
        )
