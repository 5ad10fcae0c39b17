"""One mark update over 100,000 accounts against a numpy scan of the same columns. Run in a tree of its own: `python -m bench.sweep`.

Every account holds two positions in cross margin. The engine's figure is of a whole ObservePrice, from observation to events; the
peer's is of the arithmetic alone: equity and maintenance of all accounts from present columns, and who is short.
"""

import gc
import json
import time
from collections.abc import Callable
from random import Random

import numpy as np
from numpy.typing import NDArray

from bench.margined import PRICE_TICKS, Exchange
from markets.commands import Deposit, OpenAccount, PlaceOrder, SetLeverage, Side
from markets.ledger import FAUCET, FIRST_USER_ACCOUNT
from trading.engine.state import State

ACCOUNTS = 100_000
MARKETS = (1, 2)
UPDATES = 40
ROUNDS = 5
STEPS_PPM = {"calm": 500, "wild": 10_000}  # how far the index moves at most from one update to the next
CORRIDOR_PPM = 25_000  # and from where it began: no account falls within it
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

    def move(self, price_ticks: int) -> None:
        """Let both sources move the first market's price a second later; the second's stays, and stays fresh."""
        self.stamp_ms += 1_000
        self.observe({1: price_ticks, 2: PRICE_TICKS})


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

    def check(self, price_ticks: int) -> None:
        assert len(self.short((price_ticks, PRICE_TICKS))) == 0, "no account was to fall"

    def short(self, marks_ticks: tuple[int, int]) -> Column:
        """Return the places of the accounts whose equity is below maintenance."""
        equity = self.money.copy()
        needed = np.zeros(ACCOUNTS, dtype=np.int64)
        for size, mark, rate_ppm in zip(self.sizes, marks_ticks, self.rates_ppm, strict=True):
            value = size * (mark * self.atoms)
            equity += value
            needed += np.abs(value) * rate_ppm // 1_000_000
        return np.flatnonzero(equity < needed)


def walk(random: Random, start: int, step_ppm: int) -> list[int]:
    prices, price = [], start
    low, high = (PRICE_TICKS * (1_000_000 + sign * CORRIDOR_PPM) // 1_000_000 for sign in (-1, 1))
    step = PRICE_TICKS * step_ppm // 1_000_000
    for _ in range(UPDATES):
        price = max(low, min(high, price + random.randint(-step, step)))
        prices.append(price)
    return prices


def measured() -> dict[str, dict[str, list[float]]]:
    """Return updates per second of both, round by round, over the same prices; calm and wild."""
    random = Random(7)  # noqa: S311 - a workload, not a secret
    crowd = Crowd(random)
    columns = Columns(crowd.engine.state)
    found: dict[str, dict[str, list[float]]] = {name: {"ours": [], "numpy": []} for name in STEPS_PPM}
    price = PRICE_TICKS
    crowd.move(price)  # every account is new to the engine and looked at once
    gc.collect()
    gc.disable()  # as the engine's process runs
    for _ in range(ROUNDS):
        for name, step_ppm in STEPS_PPM.items():
            prices = walk(random, price, step_ppm)
            found[name]["ours"].append(timed(crowd.move, prices))
            found[name]["numpy"].append(timed(columns.check, prices))
            price = prices[-1]
    assert crowd.engine.state.next_liquidation_id == 1, "no account was to be liquidated"
    return found


def timed(update: Callable[[int], None], prices: list[int]) -> float:
    began = time.process_time()
    for each in prices:
        update(each)
    return len(prices) / (time.process_time() - began)


if __name__ == "__main__":
    print(json.dumps(measured()))
