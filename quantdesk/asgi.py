"""One ASGI application: the hot lane and sockets first, Django for the rest."""

import gc
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "quantdesk.settings")


def build() -> Any:
    django.setup(set_prefix=False)
    from channels.routing import ProtocolTypeRouter

    from quantdesk.asgi_handler import ThreadedHandler
    from trading.hotlane.application import PREFIX, hot_lane
    from trading.routing import websocket

    pages = ThreadedHandler()

    async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await (hot_lane if scope["path"].startswith(PREFIX) else pages)(scope, receive, send)

    return ProtocolTypeRouter({"http": http, "websocket": websocket})


application = build()
# What was imported lives as long as the process, so no collection need walk it; orders make much that dies young.
gc.freeze()
gc.set_threshold(50_000, 20, 20)
