"""A sweep finds whom a full scan finds: the same calls, the same liquidations, the same state, looking at far fewer."""

from random import Random

import pytest

from markets.assets import AssetParameters, CollateralTier
from markets.commands import (
    AdjustBalance,
    ClockTick,
    Command,
    CreateMarket,
    Deposit,
    MoveIsolatedMargin,
    Observation,
    ObservePrice,
    OpenAccount,
    PlaceOrder,
    SetAsset,
    SetLeverage,
    SetMarginMode,
    Side,
    UpdateMarket,
    Withdraw,
)
from markets.events import AccountLiquidated, Event, LiquidationStarted, LiquidationStepped, MarginCalled
from markets.ledger import BACKSTOP, FAUCET, INSURANCE
from markets.parameters import MarginTier
from tests.engine.desk import START_MS, TIERS, USDC, parameters
from trading.engine import invariants, margin
from trading.engine.engine import Engine
from trading.engine.snapshot import decode, encode
from trading.engine.state import MarginPool, State

MARKETS = (1, 2, 3)
TRADERS = tuple(range(1000, 1040))
MAKER = 1040
ISOLATED = TRADERS[::5]
COLLATERALISED = TRADERS[2::7]
COIN = AssetParameters(
    asset="ETH",
    decimals=8,
    index_id=2,  # the second market's, so that one move changes position and collateral alike
    tiers=(CollateralTier(0, 850_000, 900_000), CollateralTier(50_000 * USDC, 700_000, 800_000)),
    exchange_cap_atoms=10**18,
    account_cap_atoms=10**18,
    conversion_haircut_ppm=50_000,
    conversion_cap_atoms=100_000 * USDC,
)
SIDES: tuple[Side, ...] = ("buy", "sell")
STEEP = (MarginTier(0, 10_000, 0, 50), MarginTier(200_000 * USDC, 800_000, 158_000 * USDC, 1))  # beyond, maintenance outruns equity


class Life:
    """Seeded commands: a maker quotes around three prices that wander and jump, forty traders take positions of many sizes."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311
        self.now_ms = START_MS
        self.ticks = dict.fromkeys(MARKETS, 10_000)

    def opening(self) -> list[Command]:
        commands: list[Command] = [
            CreateMarket(parameters=parameters(market_id, tiers=STEEP if market_id == 3 else TIERS)) for market_id in MARKETS
        ]
        for account_id in (*TRADERS, MAKER):
            amount = 10**8 * USDC if account_id == MAKER else self.random.choice((50, 500, 5_000, 100_000)) * USDC
            commands.append(OpenAccount(account_id=account_id))
            commands.append(Deposit(account_id=account_id, asset="USDC", amount_atoms=amount, number=1, source_account_id=FAUCET))
            commands += [SetLeverage(account_id=account_id, market_id=market_id, leverage=50) for market_id in (1, 2)]
        commands.append(SetAsset(parameters=COIN))
        commands += [SetMarginMode(account_id=account_id, market_id=2, mode="isolated") for account_id in ISOLATED]
        commands += [
            Deposit(
                account_id=account_id, asset="ETH", amount_atoms=self.random.randint(1, 900) * 10**6, number=2, source_account_id=FAUCET
            )
            for account_id in COLLATERALISED
        ]
        return [*commands, *(self.capital(fund) for fund in (BACKSTOP, INSURANCE))]

    def capital(self, fund: int) -> AdjustBalance:
        amount = self.random.choice((1, 200, 20_000)) * USDC
        return AdjustBalance(
            debit_account_id=FAUCET, credit_account_id=fund, asset="USDC", amount_atoms=amount, reason="capital", author="test"
        )

    def prices(self) -> ObservePrice:
        for market_id in MARKETS:
            span = self.random.choice((5, 5, 30, 30, 300))
            self.ticks[market_id] = max(3_000, min(30_000, self.ticks[market_id] + self.random.randint(-span, span)))
        moved = self.random.choice((MARKETS, MARKETS, MARKETS[:1], MARKETS[1:]))
        return ObservePrice(
            observations=tuple(
                Observation(market_id, source, self.ticks[market_id] * 10_000_000, 0, self.now_ms)
                for market_id in moved
                for source in ("pyth", "pyth_solana")
            )
        )

    def step(self) -> Command:
        draw = self.random
        self.now_ms += draw.choice((1, 200, 1_000, 4_000, 20_000))
        account_id = draw.choice(TRADERS)
        market_id = draw.choice(MARKETS)
        side: Side = draw.choice(SIDES)
        size = draw.choice((500, 50_000))
        price = self.ticks[market_id] + draw.randint(0, 40) * (1 if side == "sell" else -1)
        kinds: tuple[Command, ...] = (
            self.prices(),
            PlaceOrder(account_id=MAKER, market_id=market_id, side=side, type="limit", size_lots=size, price_ticks=price),
            PlaceOrder(account_id=account_id, market_id=market_id, side=side, type="market", size_lots=draw.choice((5, 50, 2_000, 30_000))),
            ClockTick(),
            MoveIsolatedMargin(account_id=draw.choice(ISOLATED), market_id=2, amount_atoms=draw.randint(-100, 100) * USDC),
            Withdraw(account_id=account_id, asset="USDC", amount_atoms=draw.randint(1, 200 * USDC), target_account_id=FAUCET),
            UpdateMarket(parameters=parameters(1, liquidation_slippage_ppm=draw.choice((1_000, 20_000)))),
        )
        return draw.choices(kinds, (40, 25, 30, 6, 3, 3, 1))[0]


def run(engine: Engine, command: Command, stamp_ms: int) -> list[Event]:
    engine.begin(stamp_ms)
    engine.apply(command)
    return engine.finish().events


def forget_thresholds(state: State) -> None:
    """Make the next sweep a full scan."""
    for account_id, account in state.accounts.items():
        state.unswept.add(account_id)
        for pool in account.pools():
            pool.armed = False


@pytest.mark.parametrize("seed", range(6))
def test_it_finds_what_a_full_scan_finds(seed: int) -> None:
    life = Life(seed)
    swift, thorough = Engine(), Engine()
    kinds: set[type[Event]] = set()
    for command in [*life.opening(), *(life.prices() for _ in range(2))]:
        life.now_ms += 1
        assert run(swift, command, life.now_ms) == run(thorough, command, life.now_ms)
    assert any(account.cross.collateral for account in swift.state.accounts.values())
    for number in range(900):
        command = life.step()
        forget_thresholds(thorough.state)
        events = run(swift, command, life.now_ms)
        assert events == run(thorough, command, life.now_ms), f"command {number}"
        kinds |= {type(event) for event in events}
        if number % 100 == 0:
            invariants.check(swift.state)
            swift = Engine(decode(encode(swift.state)))
    assert encode(swift.state) == encode(thorough.state)
    assert kinds >= {MarginCalled, LiquidationStarted, LiquidationStepped, AccountLiquidated}
    assert all(margin.equity(thorough.state, account.cross) >= 0 for account in thorough.state.accounts.values() if not held(account.cross))


def held(pool: MarginPool) -> bool:
    return pool.account.account_id < 1000 or any(holding.size_lots for holding in pool.holdings.values())


def test_it_looks_at_few_pools() -> None:
    """A move of a tenth of a percent concerns nobody who is far from being called: their thresholds stay as they were set."""
    engine = Engine()
    life = Life(1)
    for command in [*life.opening(), life.prices(), life.prices()]:
        life.now_ms += 1
        run(engine, command, life.now_ms)
    for market_id in MARKETS:
        for account_id in TRADERS:
            sell = PlaceOrder(account_id=MAKER, market_id=market_id, side="sell", type="limit", size_lots=1, price_ticks=10_000)
            buy = PlaceOrder(account_id=account_id, market_id=market_id, side="buy", type="limit", size_lots=5, price_ticks=10_000)
            run(engine, sell, life.now_ms)
            run(engine, buy, life.now_ms)
    publish(engine, life, 10_000)
    before = serials(engine.state)
    assert len(before) > len(TRADERS) // 3
    publish(engine, life, 9_990)
    publish(engine, life, 10_010)
    assert serials(engine.state) == before


def publish(engine: Engine, life: Life, ticks: int) -> None:
    life.now_ms += 1_000
    observed = tuple(Observation(1, source, ticks * 10_000_000, 0, life.now_ms) for source in ("pyth", "pyth_solana"))
    run(engine, ObservePrice(observations=observed), life.now_ms)


def serials(state: State) -> dict[tuple[int, int], int]:
    return {
        (account_id, market_id): holding.serial
        for market_id, market in state.markets.items()
        for account_id, holding in market.holders.items()
        if holding.serial
    }
