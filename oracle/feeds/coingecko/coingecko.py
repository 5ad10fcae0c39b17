"""Prices of CoinGecko, an aggregate of spot exchanges that is some tens of seconds old: a second source, or a fallback."""

import json
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import structlog

from markets.units import PPM
from oracle.feeds import http, scale
from oracle.feeds.feed import FeedError, FeedMalformed, Price
from oracle.feeds.health import Health, HealthRecord
from oracle.feeds.polled import polled

log = structlog.get_logger()

SOURCE = "coingecko"
PATH = "/api/v3/simple/price"
POLL_SECONDS = 20.0
CONFIDENCE_PPM = 1_000  # it states none; an aggregate of that age is no better than this
MAX_UPDATED_SECONDS = 1 << 40
COIN_IDS = {
    "BTC": "bitcoin",
    "ETH": "ethereum",
    "SOL": "solana",
    "AVAX": "avalanche-2",
    "LINK": "chainlink",
    "DOGE": "dogecoin",
    "XRP": "ripple",
    "SUI": "sui",
    "USDT": "tether",
}


class CoinGecko:
    name = "coingecko"

    def __init__(self, *, url: str, api_key: str = "", coin_ids: dict[str, str] = COIN_IDS) -> None:
        # A paid key belongs to a host of its own, and to another header.
        header = "x-cg-pro-api-key" if "pro-api." in url else "x-cg-demo-api-key"
        self._http = http.client(base_url=url, headers={header: api_key} if api_key else {})
        self._coin_ids = coin_ids
        self._health = Health(self.name)

    async def poll(self) -> list[Price]:
        self._health.asked()
        try:
            prices = self._prices(_decode(await http.body(self._http, PATH, self._params())))
        except FeedError as error:
            self._health.failed(error)
            raise
        self._health.answered()
        return prices

    def stream(self) -> AsyncGenerator[list[Price], None]:
        return polled(self, every_seconds=POLL_SECONDS)

    def health(self) -> list[HealthRecord]:
        return [self._health.record()]

    def _prices(self, answer: dict[str, Any]) -> list[Price]:
        """Convert each price by itself: one that is malformed does not cost the others."""
        prices = []
        for asset, coin_id in self._coin_ids.items():
            try:
                prices.append(_price(asset, answer.get(coin_id)))
                self._health.accept(asset)
            except FeedError as error:
                self._health.refuse(asset, error)
                log.warning("coingecko_price_refused", asset=asset, data=error.data)
        return prices

    async def close(self) -> None:
        await self._http.aclose()

    def _params(self) -> list[tuple[str, str]]:
        ids = ",".join(self._coin_ids.values())
        return [("ids", ids), ("vs_currencies", "usd"), ("include_last_updated_at", "true"), ("precision", "full")]


def _decode(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data, parse_float=Decimal, parse_int=Decimal, parse_constant=Decimal)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise FeedMalformed(reason=str(error)) from error
    if not isinstance(answer, dict):
        raise FeedMalformed(reason="not an object")
    return answer


def _price(asset: str, fields: Any) -> Price:
    usd, updated = (fields.get("usd"), fields.get("last_updated_at")) if isinstance(fields, dict) else (None, None)
    if not isinstance(usd, Decimal) or not isinstance(updated, Decimal) or not updated.is_finite() or not 0 < updated < MAX_UPDATED_SECONDS:
        raise FeedMalformed(reason="fields", usd=str(usd)[:40], last_updated_at=str(updated)[:40])
    price_e8 = scale.decimal_e8(usd)
    confidence_e8 = abs(price_e8) * CONFIDENCE_PPM // PPM
    return Price(asset=asset, source=SOURCE, price_e8=price_e8, confidence_e8=confidence_e8, published_ms=int(updated) * 1000)
