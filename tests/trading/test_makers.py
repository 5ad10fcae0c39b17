"""The demo's bots: what they want to quote, and that they do, through the socket."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from markets.commands import Side
from tests.support.book import Book
from tests.support.engine import EngineProcesses, engine_process, engine_processes
from tests.support.people import Person, alice, bob, charlie
from tests.support.sockets import Json, program
from tests.support.web import WebProcess, web_process, web_processes
from trading.makers import desk, ladder, maker, taker
from trading.makers.bot import Key
from trading.makers.ladder import Grid, Resting
from trading.makers.terms import Terms

__all__ = ["alice", "bob", "charlie", "engine_process", "engine_processes", "web_process", "web_processes"]

BTC = Terms("BTC-PERP", 10_000_000, 10_000, 10_000_000)
GRID = Grid(100, 0)


def wanted(anchor: int, *, levels: int = 4) -> dict[Side, dict[int, int]]:
    return ladder.wanted(terms=BTC, grid=GRID, anchor=anchor, levels=levels, level_usd=12_000, sides=("buy", "sell"))


def resting(quotes: dict[Side, dict[int, int]]) -> list[Resting]:
    orders = [(side, price, size) for side, levels in quotes.items() for price, size in levels.items()]
    return [Resting(str(number), side, price, size, 0) for number, (side, price, size) in enumerate(orders)]


def test_it_wants_a_ladder_around_its_centre_that_differs_from_level_to_level() -> None:
    quotes = wanted(6_000)
    assert list(quotes["buy"]) == [600_000, 599_900, 599_800, 599_700]
    assert list(quotes["sell"]) == [600_100, 600_200, 600_300, 600_400]
    assert len(set(quotes["buy"].values())) == 4
    assert all(size > 0 for levels in quotes.values() for size in levels.values())


@pytest.mark.parametrize(("price", "step"), [(964_000, 100), (600_000, 50), (334_000, 50), (240, 1), (1, 1)])
def test_it_steps_by_round_numbers(price: int, step: int) -> None:
    assert ladder.nice_step(price, 150) == step


def test_it_stays_where_it_is_until_the_centre_has_moved_enough() -> None:
    first = GRID.anchor(600_050, None)
    assert first == 6_000
    assert GRID.anchor(600_130, first) == 6_000
    assert GRID.anchor(599_970, first) == 6_000
    assert GRID.anchor(600_140, first) == 6_001
    assert GRID.anchor(599_900, first) == 5_999


def test_it_sends_nothing_when_nothing_has_to_change() -> None:
    quotes = wanted(6_000)
    assert ladder.changes(terms=BTC, resting=resting(quotes), ladder=quotes, rising=True) == []


def test_it_rolls_by_amending_one_order_a_side_away_from_the_market_first() -> None:
    items = ladder.changes(terms=BTC, resting=resting(wanted(6_000)), ladder=wanted(6_001), rising=True)
    assert [(item["op"], item["order_id"], item["price"]) for item in items] == [("amend", "4", "60050.0"), ("amend", "3", "60010.0")]
    falling = ladder.changes(terms=BTC, resting=resting(wanted(6_000)), ladder=wanted(5_999), rising=False)
    assert [(item["op"], item["order_id"], item["price"]) for item in falling] == [("amend", "0", "59960.0"), ("amend", "7", "60000.0")]


def test_it_fills_up_what_was_taken_and_places_and_cancels_only_what_is_left_over() -> None:
    quotes = wanted(6_000)
    first, *others = resting(quotes)
    taken = first._replace(filled_lots=first.size_lots - 1)
    [refill] = ladder.changes(terms=BTC, resting=[taken, *others], ladder=quotes, rising=True)
    assert (refill["op"], refill["order_id"], refill["size"]) == ("amend", "0", BTC.size(2 * first.size_lots - 1))
    [missing] = ladder.changes(terms=BTC, resting=others, ladder=quotes, rising=True)
    assert (missing["op"], missing["side"], missing["price"], missing["post_only"]) == ("place", "buy", "60000.0", "reject")
    double = Resting("99", "sell", 600_100, 1_000_000, 0)
    assert ladder.changes(terms=BTC, resting=[*resting(quotes), double], ladder=quotes, rising=True) == [{"op": "cancel", "order_id": "99"}]


def test_it_quotes_one_side_only_when_its_position_is_full() -> None:
    quotes = ladder.wanted(terms=BTC, grid=GRID, anchor=6_000, levels=4, level_usd=12_000, sides=("sell",))
    items = ladder.changes(terms=BTC, resting=resting(wanted(6_000)), ladder=quotes, rising=True)
    assert {item["op"] for item in items} == {"cancel"}
    assert len(items) == 4


def test_it_reads_the_keys_that_the_seed_leaves(tmp_path: Path) -> None:
    path = tmp_path / "makers.json"
    path.write_bytes(msgspec.json.encode({"maker-1": {"account_id": 1002, "key": "qk_1", "secret": "s"}}))
    assert desk.read_keys(path) == [Key("maker-1", 1002, "qk_1", "s")]


async def test_it_makes_a_live_market_that_survives_engine_and_web(
    web_process: WebProcess, engine_process: EngineProcesses, alice: Person, bob: Person, charlie: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maker, "CYCLE_SECONDS", 0.1)
    monkeypatch.setattr(maker, "LEVEL_USD", 400)
    monkeypatch.setattr(taker, "PAUSE_SECONDS", (0.05, 0.1))
    monkeypatch.setattr(taker, "ORDER_USD", (20, 60))
    names = {"maker-1": alice, "maker-2": bob, "taker-1": charlie}
    keys = [Key(name, who.account_id, who.key_id, who.secret) for name, who in names.items()]
    bots = asyncio.create_task(desk.run(url=web_process.socket_url, keys=keys))
    await until_market_lives(web_process)
    await asyncio.to_thread(engine_process.restart)
    engine_process.observe({1: 60_100 * 10**8})
    await asyncio.to_thread(web_process.kill)
    await asyncio.to_thread(web_process.start)
    await until_market_lives(web_process)
    bots.cancel()
    await asyncio.gather(bots, return_exceptions=True)


async def until_market_lives(web: WebProcess) -> None:
    """Wait for a full book of BTC, and then for a new trade."""
    async with program(web) as watcher:
        await watcher.ok("subscribe", channel="book", market="BTC-PERP")
        book = Book(await watcher.ear.wait_for(lambda message: message["channel"] == "book"))
        applied = 1

        def full(_: Json) -> bool:
            nonlocal applied
            for delta in watcher.ear.of("book")[applied:]:
                book.apply(delta)
                applied += 1
            return len(book.bids) >= 15 and len(book.asks) >= 15

        await watcher.ear.wait_for(full)
        await watcher.ok("subscribe", channel="trades", market="BTC-PERP")
        await watcher.ear.wait_for(lambda message: message["channel"] == "trades" and message["type"] == "update")
