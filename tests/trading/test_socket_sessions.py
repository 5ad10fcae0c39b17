"""How sockets end, and what ends with them."""

import asyncio
from collections.abc import Callable

from django.db import connections
from django.test import Client

from accounts.models import User
from accounts.services import api_key_revoke
from tests.support.book import Book
from tests.support.engine import EngineProcesses, engine_process, engine_processes
from tests.support.people import Person, alice, bob
from tests.support.sockets import SECONDS, Json, Peer, browser, close_code, exchange, program
from tests.support.web import WebProcess, web_process, web_processes

__all__ = ["alice", "bob", "engine_process", "engine_processes", "web_process", "web_processes"]

BOOK = {"channel": "book", "market": "BTC-PERP"}


def limit(price: str = "58000.0", **fields: str) -> Json:
    return {"market": "BTC-PERP", "side": "buy", "type": "limit", "price": price, "size": "0.0100"} | fields


async def watch_account(peer: Peer) -> Json:
    await peer.ok("subscribe", channel="account")
    return await peer.ear.wait_for(lambda message: message["type"] == "snapshot")


async def test_it_cancels_on_disconnect_what_was_placed_under_it_and_nothing_else(web_process: WebProcess, alice: Person) -> None:
    async with program(web_process, alice) as stays:
        await watch_account(stays)
        async with program(web_process, alice) as leaves:
            before = (await leaves.ok("place", order=limit("57000.0")))["order"]
            assert (await leaves.ok("cancel_on_disconnect", enabled=True))["enabled"] is True
            during = (await leaves.ok("place", order=limit("58000.0")))["order"]
        update = await stays.ear.wait_for(lambda m: any(order["status"] == "cancelled" for order in m["orders"]))
        assert [order["order_id"] for order in update["orders"]] == [during["order_id"]]
        assert [order["order_id"] for order in (await stays.ok("cancel_all"))["orders"]] == [before["order_id"]]


async def test_it_cancels_nothing_once_cancel_on_disconnect_is_off_again(web_process: WebProcess, alice: Person) -> None:
    async with program(web_process, alice) as stays:
        await watch_account(stays)
        async with program(web_process, alice) as leaves, program(web_process, alice) as armed:
            await leaves.ok("cancel_on_disconnect", enabled=True)
            kept = (await leaves.ok("place", order=limit()))["order"]
            await leaves.ok("cancel_on_disconnect", enabled=False)
            await armed.ok("cancel_on_disconnect", enabled=True)
            await armed.ok("place", order=limit("57000.0"))
        await stays.ear.wait_for(lambda m: any(order["status"] == "cancelled" for order in m["orders"]))
        assert [order["order_id"] for order in (await stays.ok("cancel_all"))["orders"]] == [kept["order_id"]]


async def test_it_cancels_a_session_of_a_web_process_that_is_killed(web_process: WebProcess, alice: Person) -> None:
    async with program(web_process, alice) as peer:
        await peer.ok("cancel_on_disconnect", enabled=True)
        await peer.ok("place", order=limit())
        web_process.kill()
        await asyncio.wait_for(peer.client.closed.wait(), SECONDS)
    web_process.start()
    async with program(web_process, alice) as peer:
        snapshot = await watch_account(peer)
        if snapshot["orders"]:
            await peer.ear.wait_for(lambda m: m["type"] == "update" and {order["status"] for order in m["orders"]} == {"cancelled"})


async def test_it_closes_the_sockets_of_a_revoked_key_only(web_process: WebProcess, alice: Person, bob: Person) -> None:
    async with program(web_process, alice) as revoked, program(web_process, bob) as other:
        await asyncio.to_thread(elsewhere, revoke, alice)
        await asyncio.wait_for(revoked.client.closed.wait(), SECONDS)
        assert revoked.client.close_code == 4001
        assert (await other.ok("place", order=limit()))["order"]["status"] == "open"


async def test_it_closes_a_pages_socket_at_logout(web_process: WebProcess, alice: Person) -> None:
    async with browser(web_process, alice) as page, browser(web_process) as anonymous:
        assert (await exchange(page, {"op": "place", "id": 1, "order": limit()}))["ok"]
        await asyncio.to_thread(elsewhere, log_out, alice)
        assert await close_code(page) == 4001
        assert (await exchange(anonymous, {"op": "ping", "id": 2}))["op"] == "pong"


def elsewhere(act: Callable[[Person], None], person: Person) -> None:
    """Act as another process would: with a database connection of its own, that ends with it."""
    try:
        act(person)
    finally:
        connections.close_all()


def revoke(person: Person) -> None:
    api_key_revoke(user=User.objects.get(username=person.username), key_id=person.key_id)


def log_out(person: Person) -> None:
    client = Client()
    client.cookies.load(person.cookie)
    assert client.post("/accounts/logout/").status_code == 302


async def test_it_starts_over_with_a_snapshot_when_the_engine_has_restarted(
    web_process: WebProcess, engine_process: EngineProcesses, alice: Person
) -> None:
    async with program(web_process) as watcher, program(web_process, alice) as maker:
        await watcher.ok("subscribe", **BOOK)
        await watcher.ear.wait_for(lambda message: message["type"] == "snapshot")
        await maker.ok("place", order=limit())
        await watcher.ear.wait_for(lambda message: message["type"] == "delta")
        heard = len(watcher.ear.messages)
        await asyncio.to_thread(engine_process.restart)
        again = Book(await watcher.ear.wait_for(lambda message: message["type"] == "snapshot", after=heard))
        assert again.bids == {580_000: 100}
        heard = len(watcher.ear.messages)
        await maker.ok("place", order=limit("57000.0"))
        again.apply(await watcher.ear.wait_for(lambda message: message["type"] == "delta", after=heard))
        assert again.bids == {580_000: 100, 570_000: 100}
