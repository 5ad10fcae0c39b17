"""Pyth's prices as they stand on Solana, verified by its receiver program: no server of Pyth's needs to be trusted."""

from oracle.feeds.accounts import AccountsFeed
from oracle.feeds.feed import Price
from oracle.feeds.hermes.ids import FEED_IDS
from oracle.feeds.pyth_solana.account import SOURCE, address, price
from oracle.feeds.rpc import ChainAccount


def pyth_solana(*, url: str, shard: int = 0, feed_ids: dict[str, str] = FEED_IDS) -> AccountsFeed:
    addresses = {asset: address(feed_id, shard=shard) for asset, feed_id in feed_ids.items()}

    def read(asset: str, account: ChainAccount) -> Price:
        return price(account, asset=asset, feed_id=feed_ids[asset], at=addresses[asset])

    return AccountsFeed(name=SOURCE, url=url, addresses=addresses, read=read)
