"""The oracle's crank: fresh prices reach feeds and markets, stale ones do not, and one market's trouble is its own."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from solders.account import Account
from solders.pubkey import Pubkey

from chain.client import ChainClient
from chain.cranks import read_feeds, turn_prices
from chain.deployment import Deployment, deployment
from chain.idl import PROGRAMS
from chain.prices import market_address, origin, quotes
from chain.setup.localnet import set_up
from chain.setup.parameters import MAX_JUMP_PPM
from markets.seed import MARKETS
from markets.views import MarketView
from oracle.feeds.hermes.ids import FEED_IDS
from oracle.feeds.pyth_solana.account import address
from tests.chain.localnets import Localnet
from tests.chain.markets import E8, view, views
from tests.programs.support.prices import RECEIVER, price_update
from trading.models import Journal


class Desk:
    """An exchange with prices on chain; the test seals the blocks, and their clock runs ahead as it likes."""

    def __init__(self, net: Localnet, folder: Path) -> None:
        self.net = net
        stop = net.tick(slot_ms=40)
        set_up(rpc_url=net.url, folder=folder, views=views(age_s=20), say=lambda _: None, whole=False)
        stop()
        net.advance()  # the first prices are confirmed now
        self.deployment: Deployment = deployment()
        self.client = ChainClient(net.url)

    def turn(self, views: list[MarketView]) -> int:
        sent = turn_prices(deployment=self.deployment, client=self.client, views=views)
        self.net.advance()
        return sent

    def prices(self) -> list[int]:
        keys = [market_address(self.deployment, market.market_id) for market in MARKETS]
        found = self.client.accounts(keys, commitment="confirmed")
        return [self.deployment.dex.program.account("Market", account).price_e8 // E8 for account in found]

    def landed(self) -> int:
        return self.net.do(lambda: len(self.net.chain.history))


@pytest.fixture
def desk(tmp_path: Path, settings: Any, db: None) -> Iterator[Desk]:
    settings.CHAIN_DIR = tmp_path / "chain"
    Journal.objects.create(seq=1, epoch=1, previous_hash=bytes(32), hash=bytes(32), stamp_ms=1, rules_version=1, commands=0, payload=b"")
    net = Localnet(programs=PROGRAMS)
    desk = Desk(net, tmp_path / "chain")
    yield desk
    desk.client.close()
    net.end()


def test_it_brings_all_markets_prices_on_chain_in_two_transactions(desk: Desk) -> None:
    before = desk.landed()
    assert desk.turn(views(price=101)) == 8
    assert desk.prices() == [101] * 8
    assert desk.landed() - before == 2
    feed = read_feeds(desk.deployment, desk.client, [1])[1]
    assert {str(key) for key in feed.parameters.publishers} == set(desk.deployment.record.publishers)


def test_it_sends_a_price_once(desk: Desk) -> None:
    later = views(price=101)
    assert desk.turn(later) == 8
    before = desk.landed()
    assert desk.turn(later) == 0
    assert desk.landed() == before


def test_publishers_on_hosts_of_their_own_make_the_quorum_together(desk: Desk, tmp_path: Path) -> None:
    whole, later = desk.deployment, views(price=101)
    for name, price in (("publisher-1", 100), ("publisher-2", 101)):
        host = tmp_path / name
        host.mkdir()
        (host / f"{name}.json").write_bytes((whole.folder / f"{name}.json").read_bytes())
        desk.deployment = Deployment(record=whole.record, folder=host)
        assert desk.turn(later) == 8
        assert desk.prices() == [price] * 8  # of both that are fresh, the lower


def test_it_publishes_nothing_that_is_stale(desk: Desk) -> None:
    assert desk.turn(views(price=101, state="stale")) == 0
    assert desk.turn(views(price=101, age_s=61)) == 0
    assert desk.prices() == [100] * 8


def test_it_lets_no_market_hold_up_the_others(desk: Desk) -> None:
    jump = 100 + 100 * MAX_JUMP_PPM // 1_000_000 + 1
    mixed = [view(MARKETS[0], price=jump), *views(price=101)[1:]]
    assert desk.turn(mixed) == 8
    assert desk.prices() == [100, *[101] * 7]
    feed = read_feeds(desk.deployment, desk.client, [1])[1]
    assert feed.published[0].price_e8 == jump * E8  # on record, and disputed


def test_it_goes_on_without_markets_that_the_chain_does_not_know(desk: Desk) -> None:
    unknown = view(MARKETS[0].__class__(market_id=99, symbol="NEW-PERP", base_asset="NEW", tick_e8=10**7, lot_e8=10**4, tiers=()))
    assert desk.turn([unknown, *views(price=101)]) == 8


def put_pyth(desk: Desk, *, price: int, level: bytes = b"\x01") -> None:
    """Write Bitcoin's price as Pyth's receiver does, into the account of its feed."""
    feed_id, key = bytes.fromhex(FEED_IDS["BTC"]), Pubkey.from_string(address(FEED_IDS["BTC"]))
    data = price_update(price=price * E8, published_at=int(time.time()), feed_id=feed_id, level=level)
    account = Account(10**9, data, RECEIVER)

    def put() -> None:
        chain = desk.net.chain
        chain.accounts.write(key, account, slot=chain.open.slot, final_slot=0)
        chain.bank.put(key, account)

    desk.net.do(put)
    desk.net.advance()


def on_devnet(desk: Desk) -> None:
    record = msgspec.structs.replace(desk.deployment.record, cluster="devnet")
    desk.deployment = Deployment(record=record, folder=desk.deployment.folder)


def test_it_brings_pyths_own_price_on_a_cluster_that_has_it(desk: Desk) -> None:
    on_devnet(desk)
    put_pyth(desk, price=101)
    later = views(price=101)
    desk.turn(later)
    feed = read_feeds(desk.deployment, desk.client, [1])[1]
    assert (feed.pyth.price_e8, type(feed.state).__name__) == (101 * E8, "Valid")
    before = desk.landed()
    desk.turn(later)
    assert desk.landed() == before  # neither has anything newer


def test_it_leaves_a_partly_verified_price_of_pyth_alone(desk: Desk) -> None:
    on_devnet(desk)
    put_pyth(desk, price=101, level=b"\x00\x05")
    before = desk.landed()
    assert desk.turn(views(price=101)) == 8
    assert desk.landed() - before == 2
    assert read_feeds(desk.deployment, desk.client, [1])[1].pyth.price_e8 == 0


def test_it_takes_prices_only_where_the_engine_would_settle_at_them() -> None:
    for state, expected in {"valid": 1, "single": 1, "uncertain": 0, "disputed": 0, "stale": 0, "halted": 0}.items():
        one = view(MARKETS[0], state=state)
        assert one.index is not None
        now_s = one.index.readings[0].published_ms // 1_000
        assert len(quotes([one], now_s=now_s)) == expected


def test_it_says_how_real_prices_are() -> None:
    assert origin(views()) == "simulated"
    assert origin(views(source="pyth")) == "live"
    assert origin([view(MARKETS[0], source="pyth"), view(MARKETS[1], source="replay")]) == "replayed"
