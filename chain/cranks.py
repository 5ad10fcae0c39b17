"""Turns the oracle's crank: prices that are fresh in the engine are never stale on chain, and what is stale there is not published."""

import time
from collections.abc import Sequence
from typing import Any

import structlog
from django.conf import settings
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from chain.building import build
from chain.client import ChainClient
from chain.deployment import Deployment
from chain.errors import SimulationFailed, TransactionTooLarge
from chain.idl import WrongAccount
from chain.prices import Quote, feed_address, observe, publish, quotes, update_from_pyth
from markets.views import MarketView
from oracle.feeds.hermes.ids import FEED_IDS
from oracle.feeds.pyth_solana.account import FIELDS, FULL, LEVEL_AT, address

MARKETS_A_TRANSACTION = 4  # two publishers' prices and the observation of so many fit into one
log = structlog.get_logger("cranks")


def turn_prices(*, deployment: Deployment, client: ChainClient, views: Sequence[MarketView]) -> int:
    """Send the prices that are newer than those on chain, and have the markets observe them; return of how many markets."""
    fresh = quotes(views, now_s=int(time.time()))
    feeds = read_feeds(deployment, client, [quote.market_id for quote in fresh])
    newer = [quote for quote in fresh if quote.market_id in feeds and _is_newer(deployment, quote, feeds[quote.market_id])]
    if not deployment.is_localnet:
        _follow_pyth(deployment, client, views, feeds)
    return sum(
        _send(deployment, client, newer[start : start + MARKETS_A_TRANSACTION]) for start in range(0, len(newer), MARKETS_A_TRANSACTION)
    )


def read_feeds(deployment: Deployment, client: ChainClient, market_ids: Sequence[int]) -> dict[int, Any]:
    """Return the feeds by market, without those that are not set up yet."""
    found = client.accounts([feed_address(deployment, market_id) for market_id in market_ids], commitment="confirmed")
    feeds: dict[int, Any] = {}
    for market_id, account in zip(market_ids, found, strict=True):
        try:
            feeds[market_id] = deployment.oracle.account("Feed", account)
        except WrongAccount:
            log.warning("feed_missing", market_id=market_id)
    return feeds


def _is_newer(deployment: Deployment, quote: Quote, feed: Any) -> bool:
    """Whether every publisher of this host may publish it: a source's prices only go forwards in time."""
    own = {key.pubkey() for key in deployment.keys.publishers}
    said = [observation for key, observation in zip(feed.parameters.publishers, feed.published, strict=False) if key in own]
    return all(quote.published_at > observation.published_at for observation in said)


def _send(deployment: Deployment, client: ChainClient, group: list[Quote]) -> int:
    """Send a group's prices in one transaction. If it would fail it is split: one market's trouble must not hold up the others."""
    published = [instruction for quote in group for instruction in publish(deployment, quote)]
    observed = [observe(deployment, quote.market_id) for quote in group]
    if _pass_on(deployment, client, [*published, *observed]):
        return len(group)
    if len(group) > 1:
        half = len(group) // 2
        return _send(deployment, client, group[:half]) + _send(deployment, client, group[half:])
    # A jump that the feed disputes: it is on record all the same, and ages into a price that is taken.
    return int(_pass_on(deployment, client, published))


def _follow_pyth(deployment: Deployment, client: ChainClient, views: Sequence[MarketView], feeds: dict[int, Any]) -> None:
    """Bring Pyth's own prices into the feeds, where they are newer than what the feeds have."""
    updates = {
        view.parameters.market_id: Pubkey.from_string(address(FEED_IDS[view.parameters.base_asset], shard=settings.PYTH_SOLANA_SHARD))
        for view in views
        if view.parameters.base_asset in FEED_IDS and view.parameters.market_id in feeds
    }
    accounts = client.accounts(list(updates.values()), commitment="confirmed")
    for (market_id, key), account in zip(updates.items(), accounts, strict=True):
        if account is not None and published_at(bytes(account.data)) > feeds[market_id].pyth.published_at:
            _pass_on(deployment, client, [update_from_pyth(deployment, market_id, key)])


def published_at(data: bytes) -> int:
    """Return when Pyth published a fully verified price; 0 for anything else. The program checks the account in full."""
    if len(data) < LEVEL_AT + FIELDS.size or data[LEVEL_AT] != FULL:
        return 0
    return int(FIELDS.unpack_from(data, LEVEL_AT)[5])


def _pass_on(deployment: Deployment, client: ChainClient, instructions: list[Instruction]) -> bool:
    payer, *others = deployment.keys.publishers
    signers = tuple(key for key in others if any(key.pubkey() == meta.pubkey for one in instructions for meta in one.accounts))
    try:
        signed = build(client=client, payer=payer, instructions=instructions, signers=signers)
    except (SimulationFailed, TransactionTooLarge) as failure:
        log.warning("prices_refused", error=failure.message)
        return False
    client.send(signed.transaction)
    return True
