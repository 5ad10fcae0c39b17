"""What a connection writes in one turn of the loop leaves together, in order, and before it is closed."""

import asyncio
from collections.abc import Iterable
from typing import Any

import uvloop

from quantdesk.gathered import GatheredTransport


class Wire(asyncio.Transport):
    """The loop's end of a connection, which notes what it is handed."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.handed: list[list[bytes]] = []
        self.closed = False

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.handed.append(list(list_of_data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close


def test_it_writes_what_one_turn_says_in_one_piece() -> None:
    wire = Wire()

    async def talk() -> None:
        transport = GatheredTransport(wire)
        transport.write(b"head")
        transport.write(b"body")
        assert wire.handed == []
        await asyncio.sleep(0)
        transport.write(b"next")
        await asyncio.sleep(0)

    asyncio.run(talk())
    assert wire.handed == [[b"head", b"body"], [b"next"]]


def test_it_writes_everything_before_it_closes_and_nothing_after_it_was_aborted() -> None:
    closed, aborted = Wire(), Wire()

    async def talk() -> None:
        leaving, lost = GatheredTransport(closed), GatheredTransport(aborted)
        leaving.write(b"bye")
        leaving.close()
        lost.write(b"nobody hears this")
        lost.abort()
        await asyncio.sleep(0)

    asyncio.run(talk())
    assert (closed.handed, closed.closed) == ([[b"bye"]], True)
    assert (aborted.handed, aborted.closed) == ([], True)


def test_it_is_otherwise_the_transport_that_it_gathers_for() -> None:
    async def peer() -> Any:
        return GatheredTransport(Wire()).get_extra_info("peername")

    assert asyncio.run(peer()) == ("127.0.0.1", 1)


class Answering(asyncio.Protocol):
    """Answers in more pieces than a socket takes at once, and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = GatheredTransport(transport)

    def data_received(self, data: bytes) -> None:
        for number in range(64):
            self.transport.write(bytes([number]) * 100_000)
        self.transport.close()


def test_it_loses_nothing_on_a_real_socket() -> None:
    async def fetch() -> bytes:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"go")
        answer = await reader.read(-1)
        writer.close()
        server.close()
        return answer

    assert uvloop.run(fetch()) == b"".join(bytes([number]) * 100_000 for number in range(64))
