"""The engine on the order books' operations: each order validated, margined, matched and settled, with every event made."""

from markets import ledger
from markets.commands import CancelOrder, CreateMarket, Deposit, Observation, ObservePrice, OpenAccount, PlaceOrder
from markets.parameters import MarginTier, MarketParameters
from oracle.aggregate import RECOVERY_MS
from trading.engine.engine import Engine

FIRST = ledger.FIRST_USER_ACCOUNT
BATCH = 100
MONEY_ATOMS = 10**13
PRICE_TICKS = 100_000
TICK_E8 = LOT_E8 = 10**6
SOURCES = ("pyth", "pyth_solana")

Operations = list[tuple[str, int, int, bool, int, int]]


def parameters(market_id: int) -> MarketParameters:
    return MarketParameters(
        market_id=market_id,
        symbol=f"BENCH{market_id}",
        base_asset="BENCH",
        tick_e8=TICK_E8,
        lot_e8=LOT_E8,
        tiers=(MarginTier(0, 10_000, 0, 50),),
        min_notional_atoms=1,
        max_open_orders=10**6,
        price_band_ppm=900_000,
    )


class Exchange:
    """Accounts that hold positions in four other markets besides, so that margin has something to add up."""

    def __init__(self, *, accounts: int) -> None:
        self.engine = Engine()
        self.stamp_ms = 1_000_000
        self.order_ids: dict[int, int] = {}
        self.apply([CreateMarket(parameters=parameters(market_id)) for market_id in range(1, 6)])
        self.apply([OpenAccount(account_id=FIRST + number) for number in range(accounts)])
        self.apply(
            [
                Deposit(account_id=FIRST + number, asset="USDC", amount_atoms=MONEY_ATOMS, number=1, source_account_id=ledger.FAUCET)
                for number in range(accounts)
            ]
        )
        self.observe(dict.fromkeys(range(1, 6), PRICE_TICKS))
        self.stamp_ms += RECOVERY_MS
        self.observe(dict.fromkeys(range(1, 6), PRICE_TICKS))
        for market_id in range(2, 6):
            self.apply([command for number in range(0, accounts, 2) for command in self.pair(market_id, FIRST + number)])
        self.first_trade_id = self.engine.state.next_trade_id

    def observe(self, prices_ticks: dict[int, int]) -> None:
        """Let two sources that agree publish prices by market."""
        seen = [
            Observation(market, source, ticks * TICK_E8, 0, self.stamp_ms) for market, ticks in prices_ticks.items() for source in SOURCES
        ]
        self.apply([ObservePrice(observations=tuple(seen))])

    def pair(self, market_id: int, account_id: int) -> tuple[PlaceOrder, PlaceOrder]:
        """Let two accounts trade, so that one is long and the other short."""
        sell = PlaceOrder(account_id=account_id, market_id=market_id, side="sell", type="limit", size_lots=10, price_ticks=PRICE_TICKS)
        buy = PlaceOrder(account_id=account_id + 1, market_id=market_id, side="buy", type="limit", size_lots=10, price_ticks=PRICE_TICKS)
        return sell, buy

    def apply(self, commands: list[object]) -> None:
        self.engine.begin(self.stamp_ms)
        for command in commands:
            reply = self.engine.apply(command)  # type: ignore[arg-type]
            assert reply.reject is None, reply.reject
        self.engine.finish()

    def commands(self, operations: Operations) -> list[PlaceOrder | CancelOrder]:
        """Carry out the operations and return the commands that did it; on an engine that stands alike they do the same."""
        made: list[PlaceOrder | CancelOrder] = []
        for at in range(0, len(operations), BATCH):
            self.engine.begin(self.stamp_ms)
            for operation in operations[at : at + BATCH]:
                command = self.command(operation)
                reply = self.engine.apply(command)
                if isinstance(command, PlaceOrder):
                    self.order_ids[operation[1]] = reply.orders[0].order_id
                made.append(command)
            self.engine.finish()
        return made

    def command(self, operation: tuple[str, int, int, bool, int, int]) -> PlaceOrder | CancelOrder:
        kind, number, account, buy, price, size = operation
        if kind == "cancel":
            return CancelOrder(account_id=FIRST + account, order_id=self.order_ids.pop(number))
        return PlaceOrder(
            account_id=FIRST + account,
            market_id=1,
            side="buy" if buy else "sell",
            type="limit",
            size_lots=size,
            price_ticks=price,
            self_trade_prevention="expire_taker",
        )

    def run(self, commands: list[PlaceOrder | CancelOrder]) -> None:
        engine, apply = self.engine, self.engine.apply
        for at in range(0, len(commands), BATCH):
            engine.begin(self.stamp_ms)
            for command in commands[at : at + BATCH]:
                apply(command)
            engine.finish()

    def ended(self) -> dict[str, int | None]:
        book = self.engine.state.markets[1].book
        fills = self.engine.state.next_trade_id - self.first_trade_id
        live = [*book.bids.orders(), *book.asks.orders()]
        return {"fills": fills, "live": len(live), "size": sum(order.remaining_lots for order in live)}
