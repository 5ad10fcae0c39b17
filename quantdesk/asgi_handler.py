"""Django's HTTP handler for this server: one hop to a pool of threads for a whole request."""

import asyncio
import contextvars
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from quantdesk.api.errors import too_large

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Body = tempfile.SpooledTemporaryFile[bytes]

THREADS = 8
BODY_IN_MEMORY_BYTES = 1 << 16


class BodyTooLarge(Exception):
    """The request's body is longer than DATA_UPLOAD_MAX_MEMORY_SIZE."""


class ThreadedHandler(ASGIHandler):
    """Serve each request by the synchronous stack, from middleware to close, in one pooled thread.

    Django's own ASGI handler starts and joins an executor for every request and hops to it for each synchronous part;
    without that, all synchronous code would share one thread. Here a thread serves one request after the other, as under
    WSGI, so its database connection is reused, and request_started and request_finished (which close old connections) run
    in the thread that holds it.
    """

    def __init__(self) -> None:
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="django")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        except BodyTooLarge:
            await self.send_response(too_large(scope["path"]), send)
            return
        loop = asyncio.get_running_loop()
        work = partial(self.respond, scope, body, _Streamer(loop, send))
        # A fresh context each time: nothing that a request sets is seen by the thread's next one.
        response = await loop.run_in_executor(self.threads, contextvars.copy_context().run, work)
        if response is not None:
            await self.send_response(response, send)

    async def read_body(self, receive: Receive) -> Body:
        body: Body = tempfile.SpooledTemporaryFile(max_size=BODY_IN_MEMORY_BYTES)  # noqa: SIM115 respond() closes it
        size = 0
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if message["type"] == "http.disconnect" or size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                body.close()
                raise RequestAborted if message["type"] == "http.disconnect" else BodyTooLarge
            body.write(message.get("body", b""))
            if not message.get("more_body", False):
                body.seek(0)
                return body

    def respond(self, scope: Scope, body: Body, stream: "_Streamer") -> HttpResponse | None:
        """Return the finished response, or None when it has been streamed. Runs in a thread."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response = cast(HttpResponseBase, self.get_response(request) if request is not None else refusal)
        try:
            if response.streaming:
                stream.run(self, cast(StreamingHttpResponse, response))
                return None
            return cast(HttpResponse, response)
        finally:
            response.close()
            body.close()


class _Streamer:
    """Lets a thread send a streaming response: each part waits until the loop has written the one before."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Send) -> None:
        self.loop = loop
        self.send = send

    def run(self, handler: ThreadedHandler, response: StreamingHttpResponse) -> None:
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
        headers += [(b"Set-Cookie", cookie.output(header="").strip().encode("ascii")) for cookie in response.cookies.values()]
        self._write({"type": "http.response.start", "status": response.status_code, "headers": headers})
        for part in response:
            self._write({"type": "http.response.body", "body": response.make_bytes(part), "more_body": True})
        self._write({"type": "http.response.body"})

    def _write(self, message: Message) -> None:
        asyncio.run_coroutine_threadsafe(cast(Any, self.send(message)), self.loop).result()
