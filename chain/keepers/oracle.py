"""The oracle's job: Pyth's verified prices into the feeds, and the feeds' prices into the markets."""

from collections.abc import Iterable, Mapping

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from chain.cranks import published_at
from chain.keepers.actions import Action
from chain.keepers.keeper import Keeper
from chain.keepers.prices import Market
from chain.keepers.sight import Sight
from oracle.feeds.pyth_solana.account import address

JOB = "oracle"
NO_PYTH_FEED = bytes(32)


def look(keeper: Keeper, sight: Sight) -> list[Action]:
    if sight.is_frozen:
        return []
    places = {
        market_id: Pubkey.from_string(address(market.feed.pyth_feed_id.hex(), shard=keeper.pyth_shard))
        for market_id, market in sight.markets.items()
        if market.feed.pyth_feed_id != NO_PYTH_FEED
    }
    found = sight.client.accounts(list(places.values()), commitment="confirmed")
    updates = {
        market_id: (key, published_at(bytes(account.data)))
        for (market_id, key), account in zip(places.items(), found, strict=True)
        if account is not None
    }
    return due(keeper, sight.markets, updates, now_s=sight.now_s)


def due(keeper: Keeper, markets: Mapping[int, Market], updates: Mapping[int, tuple[Pubkey, int]], *, now_s: int) -> list[Action]:
    """`updates`: Pyth's account for a market, and when its price was published."""
    newer = {
        market_id: key
        for market_id, (key, at) in updates.items()
        if at > markets[market_id].feed.pyth_published_at and now_s - at <= markets[market_id].feed.max_age_s
    }
    brought = [_update(keeper, markets[market_id], key) for market_id, key in newer.items()]
    behind = [market for market in markets.values() if market.market_id not in newer and market.can_observe(now_s)]
    return [*brought, *(_observe(keeper, market) for market in behind)]


def observations(keeper: Keeper, markets: Mapping[int, Market], market_ids: Iterable[int], *, now_s: int) -> list[Instruction]:
    """Return what brings the markets up to their feeds, to go before whatever is decided by their prices."""
    return [observe(keeper, markets[one]) for one in market_ids if one in markets and markets[one].can_observe(now_s)]


def observe(keeper: Keeper, market: Market) -> Instruction:
    return keeper.dex("observe_market", {"market": market.key, "feed": market.feed.key})


def _update(keeper: Keeper, market: Market, key: Pubkey) -> Action:
    """What the feed disputes afterwards, or a market that is not open yet, is not observed: the price is on record all the same."""
    brought = keeper.programs.oracle.instruction("update_from_pyth", {}, {"feed": market.feed.key, "price_update": key})
    instructions = [brought, observe(keeper, market)]
    title = f"Pyth's price of market {market.market_id}"
    return Action(job=JOB, title=title, instructions=instructions, otherwise=[brought], by_another=frozenset({"NotNewer"}))


def _observe(keeper: Keeper, market: Market) -> Action:
    return Action(job=JOB, title=f"price of market {market.market_id} observed", instructions=[observe(keeper, market)])
