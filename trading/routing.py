"""Sockets and the hot lane, by path."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path, re_path

from trading.consumers import handshake
from trading.consumers.outbox import Send
from trading.consumers.socket import Receive


def _routes(application: Any) -> URLRouter:
    nowhere: Any = handshake.not_found
    return URLRouter([path("ws/v1/", application), re_path("", nowhere)])


# A browser always names its page's origin: that must be ours, and then its session cookie counts. A program names none;
# its cookies are not looked at, and it authenticates on the socket.
_browsers = AllowedHostsOriginValidator(AuthMiddlewareStack(_routes(handshake.from_browser)))
_programs = _routes(handshake.from_program)


async def websocket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    has_origin = any(name == b"origin" for name, _ in scope["headers"])
    await (_browsers if has_origin else _programs)(scope, receive, send)
