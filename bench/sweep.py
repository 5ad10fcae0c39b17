"""One mark update over 100,000 accounts against a numpy scan of the same columns. Run in a tree of its own: `python -m bench.sweep`.

Every account holds two positions in cross margin. The engine's figure is of a whole ObservePrice, from observation to events; the
peer's is of the arithmetic alone: equity and maintenance of all accounts from present columns, and who is short.
"""

import gc
import json
import time
from random import Random

import numpy as np
from numpy.typing import NDArray

from bench.margined import PRICE_TICKS, TICK_E8, Exchange
from markets.commands import Deposit, Observation, ObservePrice, OpenAccount, PlaceOrder, SetLeverage, Side
from markets.ledger import FAUCET, FIRST_USER_ACCOUNT
from trading.engine.state import State

ACCOUNTS = 100_000
MARKETS = (1, 2)
UPDATES = 40
ROUNDS = 5
STEP_PPM = 500  # how far an index moves at most from one update to the next
CORRIDOR_PPM = 15_000  # and from where it began: no account falls within it
SOURCES = ("pyth", "pyth_solana")
Column = NDArray[np.int64]


class Crowd(Exchange):
    """Pairs of accounts, long against short, of any leverage that lets them live."""

    def __init__(self, random: Random) -> None:
        super().__init__(accounts=0)
        self.random = random
        for first in range(FIRST_USER_ACCOUNT, FIRST_USER_ACCOUNT + ACCOUNTS, 2):
            lots = [random.randint(1, 100) for _ in MARKETS]
            for account_id in (first, first + 1):
                self.join(account_id, sum(lots))
            self.apply([order for market_id, size in zip(MARKETS, lots, strict=True) for order in self.crossing(market_id, first, size)])

    def join(self, account_id: int, lots: int) -> None:
        value = lots * PRICE_TICKS * self.atoms()
        cash = value * self.random.choice((4, 5, 8, 15, 30, 60, 100)) // 100
        self.apply(
            [
                OpenAccount(account_id=account_id),
                Deposit(account_id=account_id, asset="USDC", amount_atoms=cash, number=1, source_account_id=FAUCET),
                *(SetLeverage(account_id=account_id, market_id=market_id, leverage=50) for market_id in MARKETS),
            ]
        )

    def atoms(self) -> int:
        return self.engine.state.markets[1].tick_lot_atoms

    def crossing(self, market_id: int, first: int, lots: int) -> list[PlaceOrder]:
        side: Side = self.random.choice(("buy", "sell"))
        other: Side = "sell" if side == "buy" else "buy"
        return [
            PlaceOrder(account_id=account_id, market_id=market_id, side=each, type="limit", size_lots=lots, price_ticks=PRICE_TICKS)
            for account_id, each in ((first, side), (first + 1, other))
        ]

    def observe(self, price_ticks: int) -> None:
        """Let both sources move the first market's price; the second's stays fresh."""
        self.stamp_ms += 1_000
        prices = {1: price_ticks, 2: PRICE_TICKS}
        seen = [Observation(market, source, ticks * TICK_E8, 0, self.stamp_ms) for market, ticks in prices.items() for source in SOURCES]
        self.engine.begin(self.stamp_ms)
        self.engine.apply(ObservePrice(observations=tuple(seen)))
        self.engine.finish()


class Columns:
    """What decides about a liquidation, as columns: cash less cost, and signed sizes."""

    def __init__(self, state: State) -> None:
        accounts = [state.accounts[number] for number in range(FIRST_USER_ACCOUNT, FIRST_USER_ACCOUNT + ACCOUNTS)]
        self.money: Column = np.array(
            [account.usdc_atoms() - sum(one.cost_atoms for one in account.holdings.values()) for account in accounts], dtype=np.int64
        )
        self.sizes: list[Column] = [
            np.array([account.holdings[market_id].size_lots for account in accounts], dtype=np.int64) for market_id in MARKETS
        ]
        self.rates_ppm = [state.markets[market_id].parameters.tiers[0].maintenance_ppm for market_id in MARKETS]
        self.atoms = state.markets[1].tick_lot_atoms

    def short(self, marks_ticks: tuple[int, int]) -> Column:
        """Return the places of the accounts whose equity is below maintenance."""
        equity = self.money.copy()
        needed = np.zeros(ACCOUNTS, dtype=np.int64)
        for size, mark, rate_ppm in zip(self.sizes, marks_ticks, self.rates_ppm, strict=True):
            value = size * (mark * self.atoms)
            equity += value
            needed += np.abs(value) * rate_ppm // 1_000_000
        return np.flatnonzero(equity < needed)


def walk(random: Random, start: int) -> list[int]:
    prices, price = [], start
    low, high = (PRICE_TICKS * (1_000_000 + sign * CORRIDOR_PPM) // 1_000_000 for sign in (-1, 1))
    for _ in range(UPDATES):
        step = PRICE_TICKS * STEP_PPM // 1_000_000
        price = max(low, min(high, price + random.randint(-step, step)))
        prices.append(price)
    return prices


def measured() -> dict[str, list[float]]:
    """Return updates per second of both, round by round, over the same prices."""
    random = Random(7)  # noqa: S311 - a workload, not a secret
    crowd = Crowd(random)
    columns = Columns(crowd.engine.state)
    found: dict[str, list[float]] = {"ours": [], "numpy": []}
    price = PRICE_TICKS
    gc.collect()
    gc.disable()  # as the engine's process runs
    for _ in range(ROUNDS):
        prices = walk(random, price)
        began = time.process_time()
        for each in prices:
            crowd.observe(each)
        found["ours"].append(UPDATES / (time.process_time() - began))
        began = time.process_time()
        short = [len(columns.short((each, PRICE_TICKS))) for each in prices]
        found["numpy"].append(UPDATES / (time.process_time() - began))
        assert not any(short), "no account was to fall"
        assert crowd.engine.state.next_liquidation_id == 1, "no account was to be liquidated"
        price = prices[-1]
    return found


if __name__ == "__main__":
    print(json.dumps(measured()))
