"""CoinGecko's prices, from a local server that speaks its HTTP."""

import pytest

from oracle.feeds.coingecko.coingecko import PATH, CoinGecko
from oracle.feeds.feed import FeedError, FeedLimited, FeedMalformed, FeedRefused, FeedUnreachable, Price
from tests.support.providers import Answer, provider

NOW = 1_795_435_200


async def test_it_reads_prices_without_a_float_on_the_way() -> None:
    body = (
        b'{"bitcoin":{"usd":65123.123456785,"last_updated_at":%d},"dogecoin":{"usd":0.1,"last_updated_at":%d},'
        b'"ripple":{"usd":2,"last_updated_at":%d}}' % (NOW, NOW, NOW)
    )
    async with provider() as server:
        server.on(PATH, Answer(body=body))
        feed = CoinGecko(url=server.url, api_key="a-key")
        prices = {price.asset: price for price in await feed.poll()}
        await feed.close()
        assert prices["BTC"] == Price("BTC", "coingecko", 6_512_312_345_679, 6_512_312_345, NOW * 1000)
        assert prices["DOGE"].price_e8 == 10_000_000
        assert prices["XRP"].price_e8 == 200_000_000
        assert set(prices) == {"BTC", "DOGE", "XRP"}
        assert server.requests[0].headers["x-cg-demo-api-key"] == "a-key"
        assert dict(server.requests[0].query)["include_last_updated_at"] == "true"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(401), FeedRefused),
        (Answer(429), FeedLimited),
        (Answer(503), FeedUnreachable),
        (Answer(body=b"[]"), FeedMalformed),
        (Answer(body=b'{"bitcoin":'), FeedMalformed),
    ],
)
async def test_it_names_what_went_wrong(answer: Answer, error: type[FeedError]) -> None:
    async with provider() as server:
        server.on(PATH, answer)
        feed = CoinGecko(url=server.url)
        with pytest.raises(error):
            await feed.poll()
        await feed.close()


@pytest.mark.parametrize(
    "fields",
    [
        b"null",
        b"{}",
        b'{"usd":5}',
        b'{"usd":"5","last_updated_at":1}',
        b'{"usd":NaN,"last_updated_at":1}',
        b'{"usd":1e400,"last_updated_at":1}',
        b'{"usd":5,"last_updated_at":0}',
        b'{"usd":5,"last_updated_at":Infinity}',
    ],
)
async def test_it_drops_a_malformed_price_and_keeps_the_others(fields: bytes) -> None:
    async with provider() as server:
        server.on(PATH, Answer(body=b'{"bitcoin":%s,"solana":{"usd":185.5,"last_updated_at":%d}}' % (fields, NOW)))
        feed = CoinGecko(url=server.url)
        assert [(price.asset, price.price_e8) for price in await feed.poll()] == [("SOL", 18_550_000_000)]
        await feed.close()
