"""The engine's index prices as the oracle program takes them: what is fresh, and the instructions that bring it on chain."""

from collections.abc import Iterable
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from chain.deployment import Deployment
from markets.views import MarketView
from oracle.actions import allows
from oracle.sources import REPLAYED, SIMULATED

MAX_AGE_S = 60  # the feeds' own limit: an older price is stale there
MAX_CONFIDENCE_PPM = 20_000
PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One market's index, with the time of its newest source that counts."""

    market_id: int
    price_e8: int
    confidence_e8: int
    published_at: int


def quotes(views: Iterable[MarketView], *, now_s: int) -> list[Quote]:
    """Return the prices that may be published: never one that the engine itself would not settle at."""
    found = [_quote(view) for view in views]
    return [quote for quote in found if quote is not None and 0 <= now_s - quote.published_at < MAX_AGE_S and _is_sure(quote)]


def _quote(view: MarketView) -> Quote | None:
    index = view.index
    if index is None or index.price_e8 <= 0 or not allows(index.state, "settle"):  # type: ignore[arg-type]  # a view's state is a text
        return None
    counted = [reading.published_ms for reading in index.readings if reading.verdict == "counted"]
    if not counted:
        return None
    return Quote(
        market_id=view.parameters.market_id,
        price_e8=index.price_e8,
        confidence_e8=index.confidence_e8,
        published_at=max(counted) // 1_000,
    )


def _is_sure(quote: Quote) -> bool:
    return quote.confidence_e8 * PPM <= quote.price_e8 * MAX_CONFIDENCE_PPM


def origin(views: Iterable[MarketView]) -> str:
    """Return where the prices come from: live, replayed or simulated, whichever is least real."""
    sources = {reading.source for view in views if view.index for reading in view.index.readings if reading.verdict == "counted"}
    if sources & SIMULATED:
        return "simulated"
    return "replayed" if sources & REPLAYED else "live"


def feed_address(deployment: Deployment, market_id: int) -> Pubkey:
    return deployment.oracle.pda(b"feed", market_id.to_bytes(4, "little"))


def market_address(deployment: Deployment, market_id: int) -> Pubkey:
    return deployment.dex.program.pda(b"market", market_id.to_bytes(4, "little"))


def publish(deployment: Deployment, quote: Quote) -> list[Instruction]:
    """Return one instruction for each publisher: the feed takes a price from all of its quorum, or not at all."""
    arguments = {"price_e8": quote.price_e8, "confidence_e8": quote.confidence_e8, "published_at": quote.published_at}
    feed = feed_address(deployment, quote.market_id)
    return [
        deployment.oracle.instruction("publish", arguments, {"publisher": key.pubkey(), "feed": feed}) for key in deployment.keys.publishers
    ]


def update_from_pyth(deployment: Deployment, market_id: int, price_update: Pubkey) -> Instruction:
    """Return what brings Pyth's own verified price into the feed; anyone may send it."""
    accounts = {"feed": feed_address(deployment, market_id), "price_update": price_update}
    return deployment.oracle.instruction("update_from_pyth", {}, accounts)


def observe(deployment: Deployment, market_id: int) -> Instruction:
    accounts = {
        "exchange": deployment.dex.exchange,
        "market": market_address(deployment, market_id),
        "feed": feed_address(deployment, market_id),
    }
    return deployment.dex.program.instruction("observe_market", {}, accounts)
