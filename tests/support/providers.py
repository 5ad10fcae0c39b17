"""A local server that speaks Hermes's and CoinGecko's HTTP as they do, and fails as they do."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from oracle.feeds.coingecko.coingecko import COIN_IDS
from oracle.feeds.hermes.ids import FEED_IDS

Json = Any


KEY_HEADERS = ("authorization", "x-cg-demo-api-key", "x-cg-pro-api-key")
DRIP_SECONDS = 0.05


class Request(NamedTuple):
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    events: tuple[bytes, ...] | None = None  # sent one by one as server-sent events, then the stream is cut
    stays_open: bool = False
    drips: bool = False  # a byte at a time, and never the last one
    cut: bool = False  # the connection ends in the middle of the body


class Provider:
    """Answers each path as the test says; what it was asked is in `requests`. With a `key` it wants that from everybody."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[Request] = []
        self.url = ""
        self.event_seconds = 0.0  # between the messages of a stream
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, path: str, *answers: Answer) -> None:
        """Answer a path with these, one after the other; the last one stays."""
        self.answers[path] = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        target = urlsplit(lines[0].split(" ")[1])
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(target.path, parse_qsl(target.query), headers, body))
        queue = self.answers.get(target.path, [Answer(404)])
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if self.key and not {headers.get(name) for name in KEY_HEADERS} & {self.key, f"Bearer {self.key}"}:
            answer = Answer(401)
        extra = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        if answer.events is None:
            head = f"HTTP/1.1 {answer.status} X\r\nContent-Length: {len(answer.body)}\r\nConnection: close\r\n{extra}\r\n"
            if answer.drips:
                await _drip(writer, head.encode() + answer.body[:-1])
            writer.write(head.encode() + (answer.body[: len(answer.body) // 2] if answer.cut else answer.body))
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for event in answer.events:
            writer.write(b"data:" + event + b"\n\n")
            await writer.drain()
            await asyncio.sleep(self.event_seconds)
        if answer.stays_open:
            await reader.read()

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()


async def _drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send one byte after the other, as slowly as it takes for the reader to give up."""
    for place in range(len(data)):
        writer.write(data[place : place + 1])
        await writer.drain()
        await asyncio.sleep(DRIP_SECONDS)
    await asyncio.Event().wait()


@asynccontextmanager
async def provider(key: str = "") -> AsyncIterator[Provider]:
    found = Provider(key)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
    try:
        yield found
    finally:
        server.close()
        found.end()
        await server.wait_closed()


def listed(**other: str) -> Answer:
    """Hermes's list of feeds; `other` overrides what an asset's feed is said to be of."""
    feeds = [
        {"id": feed_id, "attributes": {"asset_type": "Crypto", "base": other.get(asset, asset), "quote_currency": "USD"}}
        for asset, feed_id in FEED_IDS.items()
    ]
    return Answer(body=json.dumps(feeds).encode())


def coins(seconds: int, **usd: str) -> Answer:
    """CoinGecko's prices, each as the text of a JSON number, by asset."""
    fields = ",".join(f'"{COIN_IDS[asset]}":{{"usd":{price},"last_updated_at":{seconds}}}' for asset, price in usd.items())
    return Answer(body=f"{{{fields}}}".encode())


def chain_accounts(*accounts: tuple[str, bytes] | None) -> Answer:
    """A Solana RPC's answer to getMultipleAccounts, each account as (owner, data)."""
    value = [account and {"owner": account[0], "data": [b64encode(account[1]).decode(), "base64"], "lamports": 1} for account in accounts]
    return Answer(body=json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"context": {"slot": 1}, "value": value}}).encode())


def update(*prices: tuple[str, str, str, int, int]) -> bytes:
    """Hermes's prices, each as (asset, price, conf, expo, publish_time)."""
    parsed = [
        {
            "id": FEED_IDS.get(asset, asset),
            "price": {"price": price, "conf": conf, "expo": expo, "publish_time": publish_time},
            "ema_price": {"price": price, "conf": conf, "expo": expo, "publish_time": publish_time},
            "metadata": {"slot": 1, "proof_available_time": publish_time, "prev_publish_time": publish_time - 1},
        }
        for asset, price, conf, expo, publish_time in prices
    ]
    return json.dumps({"binary": {"encoding": "hex", "data": ["00"]}, "parsed": parsed}).encode()
