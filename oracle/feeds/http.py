"""HTTP as the providers' clients need it: every failure becomes a FeedError that says what to do."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from oracle.feeds.feed import FeedLimited, FeedMalformed, FeedRefused, FeedUnreachable

TIMEOUT = httpx.Timeout(10.0, connect=3.0)
ANSWER_SECONDS = 10.0  # for a whole answer, or one message of a stream, however slowly its bytes come
FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 30.0
LIMITED_SECONDS = 60.0
MAX_LIMITED_SECONDS = 600.0
MAX_ANSWER_BYTES = 4 << 20


def client(*, base_url: str, headers: dict[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base_url, headers=headers, timeout=TIMEOUT)


@asynccontextmanager
async def opened(
    http: httpx.AsyncClient, path: str, params: list[tuple[str, str]], *, method: str = "GET", json: Any = None
) -> AsyncIterator[httpx.Response]:
    """Open a good answer for reading; what goes wrong while it is read is translated too."""
    try:
        async with http.stream(method, path, params=httpx.QueryParams(tuple(params)), json=json) as response:
            _check(response)
            yield response
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise FeedUnreachable(reason=f"{type(error).__name__} {error}".strip()) from error


async def body(http: httpx.AsyncClient, path: str, params: list[tuple[str, str]], *, method: str = "GET", json: Any = None) -> bytes:
    """Return a whole answer of bounded length that comes within bounded time."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS), opened(http, path, params, method=method, json=json) as response:
            received = bytearray()
            async for part in response.aiter_bytes():
                received += part
                if len(received) > MAX_ANSWER_BYTES:
                    raise FeedMalformed("The answer is too long.", reason="too long")
            return bytes(received)
    except TimeoutError as error:
        raise FeedUnreachable(reason="too slow") from error


async def lines(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield an answer's lines as they come, each of bounded length and within bounded time."""
    rest = bytearray()
    parts = aiter(response.aiter_bytes())
    deadline = _deadline()
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                part = await anext(parts, b"")
        except TimeoutError as error:
            raise FeedUnreachable(reason="silent") from error
        if not part:
            return
        rest += part
        if b"\n" in part:
            *whole, last = bytes(rest).split(b"\n")
            rest = bytearray(last)
            for line in whole:
                yield line.rstrip(b"\r")
            deadline = _deadline()
        if len(rest) > MAX_ANSWER_BYTES:
            raise FeedMalformed("The message is too long.", reason="too long")


def delay_seconds(attempt: int) -> float:
    """Return how long to wait before attempt 1, 2, …: doubling, and scattered so that clients do not return together."""
    return float(min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(attempt - 1, 10)) * random.uniform(0.7, 1.3))  # noqa: S311


def _deadline() -> float:
    return asyncio.get_running_loop().time() + ANSWER_SECONDS


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if status in {401, 403}:
        raise FeedRefused(status=status)
    if status == 429:
        raise FeedLimited(retry_seconds=_retry_after(response), status=status)
    if status != 200:
        raise FeedUnreachable(status=status)


def _retry_after(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return min(float(text), MAX_LIMITED_SECONDS) if text.isascii() and text.isdigit() else LIMITED_SECONDS
