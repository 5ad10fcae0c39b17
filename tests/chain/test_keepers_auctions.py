"""Auctions kept by strangers while the operator is silent: opened, answered, settled from what the chain tells, bonds given back."""

import base64
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from solders.keypair import Keypair

from chain.keepers.orders import OrdersUnreadable, read_orders
from markets.signed_orders import SignedOrder, encode, put_together
from tests.chain.kept import KeptExchange, WideExchange, kept, outcomes, wide
from tests.programs.support.auctions import PARAMETERS, Auctions, digest
from tests.programs.support.exchange import TICKS, USDC

__all__ = ["kept", "wide"]
LIMIT = TICKS * 101 // 100
START = TICKS * 9_975 // 10_000
SETTLE_SLOTS = 1_000


class Rooms(Auctions):
    """Alice's orders are to be auctioned, Bob's answer; each in a file."""

    exchange: KeptExchange
    taken: SignedOrder
    made: SignedOrder

    def __init__(self, kept: KeptExchange, folder: Path) -> None:
        super().__init__(kept)
        self.orders, self.bids = folder / "orders", folder / "bids"
        self.orders.touch()
        self.bids.touch()

    def offered(self, by: Keypair, side: str, size: int, ticks: int, **changes: object) -> SignedOrder:
        """Sign an order, and write it where its owner's are."""
        order = self.exchange.order(by, side, size, ticks, **changes)
        line = base64.b64encode(put_together(encode(order), key=self.exchange.keys[by])).decode()
        path = self.orders if by == self.exchange.alice else self.bids
        path.write_text(f"{path.read_text()}{line}\n")
        return order

    def keep(self, by: Keypair, *, orders: bool = False, bids: bool = False) -> dict[str, str]:
        orders_path, bids_path = str(self.orders) if orders else "", str(self.bids) if bids else ""
        return outcomes(self.exchange.keep(by, "auctions", orders=orders_path, bids=bids_path))


@pytest.fixture
def rooms(kept: KeptExchange, tmp_path: Path) -> Rooms:
    return rooms_of(kept, tmp_path)


def rooms_of(kept: KeptExchange, folder: Path) -> Rooms:
    """Give Alice and Bob money, and let the operator be silent."""
    for owner in (kept.alice, kept.bob):
        kept.deposit(owner, 20_000 * USDC)
    rooms = Rooms(kept, folder)
    rooms.initialise(settle_slots=SETTLE_SLOTS)
    kept.silence()
    for market_id in kept.markets:
        kept.observe(market_id)
    kept.net.advance()
    return rooms


@pytest.fixture
def answered(rooms: Rooms) -> Rooms:
    answer(rooms)
    return rooms


def answer(rooms: Rooms) -> None:
    """Have Alice's order of 100 lots auctioned, and answered by Bob's that covers it."""
    kept = rooms.exchange
    rooms.taken = rooms.offered(kept.alice, "buy", 100, LIMIT)
    rooms.made = rooms.offered(kept.bob, "sell", 100, START)
    assert set(rooms.keep(kept.erin, orders=True).values()) == {"done"}
    assert set(rooms.keep(kept.dave, bids=True).values()) == {"done"}
    kept.net.finalize()


def test_it_opens_each_order_once_and_settles_what_the_chain_tells(answered: Rooms) -> None:
    kept = answered.exchange
    bid = answered.bid_of(answered.taken, kept.bob)
    assert answered.keep(kept.erin, orders=True) == {f"bid {bid} settled": "done"}
    assert (kept.lots(kept.alice), kept.lots(kept.bob)) == (100, -100)
    assert answered.auction(answered.taken)["settled_lots"] == 100
    assert answered.keep(kept.erin, orders=True, bids=True) == {}


def test_a_keeper_who_comes_second_does_no_harm(answered: Rooms) -> None:
    kept = answered.exchange
    title = f"bid {answered.bid_of(answered.taken, kept.bob)} settled"
    action = kept.due(kept.erin, "auctions")
    assert answered.keep(kept.dave) == {title: "done"}
    assert outcomes(kept.send_actions(kept.erin, action)) == {title: "done by another"}
    assert (kept.lots(kept.alice), kept.lots(kept.bob)) == (100, -100)


def test_it_shows_the_default_of_a_maker_who_revoked_his_key(answered: Rooms) -> None:
    kept = answered.exchange
    key = kept.trading_key(kept.bob, kept.keys[kept.bob])
    kept.send("revoke_key", {}, {"owner": kept.bob.pubkey(), "user": kept.user(kept.bob), "trading_key": key}, [kept.bob])
    before = kept.chain.svm.get_balance(kept.alice.pubkey())
    assert set(answered.keep(kept.erin)) == {f"default of {answered.bid_of(answered.taken, kept.bob)} shown"}
    assert kept.chain.svm.get_balance(kept.alice.pubkey()) == (before or 0) + PARAMETERS["bond_lamports"]


def test_it_gives_a_bond_back_that_binds_no_more(answered: Rooms) -> None:
    kept = answered.exchange
    kept.chain.warp(seconds=1, slots=SETTLE_SLOTS + 1)
    bid = answered.bid_of(answered.taken, kept.bob)
    before = kept.chain.svm.get_balance(kept.dave.pubkey())
    assert answered.keep(kept.erin) == {f"bond of {bid} given back": "done"}
    assert (kept.chain.svm.get_balance(kept.dave.pubkey()) or 0) >= (before or 0) + PARAMETERS["bond_lamports"]


def test_it_gives_bonds_back_after_a_freeze_and_counts_what_pools_were_paid(answered: Rooms) -> None:
    kept = answered.exchange
    answered.create(kept.charlie)
    answered.join(kept.charlie, kept.bob, 1_000 * USDC)
    answered.deploy(kept.charlie, 600 * USDC)
    kept.chain.warp(seconds=1, slots=1_001)
    done: list[str] = []
    while passed := kept.keep(kept.erin, freezes=True):
        done += [result.title for result in passed]
        assert {result.outcome for result in passed} == {"done"}
    assert f"bond of {answered.bid_of(answered.taken, kept.bob)} given back" in done
    pool = answered.pool(kept.charlie)
    assert (pool["collected"], pool["idle_atoms"]) == (True, 1_000 * USDC)


def test_it_waits_for_the_path_and_leaves_what_cannot_be_matched(rooms: Rooms) -> None:
    kept = rooms.exchange
    taken = rooms.offered(kept.alice, "buy", 100, LIMIT)
    rooms.offered(kept.alice, "buy", 100, LIMIT, nonce=1)  # from before the fallback
    rooms.offered(kept.alice, "buy", 100, LIMIT, expiry_ms=1)
    assert rooms.keep(kept.erin, orders=True) == {f"auction of {digest(taken).hex()} opened": "done"}
    rooms.offered(kept.bob, "sell", 100, TICKS)
    assert rooms.keep(kept.dave, bids=True) == {}
    kept.chain.warp(seconds=1, slots=40)
    assert set(rooms.keep(kept.dave, bids=True).values()) == {"done"}


def test_it_settles_with_a_lookup_table_what_does_not_fit(wide: WideExchange, tmp_path: Path) -> None:
    rooms = rooms_of(wide, tmp_path)
    wide.spread(wide.alice, wide.bob, 10)
    answer(rooms)
    bid = rooms.bid_of(rooms.taken, wide.bob)
    sender = wide.sender(wide.erin)
    first = outcomes(wide.keep(wide.erin, "auctions", sender=sender))
    assert first.pop(f"bid {bid} settled") == "too large"
    assert list(first.values()) == ["done"]  # the table
    assert outcomes(wide.keep(wide.erin, "auctions", sender=sender)) == {f"bid {bid} settled": "done"}
    assert (wide.lots(wide.alice), wide.lots(wide.bob)) == (110, -110)


def test_it_reads_orders_from_an_address(rooms: Rooms) -> None:
    order = rooms.offered(rooms.exchange.alice, "buy", 100, LIMIT)
    handler = partial(SimpleHTTPRequestHandler, directory=str(rooms.orders.parent))
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        found = read_orders(f"http://127.0.0.1:{server.server_port}/orders")
        thread.join(timeout=30)
    assert [known.hash for known in found] == [digest(order)]


def test_it_names_the_line_that_is_no_signed_order(rooms: Rooms, tmp_path: Path) -> None:
    order = rooms.exchange.order(rooms.exchange.alice, "buy", 1)
    forged = put_together(encode(order), key=rooms.exchange.keys[rooms.exchange.alice])[:-1] + b"\0"
    for text, message in (("no base64", "Line 2"), (base64.b64encode(forged).decode(), "line 2")):
        rooms.orders.write_text(f"\n{text}\n")
        with pytest.raises(OrdersUnreadable, match=message):
            read_orders(str(rooms.orders))
    with pytest.raises(OrdersUnreadable, match="cannot be read"):
        read_orders(str(tmp_path / "nothing"))
