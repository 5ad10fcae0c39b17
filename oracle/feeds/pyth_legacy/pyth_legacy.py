"""The option to watch Pyth's first layout beside the other sources."""

from oracle.feeds.accounts import AccountsFeed
from oracle.feeds.feed import Price
from oracle.feeds.pyth_legacy.account import ADDRESSES, SOURCE, price
from oracle.feeds.rpc import ChainAccount


def pyth_legacy(*, url: str) -> AccountsFeed:
    def read(asset: str, account: ChainAccount) -> Price:
        return price(account, asset=asset)

    return AccountsFeed(name=SOURCE, url=url, addresses=ADDRESSES, read=read)
