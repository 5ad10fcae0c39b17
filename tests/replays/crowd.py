"""Leveraged traders of seeded habits: they follow the last move or fade it, take profits, stay in losses, and some come back."""

from random import Random

from markets.units import PPM
from tests.replays.exchange import USDC, Exchange

FIRST = 2000
BYSTANDERS = 20  # accounts with money that never trade
BTC = 10**8
LEVERAGES = (3, 5, 10, 20, 50, 100)


class Trader:
    __slots__ = ("account_id", "entry_e8", "follows", "leverage", "market_id", "patience", "sure_ppm", "target_ppm")

    def __init__(self, account_id: int, market_id: int, random: Random) -> None:
        self.account_id = account_id
        self.market_id = market_id
        self.leverage = random.choice(LEVERAGES)
        self.follows = random.random() < 0.35  # the move; most buy what has fallen
        self.patience = random.randint(20, 400)  # steps between two looks
        self.target_ppm = random.randint(5_000, 60_000)
        self.sure_ppm = random.randint(300_000, 900_000)  # of what the leverage allows
        self.entry_e8 = 0


class Crowd:
    def __init__(self, exchange: Exchange, *, accounts: int, seed: int, mixed: bool) -> None:
        self.exchange = exchange
        self.mixed = mixed
        self.random = Random(seed)  # noqa: S311
        self.step = 0
        self.before_e8: dict[int, int] = {}
        self.traders = [self.join(FIRST + number) for number in range(accounts)]
        self.bystanders = [FIRST + accounts + number for number in range(BYSTANDERS)]
        for account_id in self.bystanders:
            exchange.open(account_id, self.random.randint(1, 10**6) * USDC + self.random.randint(0, USDC))

    def join(self, account_id: int) -> Trader:
        trader = Trader(account_id, self.random.choice(list(self.exchange.parameters)), self.random)
        self.exchange.open(account_id, self.savings())
        self.exchange.lever(account_id, trader.leverage)
        if self.mixed:
            self.mix(trader)
        return trader

    def mix(self, trader: Trader) -> None:
        """Let every third trader bring BTC besides, and another third keep its market isolated."""
        if trader.account_id % 3 == 0:
            self.exchange.deposit(trader.account_id, self.random.randint(BTC // 100, BTC), "BTC")
        elif trader.account_id % 3 == 1:
            self.exchange.isolate(trader.account_id, trader.market_id)

    def savings(self) -> int:
        """Most have little, a few have much."""
        return self.random.randint(100, 1_000) * 10 ** self.random.choice((0, 0, 0, 1, 1, 2)) * USDC

    def act(self, prices_e8: dict[int, int]) -> None:
        """Let those look whose time has come."""
        self.step += 1
        for trader in self.traders:
            if (self.step + trader.account_id * 7) % trader.patience == 0:
                self.look(trader, prices_e8[trader.market_id])
        if self.step % 60 == 1:
            self.before_e8 = dict(prices_e8)

    def look(self, trader: Trader, price_e8: int) -> None:
        holding = self.exchange.account(trader.account_id).holdings.get(trader.market_id)
        if holding is None or holding.size_lots == 0:
            self.enter(trader, price_e8)
        else:
            gain_ppm = (price_e8 - trader.entry_e8) * PPM // trader.entry_e8 * (1 if holding.size_lots > 0 else -1)
            if gain_ppm > trader.target_ppm:
                self.exchange.take(trader.account_id, trader.market_id, -holding.size_lots, reduce_only=True)

    def enter(self, trader: Trader, price_e8: int) -> None:
        cash = self.exchange.account(trader.account_id).usdc_atoms()
        if cash < 20 * USDC:
            if self.random.random() < 0.1:
                self.exchange.deposit(trader.account_id, self.savings())
            return
        fallen = price_e8 <= self.before_e8.get(trader.market_id, price_e8)
        long = fallen != trader.follows if self.random.random() < 0.8 else not fallen
        parameters = self.exchange.parameters[trader.market_id]
        notional = min(cash * trader.leverage, 5_000_000 * USDC) * trader.sure_ppm // PPM
        market = self.exchange.engine.state.markets[trader.market_id]
        lots = notional // (price_e8 // parameters.tick_e8 * market.tick_lot_atoms)
        if lots:
            trader.entry_e8 = price_e8
            self.exchange.take(trader.account_id, trader.market_id, lots if long else -lots)
