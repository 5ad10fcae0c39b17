"""The feed is killed in the middle of a fall: real processes, real prices, nothing liquidated on an old one."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from markets.commands import (
    ClockTick,
    Deposit,
    OpenAccount,
    PlaceOrder,
    SetLeverage,
    Side,
    SweepLiquidations,
    UpdateMarket,
)
from markets.gateway import AsyncGateway, async_gateway
from markets.ledger import FAUCET
from markets.parameters import MarginTier
from markets.queries import GetAccount, GetIndices, GetMarkets
from markets.units import E8, QUOTE_ATOMS
from markets.views import IndexView, Reply
from tests.support.engine import ROOT, EngineProcess, EngineProcesses, engine_process, engine_processes

__all__ = ["engine_process", "engine_processes"]

ALICE, BOB = 1000, 1001
BTC = 1
MAX_AGE_MS = 3_000


class Watch:
    """Looks at the engine after every commit."""

    def __init__(self, gateway: AsyncGateway) -> None:
        self.gateway = gateway
        self._committed = asyncio.Event()
        gateway.listen(lambda _: self._committed.set())

    async def index(self) -> IndexView:
        return next(view for view in await self.gateway.query(GetIndices()) if view.index_id == BTC)

    async def until(self, wanted: Callable[[IndexView], bool], *, tick: bool = False) -> IndexView:
        """Wait until BTC's index is as wanted. With `tick` time passes although nobody publishes, as the runner lets it pass."""
        async with asyncio.timeout(40):
            await self.gateway.snapshot("journal")
            while True:
                self._committed.clear()
                view = await self.index()
                if wanted(view):
                    return view
                if tick:
                    await self.gateway.submit(ClockTick())
                    continue
                await self._committed.wait()

    async def position(self) -> int:
        view = await self.gateway.query(GetAccount(account_id=ALICE))
        assert view is not None
        return next((position.size_lots for position in view.positions if position.market_id == BTC), 0)


def oracle(engine: EngineProcesses, script: Path) -> EngineProcess:
    """Start a process of its own that streams simulated prices, from where the index is."""
    program = (str(ROOT / "manage.py"), "oracle", "--feed", "sim", "--seed", "7", "--script", str(script))
    return EngineProcess(url=engine.url, data_dir=engine.data_dir, program=program)


def script(folder: Path, name: str, *events: dict[str, Any]) -> Path:
    path = folder / name
    path.write_text(json.dumps(events))
    return path


def order(account_id: int, side: Side, lots: int, price_e8: int, tick_e8: int) -> PlaceOrder:
    return PlaceOrder(account_id=account_id, market_id=BTC, side=side, type="limit", size_lots=lots, price_ticks=price_e8 // tick_e8)


async def submit(gateway: AsyncGateway, *commands: Any) -> Reply:
    for command in commands:
        reply = await gateway.submit(command)
        assert reply.reject is None, (command, reply.reject)
    return reply


async def prepare(gateway: AsyncGateway) -> None:
    """Alice and Bob have 10,000 USDC each, prices are old after three seconds."""
    market = (await gateway.query(GetMarkets()))[0].parameters
    await submit(gateway, UpdateMarket(parameters=msgspec.structs.replace(market, oracle_max_age_ms=MAX_AGE_MS)))
    for account_id in (ALICE, BOB):
        atoms = 10_000 * QUOTE_ATOMS
        await submit(
            gateway,
            OpenAccount(account_id=account_id),
            Deposit(account_id=account_id, asset="USDC", amount_atoms=atoms, number=1, source_account_id=FAUCET),
            SetLeverage(account_id=account_id, market_id=BTC, leverage=50),
        )


def falls_to(price: int) -> Callable[[IndexView], bool]:
    return lambda view: view.price_e8 < price * E8


async def test_it_stops_with_its_prices_and_goes_on_with_them(engine_process: EngineProcesses, tmp_path: Path) -> None:
    gateway = async_gateway()
    watch = Watch(gateway)
    await prepare(gateway)
    market = (await gateway.query(GetMarkets()))[0].parameters
    fall = {"type": "move", "at": 6, "move_ppm": -100_000, "over": 12, "asset": "BTC"}
    feed = oracle(engine_process, script(tmp_path, "fall.json", fall))
    try:
        calm = await watch.until(lambda view: view.state == "valid" and not view.recovering and len(view.readings) >= 3)
        lots = 100_000 * E8 * E8 // (calm.price_e8 * market.lot_e8)
        await submit(
            gateway,
            order(BOB, "sell", lots, calm.price_e8, market.tick_e8),
            order(ALICE, "buy", lots, calm.price_e8, market.tick_e8),
        )
        assert await watch.position() == lots
        falling = await watch.until(falls_to(59_000))
        assert falling.state == "valid"
    finally:
        feed.kill()
    stale = await watch.until(lambda view: view.state == "stale", tick=True)
    assert stale.price_e8 < 59_500 * E8
    # At what is asked now Alice would be short of margin, were the last price still one.
    strict = (MarginTier(0, 200_000, 0, 5),)
    await submit(gateway, UpdateMarket(parameters=msgspec.structs.replace(market, oracle_max_age_ms=MAX_AGE_MS, tiers=strict)))
    await submit(gateway, SweepLiquidations(), ClockTick(), SweepLiquidations())
    short = await gateway.query(GetAccount(account_id=ALICE))
    assert short is not None
    assert short.equity_atoms < short.maintenance_margin_atoms
    assert await watch.position() == lots
    refused = (await gateway.submit(order(BOB, "buy", 10, stale.price_e8, market.tick_e8))).reject
    assert refused is None  # it only makes his position smaller
    refused = (await gateway.submit(order(BOB, "sell", 10, stale.price_e8, market.tick_e8))).reject
    assert refused is not None
    assert (refused.code, refused.data["oracle_state"]) == ("PRICE_STALE", "stale")

    back = oracle(engine_process, script(tmp_path, "calm.json"))
    try:
        first = await watch.until(lambda view: any(reading.verdict == "counted" for reading in view.readings))
        assert first.state == "stale" and first.recovering
        await watch.until(lambda view: view.state == "valid")
        async with asyncio.timeout(40):
            while await watch.position() == lots:
                await submit(gateway, ClockTick())
    finally:
        back.kill()
    assert 0 <= await watch.position() < lots
    await gateway.close()


@pytest.mark.parametrize("options", [("--feed", "sim"), ("--replay", "BTC-USD.csv")])
def test_it_makes_no_prices_up_in_production(options: tuple[str, ...], engine_processes: EngineProcesses) -> None:
    program = (str(ROOT / "manage.py"), "oracle", *options)
    process = EngineProcess(
        url=engine_processes.url,
        data_dir=engine_processes.data_dir,
        program=program,
        ENVIRONMENT="production",
        SECRET_KEY="k3Jx-0pQ9_vLr8TzWm2nBf5HsYd7GcAe1UoXiKqRtPwZlMjN4aE6uS",
        ALLOWED_HOSTS="desk.example.org",
    )
    assert process.wait() != 0
    assert any("Production refuses" in str(line["event"]) for line in process.lines)
