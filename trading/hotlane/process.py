"""The hot lane's parts, one of each for a web process."""

import asyncio
from weakref import WeakKeyDictionary

from markets.gateway import async_gateway
from trading.hotlane.entry import OrderEntry
from trading.hotlane.markets import Markets

_entries: WeakKeyDictionary[asyncio.AbstractEventLoop, OrderEntry] = WeakKeyDictionary()


def order_entry() -> OrderEntry:
    """Return that of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _entries:
        gateway = async_gateway()
        _entries[loop] = OrderEntry(gateway, Markets(gateway))
    return _entries[loop]
