"""Prices of the Pyth network, from a Hermes server."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

import structlog

from oracle.feeds import http
from oracle.feeds.feed import FeedError, Price
from oracle.feeds.health import Health, HealthRecord
from oracle.feeds.hermes import messages
from oracle.feeds.hermes.ids import FEED_IDS
from oracle.feeds.polled import retry_seconds

log = structlog.get_logger()

LATEST, STREAM, FEEDS = "/v2/updates/price/latest", "/v2/updates/price/stream", "/v2/price_feeds"


class Hermes:
    """Streams while it can, and asks once whenever the stream has to be opened again."""

    name = "hermes"

    def __init__(self, *, url: str, api_key: str = "", feed_ids: dict[str, str] = FEED_IDS) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = http.client(base_url=url, headers=headers)
        self._feed_ids = feed_ids
        self._assets: dict[str, str] = {}  # by feed id, once Hermes has confirmed them
        self._health = Health(self.name)

    async def poll(self) -> list[Price]:
        self._health.asked()
        try:
            await self._confirm()
            prices = self._prices(await http.body(self._http, LATEST, self._params()))
        except FeedError as error:
            self._health.failed(error)
            raise
        self._health.answered()
        return prices

    async def stream(self) -> AsyncGenerator[list[Price], None]:
        attempt = 0
        while True:
            try:
                yield await self.poll()
                async with aclosing(self._events()) as events:
                    async for prices in events:
                        attempt = 0
                        yield prices
                log.info("hermes_stream_ended")
            except FeedError as error:
                self._health.failed(error)
                log.warning("hermes_failed", code=error.code, data=error.data)
                wait = retry_seconds(error)
            else:
                wait = 0.0
            attempt += 1
            await asyncio.sleep(max(wait, http.delay_seconds(attempt)))

    async def close(self) -> None:
        await self._http.aclose()

    def health(self) -> list[HealthRecord]:
        return [self._health.record()]

    async def _events(self) -> AsyncGenerator[list[Price], None]:
        """Yield what one stream brings, until it ends or is silent for longer than the read timeout."""
        async with http.opened(self._http, STREAM, self._params()) as response:
            self._health.asked()
            async with aclosing(http.lines(response)) as lines:
                async for line in lines:
                    if line.startswith(b"data:"):
                        prices = self._prices(line.removeprefix(b"data:"))
                        self._health.answered()
                        yield prices
                        self._health.asked()

    async def _confirm(self) -> None:
        """Keep the ids that Hermes lists as the asset that we take them for, against USD."""
        if self._assets:
            return
        listed = messages.listed(await http.body(self._http, FEEDS, [("asset_type", "crypto")]))
        for asset, feed_id in self._feed_ids.items():
            attributes = listed.get(feed_id)
            if attributes is not None and (attributes.base, attributes.quote_currency) == (asset, "USD"):
                self._assets[feed_id] = asset
            else:
                log.error("hermes_feed_unknown", asset=asset, feed_id=feed_id)

    def _params(self) -> list[tuple[str, str]]:
        ids: Iterable[tuple[str, str]] = (("ids[]", feed_id) for feed_id in self._assets)
        return [*ids, ("parsed", "true"), ("ignore_invalid_price_ids", "true")]

    def _prices(self, data: bytes | str) -> list[Price]:
        """Convert each price by itself: one that is malformed does not cost the others."""
        prices = []
        for parsed in messages.updates(data):
            try:
                price = messages.price(parsed, self._assets)
                self._health.accept(price.asset)
                prices.append(price)
            except FeedError as error:
                self._health.refuse(self._assets.get(messages.bare(parsed.id), "?"), error)
                log.warning("hermes_price_refused", data=error.data)
        return prices
