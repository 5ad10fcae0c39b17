"""The accounts' order rates, charged without a round trip for each order."""

import asyncio
import time
from typing import NamedTuple

from accounts import limits
from accounts.limits import LimiterUnavailable, RateLimited, Taken
from markets.commands import MAX_BATCH

LEASE = 5 * MAX_BATCH
MAX_LEASES = 10_000


class Lease(NamedTuple):
    """Tokens taken from an account's shared bucket ahead of their use, and what the bucket said then."""

    tokens: int
    taken: Taken


class Rates:
    """Takes tokens from the shared buckets a handful at a time: REST and all processes still share one limit."""

    def __init__(self) -> None:
        self._leases: dict[str, Lease] = {}

    def take_leased(self, payer: str, cost: int) -> bool:
        """Spend from what is leased already; False when that does not suffice."""
        lease = self._leases.get(payer)
        if lease is None or lease.tokens < cost:
            return False
        self._leases[payer] = Lease(lease.tokens - cost, lease.taken)
        return True

    async def take(self, payer: str, cost: int) -> None:
        """Spend tokens; RateLimited when there are too few, LimiterUnavailable when nobody can count them."""
        if not cost or self.take_leased(payer, cost):
            return
        orders = limits.limit("orders")
        tokens = max(cost, min(LEASE, orders.capacity // 4))
        taken = await asyncio.to_thread(limits.buckets().take, orders, who=payer, cost=tokens)
        if not taken.allowed and tokens > cost:
            tokens = cost  # the bucket is nearly empty: from here on, by the order
            taken = await asyncio.to_thread(limits.buckets().take, orders, who=payer, cost=tokens)
        if not taken.allowed:
            raise RateLimited(taken)
        if len(self._leases) >= MAX_LEASES:
            self._leases.clear()
        self._leases[payer] = Lease(tokens - cost, taken)

    def headers(self, payer: str) -> list[tuple[bytes, bytes]]:
        """Return what the account was last told of its rate, as raw headers."""
        lease = self._leases.get(payer)
        if lease is None:
            return []
        return [
            (b"x-ratelimit-limit", b"%d" % lease.taken.limit),
            (b"x-ratelimit-remaining", b"%d" % (lease.taken.remaining + lease.tokens)),
            (b"x-ratelimit-reset", b"%d" % (time.time_ns() // 1_000_000 + lease.taken.reset_ms)),
        ]


async def charge_failure(address: str) -> None:
    """Charge a failed authentication to the network address: guessing is limited."""
    try:
        taken = await asyncio.to_thread(limits.buckets().take, limits.limit("address"), who=f"address:{address}")
    except LimiterUnavailable:
        return
    if not taken.allowed:
        raise RateLimited(taken)
