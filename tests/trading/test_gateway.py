"""The gateway's promises to its callers, against a server that does what the test says."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from markets import wire
from markets.commands import ClockTick
from markets.errors import EngineBusy, EngineUnavailable, OutcomeUnknown
from markets.gateway import AsyncGateway, Gateway, Message
from markets.queries import GetCommittedSeq
from markets.views import Reply

Answer = Callable[[wire.ClientMessage], list[wire.ServerMessage] | None]
TICK = ClockTick()
transports: set[asyncio.Transport] = set()


async def close_transports() -> None:
    for transport in tuple(transports):
        transport.abort()
    while transports:  # noqa: ASYNC110 - each turn lets the loop tell one transport that it is closed
        await asyncio.sleep(0)


class Scripted(asyncio.Protocol):
    """The other end of a link: answers as the test says; None closes the link."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.frames = wire.Frames()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transports.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        transports.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        for body in self.frames.feed(data):
            for message in wire.client_decoder.decode(body):
                if isinstance(message, wire.Hello):
                    continue
                answers = self.answer(message)
                if answers is None:
                    self.transport.abort()
                elif answers:
                    self.transport.write(wire.frames_of(list(answers)))


@pytest.fixture
def path() -> Iterator[Path]:
    with TemporaryDirectory(prefix="qd-") as folder:
        yield Path(folder) / "engine.sock"


class Listener:
    """A scripted server that the test starts when it wants to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.gateway = AsyncGateway(url=f"unix://{path}")
        self._server: asyncio.AbstractServer | None = None

    async def start(self, answer: Answer) -> AsyncGateway:
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: Scripted(answer), str(self.path))
        return self.gateway

    async def close(self) -> None:
        await self.gateway.close()
        if self._server is not None:
            self._server.close()
            await close_transports()


@pytest.fixture
async def listener(path: Path) -> AsyncIterator[Listener]:
    listener = Listener(path)
    yield listener
    await listener.close()


def replied(seq: int) -> Answer:
    def answer(message: wire.ClientMessage) -> list[wire.ServerMessage]:
        assert isinstance(message, wire.Submit | wire.Ping)
        return [wire.Replied(message.id, Reply(seq=seq))]

    return answer


async def test_it_pipelines_and_finds_the_request_of_each_answer(listener: Listener) -> None:
    waiting: list[wire.Submit] = []

    def backwards(message: wire.ClientMessage) -> list[wire.ServerMessage]:
        assert isinstance(message, wire.Submit)
        waiting.append(message)
        if len(waiting) < 3:
            return []
        return [wire.Replied(one.id, Reply(seq=one.command.valid_until_ms)) for one in reversed(waiting)]

    gateway = await listener.start(backwards)
    replies = await asyncio.gather(*(gateway.submit(ClockTick(valid_until_ms=number)) for number in (1, 2, 3)))
    assert [reply.seq for reply in replies] == [1, 2, 3]


async def test_it_tells_that_the_outcome_is_unknown_when_the_link_is_lost_after_sending(listener: Listener) -> None:
    gateway = await listener.start(lambda _: None)
    with pytest.raises(OutcomeUnknown):
        await gateway.submit(TICK)


async def test_it_tells_that_nothing_was_sent_when_nobody_listens(path: Path) -> None:
    gateway = AsyncGateway(url=f"unix://{path}")
    with pytest.raises(EngineUnavailable):
        await gateway.submit(TICK, timeout=0.1)
    await gateway.close()


async def test_it_tells_that_the_outcome_is_unknown_when_no_reply_comes_in_time(listener: Listener) -> None:
    gateway = await listener.start(lambda _: [])
    with pytest.raises(OutcomeUnknown):
        await gateway.submit(TICK, timeout=0.1)


async def test_it_tells_when_the_queue_is_full(listener: Listener) -> None:
    gateway = await listener.start(lambda message: [wire.Busy(message.id)])  # type: ignore[union-attr]
    with pytest.raises(EngineBusy):
        await gateway.submit(TICK)


async def test_it_connects_again_by_itself_and_says_so(listener: Listener) -> None:
    lost = iter([True])
    gateway = await listener.start(lambda message: None if next(lost, False) else replied(5)(message))
    again = asyncio.Event()
    gateway.on_reconnect(again.set)
    with pytest.raises(OutcomeUnknown):
        await gateway.submit(TICK)
    await asyncio.wait_for(again.wait(), 60)
    assert (await gateway.submit(TICK)).seq == 5


async def test_it_holds_its_sessions_again_on_a_new_link(listener: Listener) -> None:
    held: list[wire.ClientMessage] = []
    lose = iter([True])

    def answer(message: wire.ClientMessage) -> list[wire.ServerMessage] | None:
        if isinstance(message, wire.Submit):
            return None if next(lose, False) else replied(1)(message)
        held.append(message)
        return [wire.Done(message.id)]  # type: ignore[union-attr]

    gateway = await listener.start(answer)
    await gateway.hold_session(1000, 77)
    with pytest.raises(OutcomeUnknown):
        await gateway.submit(TICK)
    await gateway.submit(TICK)
    sessions = [(one.account_id, one.session_id) for one in held if isinstance(one, wire.Hold)]
    assert len(sessions) > 1
    assert set(sessions) == {(1000, 77)}


async def test_it_hands_out_a_snapshot_before_the_deltas_that_follow_it_in_the_same_frame(listener: Listener) -> None:
    def answer(message: wire.ClientMessage) -> list[wire.ServerMessage]:
        assert isinstance(message, wire.Watch)
        deltas = [wire.Published(0, message.topic, seq, b"delta") for seq in (8, 9)]
        return [wire.Published(message.id, message.topic, 7, b"snapshot"), *deltas]

    gateway = await listener.start(answer)
    seen: list[Message] = []
    complete = asyncio.Event()

    def listen(message: Message) -> None:
        seen.append(message)
        if message.seq == 9:
            complete.set()

    gateway.listen(listen)
    seen.append(await gateway.snapshot("book:1"))
    await asyncio.wait_for(complete.wait(), 60)
    assert [message.seq for message in seen] == [7, 8, 9]


async def test_it_says_that_a_topic_does_not_exist(listener: Listener) -> None:
    gateway = await listener.start(lambda message: [wire.Done(message.id)])  # type: ignore[union-attr]
    with pytest.raises(LookupError, match="book:99"):
        await gateway.snapshot("book:99")


@pytest.fixture
def blocking(path: Path) -> Iterator[Callable[[Answer], Gateway]]:
    """A scripted server in a thread, for the gateway that blocks."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    servers: list[asyncio.AbstractServer] = []

    def start(answer: Answer) -> Gateway:
        serving = loop.create_unix_server(lambda: Scripted(answer), str(path))
        servers.append(asyncio.run_coroutine_threadsafe(serving, loop).result(5))
        return Gateway(url=f"unix://{path}")

    yield start
    for server in servers:
        loop.call_soon_threadsafe(server.close)
    asyncio.run_coroutine_threadsafe(close_transports(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_it_blocks_for_the_reply(blocking: Callable[[Answer], Gateway]) -> None:
    gateway = blocking(replied(11))
    assert gateway.submit(TICK).seq == 11
    gateway.close()


def test_it_decodes_an_answer_by_its_query(blocking: Callable[[Answer], Gateway]) -> None:
    gateway = blocking(lambda message: [wire.Answered(message.id, msgspec.Raw(wire.encoder.encode(42)))])  # type: ignore[union-attr]
    assert gateway.query(GetCommittedSeq()) == 42
    gateway.close()


def test_it_leaves_the_outcome_open_and_drops_the_link_when_no_reply_comes(blocking: Callable[[Answer], Gateway]) -> None:
    late = iter([True])
    gateway = blocking(lambda message: [] if next(late, False) else replied(3)(message))
    with pytest.raises(OutcomeUnknown):
        gateway.submit(TICK, timeout=0.05)
    assert gateway.submit(TICK).seq == 3
    gateway.close()


def test_it_takes_a_new_link_when_the_engine_closed_the_idle_one(blocking: Callable[[Answer], Gateway]) -> None:
    gateway = blocking(lambda message: None)
    with pytest.raises(OutcomeUnknown):
        gateway.submit(TICK)
    with pytest.raises(OutcomeUnknown):
        gateway.submit(TICK)  # sent over a new link: not EngineUnavailable
    gateway.close()


def test_it_tells_that_nothing_was_sent_when_nobody_listens_here(path: Path) -> None:
    with pytest.raises(EngineUnavailable):
        Gateway(url=f"unix://{path}").submit(TICK)


@pytest.mark.parametrize("url", ["", "unix://", "http://localhost:1", "tcp://localhost", "engine.sock"])
def test_it_refuses_an_address_that_it_cannot_use(url: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        Gateway(url=url)


def test_it_cuts_a_stream_into_its_frames_wherever_it_is_torn() -> None:
    stream = wire.frames_of([wire.Ping(1)]) + wire.frames_of([wire.Ping(2), wire.Ping(3)])
    frames = wire.Frames()
    bodies = [body for byte in stream for body in frames.feed(bytes([byte]))]
    assert [wire.client_decoder.decode(body) for body in bodies] == [[wire.Ping(1)], [wire.Ping(2), wire.Ping(3)]]


def test_it_refuses_a_frame_that_is_too_large() -> None:
    with pytest.raises(wire.FrameError):
        list(wire.Frames().feed(wire.LENGTH.pack(wire.MAX_FRAME_BYTES + 1)))


def test_it_spreads_what_is_too_much_for_one_frame_over_several() -> None:
    large = wire.Malformed(1, "x" * (wire.MAX_BODY_BYTES // 3))
    for stream in (wire.frames_of([large] * 10), wire.frames([wire.encoder.encode(large)] * 10)):
        bodies = list(wire.Frames().feed(stream))
        assert len(bodies) > 1
        assert [message for body in bodies for message in wire.server_decoder.decode(body)] == [large] * 10


def test_it_refuses_only_the_malformed_message_of_a_frame() -> None:
    good = wire.encoder.encode(wire.Submit(1, TICK))
    bad = wire.encoder.encode([1, 2, ["PlaceOrder", "not a number"]])
    body = wire.frames([good, bad])[wire.LENGTH.size :]
    messages = list(wire.decode_each(body))
    assert messages[0] == wire.Submit(1, TICK)
    assert isinstance(messages[1], wire.Malformed)
    assert messages[1].id == 2


def test_it_tells_that_nothing_was_sent_when_a_port_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(EngineUnavailable):
        Gateway(url=f"tcp://127.0.0.1:{port}").submit(TICK)
