"""Bids of auctions that are over: settled, shown to be broken, or their bonds given back."""

from collections.abc import Iterable
from typing import Any

import structlog
from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from chain.keepers.actions import Action
from chain.keepers.hall import Hall, binds, is_running
from chain.keepers.health import least_free
from chain.keepers.keeper import Keeper
from chain.keepers.orders import verification
from chain.keepers.sight import Sight

JOB = "auctions"
SYSTEM = Pubkey.default()
INSTRUCTIONS = Pubkey.from_string("Sysvar1nstructions1111111111111111111111111")
MOVED_ON = frozenset({"NotBest", "Overfilled"})
log = structlog.get_logger("keeper")


def due(keeper: Keeper, sight: Sight, hall: Hall) -> list[Action]:
    """Return what is due of each bid; an auction's best comes first, and the next when it is gone."""
    found = [_of_bid(keeper, sight, hall, key, bid) for key, bid in hall.bids.items()]
    return [action for action in found if action is not None]


def _of_bid(keeper: Keeper, sight: Sight, hall: Hall, key: Pubkey, bid: Any) -> Action | None:
    auction = hall.auctions[bid.auction]
    if not sight.is_fallback or not binds(auction, sight.slot) or hall.left_lots(bid) <= 0:
        return _release(keeper, key, bid, auction)
    if is_running(auction, sight.slot) or not auction.offers or auction.offers[0].user != bid.user:
        return None
    if is_at_fault(keeper, sight, hall, bid):
        return _default(keeper, sight, hall, key, bid)
    return _settle(keeper, sight, hall, key, bid)


def is_at_fault(keeper: Keeper, sight: Sight, hall: Hall, bid: Any) -> bool:
    """Whether the maker took the key, the nonce or the margin away that his bid needs."""
    maker, auction = hall.users[bid.user], hall.auctions[bid.auction]
    key = hall.keys[keeper.programs.trading_key(bid.user, bytes(bid.key))]
    if key.revoked_ms or maker.min_nonce > bid.nonce:
        return True
    market = sight.observed[auction.market_id]
    lots = hall.left_lots(bid) * (-1 if auction.buys else 1)
    after = maker.changed(quote=-lots * bid.price_ticks * market.tick_lot_atoms, market_id=auction.market_id, lots=lots)
    before = maker.holdings.lots.get(auction.market_id, 0)
    free, was = least_free(after, sight.observed, sight.now_s), least_free(maker, sight.observed, sight.now_s)
    reduces = before * lots < 0 and abs(lots) <= abs(before)
    return free is not None and was is not None and free < 0 and not (reduces and free >= was)


def _settle(keeper: Keeper, sight: Sight, hall: Hall, key: Pubkey, bid: Any) -> Action | None:
    programs, auction = keeper.programs, hall.auctions[bid.auction]
    taken, made = hall.orders.get(bytes(auction.order)), hall.orders.get(bytes(bid.order))
    if taken is None or made is None:
        log.info("order_unknown_yet", auction=str(bid.auction), bid=str(key))  # until the transaction that brought it is final
        return None
    named = _bid_accounts(keeper, sight, key, bid, auction) | {
        "payer": keeper.key,
        "taker": auction.user,
        "maker": bid.user,
        "taker_key": programs.trading_key(auction.user, taken.signed.key),
        "maker_key": programs.trading_key(bid.user, made.signed.key),
        "instructions": INSTRUCTIONS,
        "perp_dex": programs.dex.id,
        "system_program": SYSTEM,
    }
    market_ids = {auction.market_id, *hall.users[auction.user].market_ids, *hall.users[bid.user].market_ids}
    settled = programs.jit.instruction("settle_bid", {}, named, _markets(sight, market_ids))
    ordered = [taken, made] if auction.buys else [made, taken]
    return Action(job=JOB, title=f"bid {key} settled", instructions=[verification(ordered), settled], by_another=MOVED_ON)


def _default(keeper: Keeper, sight: Sight, hall: Hall, key: Pubkey, bid: Any) -> Action:
    auction = hall.auctions[bid.auction]
    named = _bid_accounts(keeper, sight, key, bid, auction) | {
        "taker_owner": auction.owner,
        "maker": bid.user,
        "maker_key": keeper.programs.trading_key(bid.user, bytes(bid.key)),
    }
    market_ids = {auction.market_id, *hall.users[bid.user].market_ids}
    shown = keeper.programs.jit.instruction("default_bid", {}, named, _markets(sight, market_ids))
    return Action(job=JOB, title=f"default of {key} shown", instructions=[shown], by_another=MOVED_ON)


def _release(keeper: Keeper, key: Pubkey, bid: Any, auction: Any) -> Action:
    named = {name: at for name, at in _bid_accounts(keeper, None, key, bid, auction).items() if name != "market"}
    released = keeper.programs.jit.instruction("release_bid", {}, named)
    return Action(job=JOB, title=f"bond of {key} given back", instructions=[released], by_another=MOVED_ON)


def _bid_accounts(keeper: Keeper, sight: Sight | None, key: Pubkey, bid: Any, auction: Any) -> dict[str, Pubkey]:
    programs = keeper.programs
    return {
        "exchange": programs.exchange,
        **({"market": sight.markets[auction.market_id].key} if sight else {}),
        "auction": bid.auction,
        "bid": key,
        "bidder": bid.bidder,
        "taker_fills": programs.fills(bytes(auction.order)),
        "maker_fills": programs.fills(bytes(bid.order)),
    }


def _markets(sight: Sight, market_ids: Iterable[int]) -> list[AccountMeta]:
    return [AccountMeta(sight.markets[one].key, is_signer=False, is_writable=False) for one in sorted(market_ids)]
