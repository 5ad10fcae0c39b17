"""The buffer between the hub and one socket, against a server that writes when the test says."""

import asyncio

from trading.consumers.outbox import LIMIT_BYTES, Frame, Outbox, frame_of


class Server:
    """The server's end: sends at once, or holds every frame until it is opened."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.writable = asyncio.Event()
        self.writable.set()
        self.finished = asyncio.Event()
        self.overflows = 0
        self.outbox = Outbox(self.send, overflowed=self.overflowed)

    async def send(self, frame: Frame) -> None:
        await self.writable.wait()
        self.sent.append(frame["text"])
        if frame["text"] == "last":
            self.finished.set()

    def overflowed(self) -> None:
        self.overflows += 1


async def test_it_writes_at_once_while_the_peer_keeps_up() -> None:
    server = Server()
    server.outbox.put(frame_of(b"1"))
    server.outbox.put(frame_of(b"2"))
    assert server.sent == ["1", "2"]


async def test_it_keeps_the_order_when_the_peer_falls_behind_and_catches_up() -> None:
    server = Server()
    server.writable.clear()
    for number in range(100):
        server.outbox.put(frame_of(str(number).encode()))
    await asyncio.sleep(0)
    assert server.sent == []
    server.writable.set()
    server.outbox.put(frame_of(b"last"))
    await server.finished.wait()
    assert server.sent == [*(str(number) for number in range(100)), "last"]
    assert server.overflows == 0


async def test_it_overflows_once_and_takes_no_more() -> None:
    server = Server()
    server.writable.clear()
    frame = frame_of(b"x" * (LIMIT_BYTES // 4))
    for _ in range(20):
        server.outbox.put(frame)
    assert server.overflows == 1
    assert server.outbox.closed
    server.writable.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert server.sent == []


async def test_it_closes_when_the_peer_is_gone() -> None:
    async def gone(frame: Frame) -> None:
        raise ConnectionResetError

    outbox = Outbox(gone, overflowed=lambda: None)
    outbox.put(frame_of(b"1"))
    assert outbox.closed
