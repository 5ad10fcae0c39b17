"""One message to a thousand subscribers: ours, from the engine's feed, against channels_redis group_send on the same server."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import cast

import uvloop

from bench.load import Counter, SocketConnection, frame
from bench.rounds import Ratio, interleave
from bench.stack import Stack, open_accounts
from markets.commands import PlaceBatch, PlaceOrder
from markets.gateway import async_gateway

SUBSCRIBERS = 1_000
BROADCASTS = 15
ROUNDS = 3
MONEY_ATOMS = 10**15


class Listener(SocketConnection):
    """Counts the messages that it is told, and lets the crowd know."""

    def __init__(self, crowd: "Crowd", url: str, subscribe: bytes) -> None:
        super().__init__(bytes, Counter(1), 0, url)
        self.crowd, self.subscribe, self.marker = crowd, subscribe, crowd.marker

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.lost += 1
        self.crowd.look()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.upgraded:
            self.split_handshake()
        while (message := self.next_message()) is not None:
            self.crowd.told(message)

    def split_handshake(self) -> None:
        if b"\r\n\r\n" in self.buffer:
            self.buffer = self.buffer.partition(b"\r\n\r\n")[2]
            self.upgraded = True
            if self.subscribe:
                self.transport.write(frame(self.subscribe))


class Crowd:
    """`size` subscribers. `marker` is in the messages that count."""

    def __init__(self, marker: bytes, *, size: int = SUBSCRIBERS) -> None:
        self.marker = marker
        self.size = size
        self.ready = 0
        self.heard = 0
        self.lost = 0
        self.gathering = True
        self.changed = asyncio.Event()

    def told(self, message: bytes) -> None:
        if self.marker in message:
            self.heard += 1
        elif b'"op":' not in message:  # our snapshot, or the peer's greeting
            self.ready += 1
        self.look()

    def look(self) -> None:
        """Go on when everybody who is still there has been told."""
        if (self.ready if self.gathering else self.heard) >= self.size - self.lost:
            self.changed.set()

    async def gather(self, port: int, path: str, subscribe: bytes) -> list[asyncio.BaseTransport]:
        """Connect everybody and wait until each has had its first message."""
        loop = asyncio.get_running_loop()
        url = f"http://127.0.0.1:{port}{path}"
        transports: list[asyncio.BaseTransport] = []
        for _ in range(self.size):
            transport, _ = await loop.create_connection(lambda: Listener(self, url, subscribe), "127.0.0.1", port)
            transports.append(transport)
        await asyncio.wait_for(self.changed.wait(), 60)
        self.gathering = False
        return transports

    async def broadcast(self, send: Callable[[], Awaitable[object]]) -> None:
        """Send once and wait until everybody has heard it."""
        self.heard = 0
        self.changed.clear()
        await send()
        await asyncio.wait_for(self.changed.wait(), 60)


async def measure(
    port: int, path: str, subscribe: bytes, marker: bytes, sender: Callable[[int], Awaitable[Callable[[], Awaitable[object]]]]
) -> float:
    """Return deliveries per second, one broadcast after the other."""
    crowd = Crowd(marker)
    transports = await crowd.gather(port, path, subscribe)
    send = await sender(port)
    await crowd.broadcast(send)
    began = time.perf_counter()
    for _ in range(BROADCASTS):
        await crowd.broadcast(send)
    seconds = time.perf_counter() - began
    assert crowd.lost == 0 or not subscribe, f"{crowd.lost} of our subscribers were cut off"
    present = SUBSCRIBERS - crowd.lost  # the peer cuts off a few of so many
    for transport in transports:
        transport.close()
    return BROADCASTS * present / seconds


def fan_out(stack: Stack) -> list[Ratio]:
    alice, bob = open_accounts(2, username="fan-out", balance_atoms=MONEY_ATOMS)
    ours = stack.serve()
    core, pubsub = (stack.serve(f"bench.group_send:{layer}") for layer in ("core", "pubsub"))
    subscribe = json.dumps({"op": "subscribe", "id": 1, "channel": "trades", "market": "BTC-PERP"}).encode()

    async def trades(_: int) -> Callable[[], Awaitable[object]]:
        await asyncio.to_thread(stack.observe)
        link = async_gateway()

        def side(account_id: int, word: str) -> PlaceOrder:
            return PlaceOrder(account_id=account_id, market_id=1, side=word, type="limit", size_lots=10, price_ticks=600_000)  # type: ignore[arg-type]

        async def trade() -> None:
            await link.submit(PlaceBatch(account_id=alice.id, items=(side(alice.id, "sell"),)))
            await link.submit(PlaceBatch(account_id=bob.id, items=(side(bob.id, "buy"),)))

        return trade

    async def group_message(port: int) -> Callable[[], Awaitable[object]]:
        text = json.dumps(
            {"channel": "trades", "told": True, "trades": [{"price": "60000.0", "size": "0.01"}], "padding": "x" * 200}
        ).encode()
        [speaker] = await Crowd(b"nothing", size=1).gather(port, "/", b"")

        async def send() -> None:
            cast(asyncio.Transport, speaker).write(frame(text))

        return send

    def peer(port: int) -> Callable[[], float]:
        return lambda: uvloop.run(measure(port, "/", b"", b'"told"', group_message))

    stack.observe()
    measured = interleave(
        {
            "ours": lambda: uvloop.run(measure(ours, "/ws/v1/", subscribe, b'"type":"update"', trades)),
            "core": peer(core),
            "pubsub": peer(pubsub),
        },
        rounds=ROUNDS,
        title=f"broadcast to {SUBSCRIBERS:,}",
    )
    return [
        Ratio("deliveries to 1,000 sockets / channels_redis group_send", measured["ours"], measured["core"], floor=5),
        Ratio("deliveries to 1,000 sockets / its pub/sub layer", measured["ours"], measured["pubsub"]),
    ]
