"""What is known of auctions: those on chain, the bids in them, how much of their orders is filled, and the orders themselves."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from chain.keepers.accounts import User
from chain.keepers.keeper import Keeper
from chain.keepers.orders import KnownOrder, by_hash, orders_of
from chain.keepers.sight import Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """`keys`: the trading keys of the bids, by their addresses."""

    auctions: Mapping[Pubkey, Any]
    bids: Mapping[Pubkey, Any]
    filled_lots: Mapping[bytes, int]
    users: Mapping[Pubkey, User]
    keys: Mapping[Pubkey, Any]
    orders: Mapping[bytes, KnownOrder]

    def left_lots(self, bid: Any) -> int:
        """Return how much can still be filled of both orders together."""
        auction = self.auctions[bid.auction]
        taken = auction.order_lots - self.filled_lots.get(bytes(auction.order), 0)
        made = bid.order_lots - self.filled_lots.get(bytes(bid.order), 0)
        return int(min(taken, made, bid.size_lots))

    def left_of(self, known: KnownOrder) -> int:
        return known.order.size_lots - self.filled_lots.get(known.hash, 0)


def read_hall(keeper: Keeper, sight: Sight, *, taken: Sequence[KnownOrder], made: Sequence[KnownOrder]) -> Hall:
    programs = keeper.programs
    bids = dict(sight.all("jit", "Bid"))
    # Auctions stay for ever: who does not answer any looks at those that concern him alone.
    wanted = [*{bid.auction for bid in bids.values()}, *(programs.auction(one.hash) for one in taken)]
    auctions = dict(sight.all("jit", "Auction")) if made else sight.some("jit", "Auction", wanted)
    users = sight.users_at(_concerned(keeper, [*bids.values(), *auctions.values()], [*taken, *made]))
    keys = sight.some("perp_dex", "TradingKey", [programs.trading_key(bid.user, bytes(bid.key)) for bid in bids.values()])
    hashes = {bytes(one.order) for one in [*auctions.values(), *bids.values()]} | {one.hash for one in [*taken, *made]}
    fills = sight.some("perp_dex", "OrderFills", [programs.fills(one) for one in hashes])
    # Behind one address there may be several nodes, one of which knows less than another: what it does not know waits.
    whole = {key: bid for key, bid in bids.items() if bid.auction in auctions and {bid.user, auctions[bid.auction].user} <= users.keys()}
    return Hall(
        auctions=auctions,
        bids={key: bid for key, bid in whole.items() if programs.trading_key(bid.user, bytes(bid.key)) in keys},
        filled_lots={bytes(one.order): max((span.to_lots for span in one.spans), default=0) for one in fills.values()},
        users=users,
        keys=keys,
        orders=by_hash([*taken, *made, *(_carried(sight, auctions, whole.values()) if sight.is_fallback else ())]),
    )


def _concerned(keeper: Keeper, bids_and_auctions: Iterable[Any], orders: Iterable[KnownOrder]) -> list[Pubkey]:
    """Return each account of which something must be known, once."""
    owners = (keeper.programs.user(one.owner, one.order.sub_account) for one in orders)
    return list(dict.fromkeys([*(one.user for one in bids_and_auctions), *owners]))


def _carried(sight: Sight, auctions: Mapping[Pubkey, Any], bids: Iterable[Any]) -> Iterator[KnownOrder]:
    """Return the orders of the auctions that wait to be settled, from the transactions that brought them."""
    for key in {bid.auction for bid in bids}:
        if not is_running(auctions[key], sight.slot):
            yield from orders_of(sight.client, key)


def is_running(auction: Any, slot: int) -> bool:
    """Whether it still takes bids: they do not cover the size, and its time is not up."""
    return bool(auction.covered_slot == 0 and slot <= auction.begun_slot + auction.slots)


def binds(auction: Any, slot: int) -> bool:
    last = auction.covered_slot or auction.begun_slot + auction.slots
    return bool(slot <= last + auction.settle_slots)
