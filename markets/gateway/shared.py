"""The gateways of this process, from settings.ENGINE_URL."""

import asyncio
import functools
from weakref import WeakKeyDictionary

from django.conf import settings

from markets import wire
from markets.gateway.blocking import Gateway
from markets.gateway.pipelined import AsyncGateway

_async_gateways: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncGateway] = WeakKeyDictionary()


@functools.cache
def _gateway(url: str) -> Gateway:
    return Gateway(url=url, token=wire.token(settings.SECRET_KEY))


def gateway() -> Gateway:
    return _gateway(settings.ENGINE_URL)


def async_gateway() -> AsyncGateway:
    """Return the gateway of the running loop; it connects by itself."""
    loop = asyncio.get_running_loop()
    if loop not in _async_gateways:
        _async_gateways[loop] = AsyncGateway(url=settings.ENGINE_URL, token=wire.token(settings.SECRET_KEY))
    return _async_gateways[loop]
