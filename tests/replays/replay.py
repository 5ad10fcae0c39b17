"""Price histories replayed through the engine, with a crowd of leveraged traders, and what came of it over time."""

from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from markets import ledger
from markets.parameters import MarketParameters
from markets.seed import MARKETS
from markets.units import PPM
from tests.replays import bars, paths
from tests.replays.audit import Auditor
from tests.replays.crowd import Crowd
from tests.replays.exchange import USDC, Exchange
from trading.engine import invariants

INSURANCE = 1_000_000 * USDC
BACKSTOP = 1_000_000 * USDC
SAMPLES = 400  # points of the plot
JANUARY = "BTC-PERP_1m_2021-12-31_2022-02-01"
ASSETS = ("BTC", "ETH", "SOL")
MINUTES = 1_440
FALL = (1_250, 1_280)  # begin and low of the fall within a day, in minutes


class Sample(NamedTuple):
    """Amounts in USDC atoms, equity and what was paid in of the traders alone; the price is the first market's index, in 1e-8 USD."""

    minute: int
    price_e8: int
    equity_atoms: int
    paid_in_atoms: int
    insurance_atoms: int
    backstop_atoms: int  # its equity
    open_interest_atoms: int
    liquidations: int


class Step(NamedTuple):
    """Index and book prices by market, and how deep the makers quote."""

    elapsed_ms: int
    index_e8: dict[int, int]
    book_e8: dict[int, int]
    level_usd: int
    step_ppm: int


class Replay:
    """Runs steps, audits all events, and looks closely (`invariants`) now and then and at the end."""

    def __init__(self, *, markets: tuple[MarketParameters, ...], accounts: int, seed: int, mixed: bool = False) -> None:
        self.auditor = Auditor()
        self.exchange = Exchange(markets=markets, insurance_atoms=INSURANCE, backstop_atoms=BACKSTOP, listeners=(self.auditor,))
        self.crowd_size, self.seed, self.mixed = accounts, seed, mixed
        self.samples: list[Sample] = []

    def run(self, steps: list[Step]) -> None:
        exchange = self.exchange
        exchange.observe(steps[0].index_e8, 1_000)
        crowd = Crowd(exchange, accounts=self.crowd_size, seed=self.seed, mixed=self.mixed)
        untouched = self.money(crowd.bystanders)
        began_ms, every = exchange.now_ms, max(1, len(steps) // SAMPLES)
        for number, step in enumerate(steps):
            exchange.observe(step.index_e8, step.elapsed_ms)
            for market_id, price in step.book_e8.items():
                exchange.quote(market_id, price, level_usd=step.level_usd, step_ppm=step.step_ppm)
            crowd.act(step.book_e8)
            if number % every == 0 or number == len(steps) - 1:
                self.look((exchange.now_ms - began_ms) // 60_000, step, crowd)
        self.close()
        assert self.money(crowd.bystanders) == untouched, "an account without positions was touched"

    def money(self, account_ids: Iterable[int]) -> list[int]:
        return [self.exchange.account(account_id).usdc_atoms() for account_id in account_ids]

    def look(self, minute: int, step: Step, crowd: Crowd) -> None:
        """Take a sample, and hold the auditor's books against the engine's."""
        self.auditor.check(self.exchange.engine.state)
        interest = sum(
            self.auditor.value(market_id, self.exchange.engine.state.markets[market_id].open_interest_lots)
            for market_id in self.exchange.parameters
        )
        self.samples.append(
            Sample(
                minute,
                next(iter(step.index_e8.values())),
                sum(self.auditor.equity(trader.account_id) for trader in crowd.traders),
                sum(self.auditor.paid_in[trader.account_id] for trader in crowd.traders),
                self.auditor.equity(ledger.INSURANCE),
                self.auditor.equity(ledger.BACKSTOP),
                interest,
                self.auditor.counts["AccountLiquidated"],
            )
        )

    def close(self) -> None:
        self.auditor.check(self.exchange.engine.state)
        invariants.check(self.exchange.engine.state)


def january(*, part: slice = slice(None)) -> list[Step]:
    """BTC in January 2022, minute by minute: 48,000 to 33,000 in three weeks. The perpetual's price is index and book alike."""
    prices = list(paths.within_minutes(bars.load(JANUARY)[part]))
    return [Step(30_000, {1: price}, {1: price}, 40_000, 300) for price in prices]


def tenth_of_october(*, seed: int, part: slice = slice(None)) -> list[Step]:
    """BTC, ETH and SOL on 2025-10-10 and the day after. Only daily bars are stored, so the path within each day is made from a seed.

    Spot is the index, the perpetual is the book: at the low SOL's perpetual stands 13 % below its spot. Depth falls to a
    fifth, and spreads widen, the further the day's price has fallen.
    """
    random = Random(seed)  # noqa: S311
    steps: list[Step] = []
    for day in ("2025-10-10", "2025-10-11"):
        high_at = random.randrange(MINUTES // 4, MINUTES // 2)
        spot = [day_path(f"{asset}-USD_1d_to_2026-01", day, high_at, random) for asset in ASSETS]
        book = [day_path(f"{asset}-PERP_1d_to_2025-11", day, high_at, random) for asset in ASSETS]
        steps += [minute(spot, book, number) for number in range(MINUTES)]
    return steps[part]


def day_path(name: str, day: str, high_at: int, random: Random) -> list[int]:
    (bar,) = bars.load(name, first=day, last=day + "~")
    return paths.within_day(bar, high_at=high_at, fall=FALL, minutes=MINUTES, random=random)


def minute(spot: list[list[int]], book: list[list[int]], number: int) -> Step:
    first, now = spot[0][0], spot[0][number]
    fallen_ppm = max(0, (first - now) * PPM // first)
    depth_usd = max(8_000, 40_000 - 32_000 * fallen_ppm // 150_000)
    index, traded = ({market + 1: path[number] for market, path in enumerate(of)} for of in (spot, book))
    return Step(60_000, index, traded, depth_usd, 400 + fallen_ppm // 100)


def btc() -> tuple[MarketParameters, ...]:
    return MARKETS[:1]


def three() -> tuple[MarketParameters, ...]:
    return MARKETS[:3]
