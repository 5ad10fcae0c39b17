"""Prices that are read from accounts of a Solana cluster, whatever their layout."""

from collections.abc import AsyncGenerator, Callable

import structlog

from oracle.feeds import http, rpc
from oracle.feeds.feed import FeedError, FeedMalformed, Price
from oracle.feeds.health import Health, HealthRecord
from oracle.feeds.polled import polled
from oracle.feeds.rpc import ChainAccount

log = structlog.get_logger()

POLL_SECONDS = 2.0


class AccountsFeed:
    """Asks for all accounts at once; `read` makes a price of an asset's account, or raises FeedMalformed."""

    def __init__(self, *, name: str, url: str, addresses: dict[str, str], read: Callable[[str, ChainAccount], Price]) -> None:
        self.name = name
        self._http = http.client(base_url=url, headers={})
        self._addresses = addresses
        self._read = read
        self._health = Health(name)

    async def poll(self) -> list[Price]:
        self._health.asked()
        try:
            found = await rpc.accounts(self._http, list(self._addresses.values()))
        except FeedError as error:
            self._health.failed(error)
            raise
        prices = self._prices(found)
        self._health.answered()
        return prices

    def stream(self) -> AsyncGenerator[list[Price], None]:
        return polled(self, every_seconds=POLL_SECONDS)

    async def close(self) -> None:
        await self._http.aclose()

    def health(self) -> list[HealthRecord]:
        return [self._health.record()]

    def _prices(self, found: list[ChainAccount | None]) -> list[Price]:
        """Read each account by itself: one that is wrong does not cost the others."""
        prices = []
        for asset, account in zip(self._addresses, found, strict=True):
            try:
                if account is None:
                    raise FeedMalformed(reason="no account")
                prices.append(self._read(asset, account))
                self._health.accept(asset)
            except FeedError as error:
                self._health.refuse(asset, error)
                log.warning("oracle_account_refused", feed=self.name, asset=asset, data=error.data)
        return prices
