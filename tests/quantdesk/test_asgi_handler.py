"""Django's HTTP on this server: threads, connections, streams, bodies."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import signals
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from quantdesk.asgi_handler import THREADS, ThreadedHandler

Json = dict[str, Any]
barrier = threading.Barrier(THREADS)


def thread_view(request: HttpRequest) -> HttpResponse:
    """Answer with the thread's number once all of the pool's threads are here."""
    barrier.wait(timeout=20)
    return HttpResponse(str(threading.get_ident()))


def echo_view(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(request.body + request.META["QUERY_STRING"].encode())
    response.set_cookie("seen", "yes")
    return response


def stream_view(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"one", b"two", b"three"]), content_type="text/plain")


def broken_view(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a bug")


urlpatterns = [path("thread/", thread_view), path("echo/", echo_view), path("stream/", stream_view), path("broken/", broken_view)]


class Connection:
    """One HTTP exchange, as a server hands it over."""

    def __init__(self, where: str, *bodies: bytes, query: str = "") -> None:
        self.scope = {
            "type": "http",
            "method": "POST" if bodies else "GET",
            "path": where,
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        parts = bodies or (b"",)
        self._messages = [{"type": "http.request", "body": part, "more_body": number < len(parts) - 1} for number, part in enumerate(parts)]
        self.sent: list[Json] = []

    async def receive(self) -> Json:
        return self._messages.pop(0) if self._messages else {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


@pytest.fixture
def handler(settings: Any) -> Iterator[ThreadedHandler]:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    handler = ThreadedHandler()
    yield handler
    handler.threads.shutdown()


async def test_it_serves_requests_beside_each_other_each_in_one_thread(handler: ThreadedHandler) -> None:
    connections = [Connection("/thread/") for _ in range(THREADS)]
    async with asyncio.timeout(20):
        await asyncio.gather(*(handler(c.scope, c.receive, c.send) for c in connections))
    assert {c.status for c in connections} == {200}
    assert len({c.body for c in connections}) == THREADS


async def test_it_starts_and_finishes_a_request_in_the_thread_that_holds_its_connection(handler: ThreadedHandler) -> None:
    seen: list[tuple[str, int]] = []

    def started(**_: Any) -> None:
        seen.append(("started", threading.get_ident()))

    def finished(**_: Any) -> None:
        seen.append(("finished", threading.get_ident()))

    signals.request_started.connect(started)
    signals.request_finished.connect(finished)
    exchange = Connection("/echo/", b"x")
    await handler(exchange.scope, exchange.receive, exchange.send)
    signals.request_started.disconnect(started)
    signals.request_finished.disconnect(finished)
    assert [what for what, _ in seen] == ["started", "finished"]
    assert len({thread for _, thread in seen}) == 1
    assert seen[0][1] != threading.get_ident()


async def test_it_hands_over_bodies_queries_and_cookies(handler: ThreadedHandler) -> None:
    exchange = Connection("/echo/", b"first ", b"second ", query="a=1")
    await handler(exchange.scope, exchange.receive, exchange.send)
    assert (exchange.status, exchange.body) == (200, b"first second a=1")
    assert [value for name, value in exchange.sent[0]["headers"] if name == b"Set-Cookie"] == [b"seen=yes; Path=/"]


async def test_it_streams(handler: ThreadedHandler) -> None:
    exchange = Connection("/stream/")
    await handler(exchange.scope, exchange.receive, exchange.send)
    assert exchange.status == 200
    assert [message["body"] for message in exchange.sent[1:-1]] == [b"one", b"two", b"three"]
    assert exchange.sent[-1] == {"type": "http.response.body"}


async def test_it_answers_500_for_a_bug_and_413_for_a_body_that_is_too_large(handler: ThreadedHandler, settings: Any) -> None:
    exchange = Connection("/broken/")
    await handler(exchange.scope, exchange.receive, exchange.send)
    assert exchange.status == 500
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    exchange = Connection("/echo/", b"12345", b"678901", b"2")
    await handler(exchange.scope, exchange.receive, exchange.send)
    assert exchange.status == 413


async def test_it_answers_nobody_who_has_left(handler: ThreadedHandler) -> None:
    exchange = Connection("/echo/", b"half")
    exchange._messages[0]["more_body"] = True
    await handler(exchange.scope, exchange.receive, exchange.send)
    assert exchange.sent == []
