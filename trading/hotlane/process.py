"""The hot lane's parts, one of each for a web process."""

import asyncio
from typing import NamedTuple
from weakref import WeakKeyDictionary

from markets.gateway import async_gateway
from trading.hotlane.entry import OrderEntry
from trading.hotlane.markets import Markets
from trading.hotlane.rates import Rates


class Parts(NamedTuple):
    entry: OrderEntry
    rates: Rates


_parts: WeakKeyDictionary[asyncio.AbstractEventLoop, Parts] = WeakKeyDictionary()


def parts() -> Parts:
    """Return those of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _parts:
        gateway = async_gateway()
        _parts[loop] = Parts(OrderEntry(gateway, Markets(gateway)), Rates())
    return _parts[loop]
