"""A small exchange for scenarios: one market of round numbers, three traders, and words for what they do.

One tick times one lot is 1,000 atoms, so a lot at 1,000 ticks is worth one USDC.
"""

from typing import Any

import msgspec

from markets import ledger
from markets.assets import AssetParameters, CollateralTier
from markets.commands import (
    AdjustBalance,
    AmendOrder,
    CancelAll,
    CancelOrder,
    ClockTick,
    Command,
    CreateMarket,
    Deposit,
    Observation,
    ObservePrice,
    OpenAccount,
    PlaceOrder,
    SetAsset,
    SetLeverage,
    SetRiskParameters,
    Side,
)
from markets.events import Event, OrderFilled
from markets.parameters import MarginTier, MarketParameters
from markets.queries import GetAccount, GetMarkets, GetOrder
from markets.units import ASSET_DECIMALS
from markets.views import AccountView, MarketView, OrderView, Reply
from oracle.aggregate import RECOVERY_MS
from trading.engine import invariants
from trading.engine.engine import Engine, Outcome
from trading.engine.snapshot import decode, encode, state_hash

ALICE, BOB, CHARLIE = 1000, 1001, 1002
MARKET = 1
OTHER = 2
USDC = 1_000_000
START_MS = 1_800_000_000_000  # a full hour
E8 = 100_000_000

TIERS = (
    MarginTier(0, 10_000, 0, 50),
    MarginTier(1_000_000 * USDC, 25_000, 15_000 * USDC, 20),
)


def parameters(market_id: int = MARKET, **changes: Any) -> MarketParameters:
    return MarketParameters(
        **{
            "market_id": market_id,
            "symbol": f"T{market_id}-PERP",
            "base_asset": f"T{market_id}",
            "tick_e8": E8 // 10,
            "lot_e8": E8 // 100,
            "tiers": TIERS,
            "taker_fee_ppm": 500,
            "maker_fee_ppm": 200,
            "min_notional_atoms": 5 * USDC,
            "impact_notional_atoms": 100 * USDC,
            **changes,
        }
    )


class Desk:
    """An engine in which every command is a batch of its own, checked by the invariants and by a second engine that replays."""

    def __init__(self, *, cash: int = 1_000_000 * USDC, index: int = 10_000, wallets: tuple[int, ...] = (), **changes: Any) -> None:
        self.engine = Engine()
        self.now_ms = START_MS
        self.batches: list[tuple[int, Command]] = []
        self.events: list[Event] = []
        self.outcome: Outcome
        self.limit(withdrawal_notional_ppm=0)
        self.do(CreateMarket(parameters=parameters(**changes)))
        self.do(CreateMarket(parameters=parameters(OTHER)))
        for account_id in (ALICE, BOB, CHARLIE):
            self.do(OpenAccount(account_id=account_id, self_custody=account_id in wallets))
            if cash:
                self.deposit(account_id, cash)
        if index:
            self.price(index)
            self.price(index, market_id=OTHER)

    def do(self, command: Command) -> Reply:
        """Run one command in its own batch; its events are in `events`."""
        return self.batch(command)[0]

    def batch(self, *given: Command) -> list[Reply]:
        self.engine.begin(self.now_ms)
        replies = []
        for command in given:
            replies.append(self.engine.apply(command))
            invariants.check(self.engine.state)
        self.outcome = self.engine.finish()
        self.events = self.outcome.events
        self.batches.extend((self.now_ms, command) for command in given)
        return replies

    def lever(self, leverage: int) -> None:
        for account_id in (ALICE, BOB, CHARLIE):
            for market_id in (MARKET, OTHER):
                self.do(SetLeverage(account_id=account_id, market_id=market_id, leverage=leverage))

    def limit(self, **changes: int) -> Reply:
        """Change the exchange-wide limits."""
        return self.do(SetRiskParameters(parameters=msgspec.structs.replace(self.engine.state.risk_parameters, **changes)))

    def admit(self, **changes: Any) -> Reply:
        """Admit an asset as collateral: whole units of it count 80 % to open and 90 % to keep, half of that beyond 100,000 USDC."""
        name = changes.get("asset", "BTC")
        tiers = (CollateralTier(0, 800_000, 900_000), CollateralTier(100_000 * USDC, 400_000, 450_000))
        fields: dict[str, Any] = {"asset": name, "decimals": ASSET_DECIMALS[name], "index_id": OTHER, "tiers": tiers}
        limits = {"exchange_cap_atoms": 10**15, "account_cap_atoms": 10**15, "conversion_cap_atoms": 10**13}
        return self.do(SetAsset(parameters=AssetParameters(**(fields | limits | {"conversion_haircut_ppm": 20_000} | changes))))

    def fund(self, account_id: int, amount_atoms: int) -> Reply:
        """Give one of the exchange's own accounts capital."""
        source = ledger.FAUCET
        return self.do(
            AdjustBalance(
                debit_account_id=source, credit_account_id=account_id, asset="USDC", amount_atoms=amount_atoms, reason="fund", author="test"
            )
        )

    def deposit(self, account_id: int, amount_atoms: int, asset: str = "USDC") -> Reply:
        account = self.engine.state.accounts[account_id]
        number = account.deposit_numbers.get(ledger.FAUCET, 0) + 1
        return self.do(
            Deposit(account_id=account_id, asset=asset, amount_atoms=amount_atoms, number=number, source_account_id=ledger.FAUCET)
        )

    def price(self, index_ticks: int, *, market_id: int = MARKET, sources: tuple[str, ...] = ("pyth", "pyth_solana")) -> None:
        """Publish an index price, in ticks, just now, by two sources that agree: one alone would move it by 1 % at most.

        A market that its prices had closed is open again afterwards: they are published until they have been good for long enough.
        """
        self.publish(index_ticks, market_id, sources)
        index = self.engine.state.markets[market_id].index
        if index.recovering_ms:
            self.now_ms = index.recovering_ms + RECOVERY_MS
            self.publish(index_ticks, market_id, sources)

    def publish(self, index_ticks: int, market_id: int, sources: tuple[str, ...]) -> None:
        price_e8 = index_ticks * self.engine.state.markets[market_id].parameters.tick_e8
        self.now_ms += 1
        self.do(ObservePrice(observations=tuple(Observation(market_id, source, price_e8, 0, self.now_ms) for source in sources)))

    def confirm(self) -> None:
        """Publish every market's price once more, in one command: who is short is liquidated when prices have said so twice."""
        self.now_ms += 1
        prices = {market_id: market.index.price_e8 for market_id, market in self.engine.state.markets.items()}
        self.do(
            ObservePrice(
                observations=tuple(
                    Observation(market_id, source, price_e8, 0, self.now_ms)
                    for market_id, price_e8 in prices.items()
                    for source in ("pyth", "pyth_solana")
                )
            )
        )

    def wait(self, elapsed_ms: int) -> list[Event]:
        self.now_ms += elapsed_ms
        self.do(ClockTick())
        return self.events

    def order(self, account_id: int, side: Side, size: int, price: int = 0, **more: Any) -> PlaceOrder:
        fields: dict[str, Any] = {"market_id": MARKET, "type": "limit" if price else "market", **more}
        return PlaceOrder(account_id=account_id, side=side, size_lots=size, price_ticks=price, **fields)

    def place(self, account_id: int, side: Side, size: int, price: int = 0, **more: Any) -> Reply:
        return self.do(self.order(account_id, side, size, price, **more))

    def buy(self, account_id: int, size: int, price: int = 0, **more: Any) -> Reply:
        return self.place(account_id, "buy", size, price, **more)

    def sell(self, account_id: int, size: int, price: int = 0, **more: Any) -> Reply:
        return self.place(account_id, "sell", size, price, **more)

    def trade(self, size: int, price: int, *, buyer: int = ALICE, seller: int = BOB) -> None:
        """Let the seller rest and the buyer take."""
        self.sell(seller, size, price)
        self.buy(buyer, size, price, time_in_force="ioc")

    def cancel(self, account_id: int, order_id: int) -> Reply:
        return self.do(CancelOrder(account_id=account_id, order_id=order_id))

    def cancel_all(self, account_id: int, **more: Any) -> Reply:
        return self.do(CancelAll(account_id=account_id, **more))

    def amend(self, account_id: int, order_id: int, **more: Any) -> Reply:
        return self.do(AmendOrder(account_id=account_id, market_id=MARKET, order_id=order_id, **more))

    def account(self, account_id: int) -> AccountView:
        view: AccountView | None = self.engine.answer(GetAccount(account_id=account_id))
        assert view is not None
        return view

    def market(self, market_id: int = MARKET) -> MarketView:
        views: list[MarketView] = self.engine.answer(GetMarkets())
        return next(view for view in views if view.parameters.market_id == market_id)

    def order_status(self, account_id: int, order_id: int) -> str:
        view: OrderView | None = self.engine.answer(GetOrder(account_id=account_id, order_id=order_id))
        return view.status if view else "unknown"

    def position(self, account_id: int, market_id: int = MARKET) -> int:
        return next((p.size_lots for p in self.account(account_id).positions if p.market_id == market_id), 0)

    def book(self, market_id: int = MARKET) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return bids and asks as (price, size), best first."""
        book = self.engine.state.markets[market_id].book
        bids = [(key, book.bids.size_at(key)) for key in reversed(book.bids.keys)]
        asks = [(-key, book.asks.size_at(key)) for key in reversed(book.asks.keys)]
        return bids, asks

    def named(self, *names: str) -> list[Any]:
        """Return the last batch's events of these kinds."""
        return [event for event in self.events if type(event).__name__ in names]

    def fills(self) -> list[OrderFilled]:
        return [event for event in self.events if isinstance(event, OrderFilled)]

    def replay(self) -> str:
        """Return the hash of a second engine that was given the same batches."""
        other = Engine()
        for stamp_ms, command in self.batches:
            other.begin(stamp_ms)
            other.apply(msgspec.msgpack.decode(msgspec.msgpack.encode(command), type=type(command)))
            other.finish()
        return state_hash(other.state)

    def restart(self) -> None:
        """Go on from a snapshot."""
        self.engine = Engine(decode(encode(self.engine.state)))
