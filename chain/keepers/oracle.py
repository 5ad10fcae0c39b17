"""The oracle's job: Pyth's verified prices into the feeds, and the feeds' prices into the markets."""

from collections.abc import Iterable, Mapping, Sequence

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from chain.cranks import published_at
from chain.keepers.actions import Action
from chain.keepers.keeper import Keeper
from chain.keepers.prices import Feed, Market
from chain.keepers.sight import Sight
from oracle.feeds.pyth_solana.account import address

JOB = "oracle"
NO_PYTH_FEED = bytes(32)


def look(keeper: Keeper, sight: Sight) -> list[Action]:
    if sight.is_frozen:
        return []
    feeds = {market.feed.key: market.feed for market in sight.markets.values() if market.feed.pyth_feed_id != NO_PYTH_FEED}
    places = [Pubkey.from_string(address(feed.pyth_feed_id.hex(), shard=keeper.pyth_shard)) for feed in feeds.values()]
    found = sight.client.accounts(places, commitment="confirmed")
    updates = {
        feed: (place, published_at(bytes(account.data)))
        for feed, place, account in zip(feeds, places, found, strict=True)
        if account is not None
    }
    return due(keeper, list(sight.markets.values()), updates, now_s=sight.now_s)


def due(keeper: Keeper, markets: Sequence[Market], updates: Mapping[Pubkey, tuple[Pubkey, int]], *, now_s: int) -> list[Action]:
    """`updates`: by feed Pyth's account, and when its price was published."""
    feeds = {market.feed.key: market.feed for market in markets if market.feed.key in updates}
    newer = [feed for feed in feeds.values() if updates[feed.key][1] > feed.pyth_published_at and _is_fresh(feed, updates, now_s)]
    brought = [_update(keeper, feed, updates[feed.key][0], [one for one in markets if one.feed.key == feed.key]) for feed in newer]
    behind = [market for market in markets if market.feed not in newer and market.can_observe(now_s)]
    return [*brought, *(_observe(keeper, market) for market in behind)]


def _is_fresh(feed: Feed, updates: Mapping[Pubkey, tuple[Pubkey, int]], now_s: int) -> bool:
    return now_s - updates[feed.key][1] <= feed.max_age_s


def observations(keeper: Keeper, markets: Mapping[int, Market], market_ids: Iterable[int], *, now_s: int) -> list[Instruction]:
    """Return what brings the markets up to their feeds, to go before whatever is decided by their prices."""
    return [observe(keeper, markets[one]) for one in market_ids if one in markets and markets[one].can_observe(now_s)]


def observe(keeper: Keeper, market: Market) -> Instruction:
    return keeper.dex("observe_market", {"market": market.key, "feed": market.feed.key})


def _update(keeper: Keeper, feed: Feed, place: Pubkey, markets: Sequence[Market]) -> Action:
    """What the feed disputes afterwards, or a market that is not open yet, is not observed: the price is on record all the same."""
    brought = keeper.programs.oracle.instruction("update_from_pyth", {}, {"feed": feed.key, "price_update": place})
    instructions = [brought, *(observe(keeper, market) for market in markets)]
    title = f"Pyth's price for {', '.join(f'market {market.market_id}' for market in markets)}"
    return Action(job=JOB, title=title, instructions=instructions, otherwise=[brought], by_another=frozenset({"NotNewer"}))


def _observe(keeper: Keeper, market: Market) -> Action:
    return Action(job=JOB, title=f"price of market {market.market_id} observed", instructions=[observe(keeper, market)])
