"""The auctions' job while the operator is silent: signed orders auctioned and answered, and what is due of the bids."""

from collections.abc import Sequence

from solders.pubkey import Pubkey

from chain.keepers import bids, pools
from chain.keepers.actions import Action
from chain.keepers.bids import INSTRUCTIONS, JOB, SYSTEM
from chain.keepers.hall import Hall, is_running, read_hall
from chain.keepers.keeper import Keeper
from chain.keepers.oracle import observe
from chain.keepers.orders import KnownOrder, read_orders, verification
from chain.keepers.sight import Sight
from markets.signed_orders import Domain
from risk.jit import Path

MAX_BIDS = 8
CLOSED = frozenset({"AuctionOver", "BadBid"})


def look(keeper: Keeper, sight: Sight) -> list[Action]:
    terms = sight.one("jit", "Terms", keeper.programs.terms)
    if terms is None:
        return []
    taken = read_orders(keeper.orders) if keeper.orders and sight.is_fallback else []
    made = read_orders(keeper.bids) if keeper.bids and sight.is_fallback else []
    actions = due(keeper, sight, read_hall(keeper, sight, taken=taken, made=made), taken=taken, made=made)
    return [*actions, *(pools.look(keeper, sight, terms.mint) if sight.is_frozen else [])]


def due(keeper: Keeper, sight: Sight, hall: Hall, *, taken: Sequence[KnownOrder], made: Sequence[KnownOrder]) -> list[Action]:
    opened = [_open(keeper, sight, one) for one in taken if _can_open(keeper, sight, hall, one)]
    market_ids = {hall.auctions[bid.auction].market_id for bid in hall.bids.values()} | {one.order.market_id for one in [*taken, *made]}
    return [*_prices(keeper, sight, market_ids), *bids.due(keeper, sight, hall), *opened, *_answers(keeper, sight, hall, made)]


def _prices(keeper: Keeper, sight: Sight, market_ids: set[int]) -> list[Action]:
    """Settling leaves no room for anything else in its transaction, so prices go before, by themselves."""
    known = [sight.markets[one] for one in sorted(market_ids) if one in sight.markets and sight.is_fallback]
    behind = [market for market in known if market.can_observe(sight.now_s)]
    return [Action(job=JOB, title=f"price of market {one.market_id} observed", instructions=[observe(keeper, one)]) for one in behind]


def _can_open(keeper: Keeper, sight: Sight, hall: Hall, known: KnownOrder) -> bool:
    return keeper.programs.auction(known.hash) not in hall.auctions and _can_trade(keeper, sight, hall, known, until_ms=sight.now_s * 1_000)


def _can_trade(keeper: Keeper, sight: Sight, hall: Hall, known: KnownOrder, *, until_ms: int) -> bool:
    """Whether the program would take the order, as far as that can be told without asking it."""
    order, exchange = known.order, sight.exchange
    user = hall.users.get(keeper.programs.user(known.owner, order.sub_account))
    market = sight.observed.get(order.market_id)
    domain = Domain(program=bytes(keeper.programs.dex.id), genesis_hash=bytes(exchange.genesis_hash))
    if user is None or market is None or order.domain != domain:
        return False
    in_time = order.expiry_ms > until_ms and order.nonce >= max(user.min_nonce, exchange.phase_at * 1_000)
    return in_time and market.fresh(sight.now_s) and market.may_withdraw and hall.left_of(known) > 0


def _answers(keeper: Keeper, sight: Sight, hall: Hall, made: Sequence[KnownOrder]) -> list[Action]:
    """Return the bids that can be made now: each of the keeper's orders answers one auction."""
    spent = {bytes(bid.order) for bid in hall.bids.values()}
    actions = []
    for known in made:
        running = (key for key in hall.auctions if _answers_to(keeper, sight, hall, known, key))
        key = next(running, None) if known.hash not in spent else None
        if key is not None:
            actions.append(_bid(keeper, sight, known, key))
    return actions


def _answers_to(keeper: Keeper, sight: Sight, hall: Hall, known: KnownOrder, key: Pubkey) -> bool:
    auction, order = hall.auctions[key], known.order
    user = keeper.programs.user(known.owner, order.sub_account)
    other_side = order.market_id == auction.market_id and (order.side == "sell") == auction.buys and user != auction.user
    takes = is_running(auction, sight.slot) and len(auction.offers) < MAX_BIDS and keeper.programs.bid(key, user) not in hall.bids
    if not other_side or not takes:
        return False
    path = Path(side="buy" if auction.buys else "sell", start_ticks=auction.start_ticks, end_ticks=auction.end_ticks, slots=auction.slots)
    price = path.price_ticks(sight.slot - auction.begun_slot)
    part = -(-auction.size_lots // MAX_BIDS)
    bound_ms = (sight.now_s + auction.begun_slot + auction.slots + auction.settle_slots - sight.slot) * 1_000
    good = path.accepts(offer_ticks=order.limit_ticks, price_ticks=price) and hall.left_of(known) >= part
    return good and _can_trade(keeper, sight, hall, known, until_ms=bound_ms)


def _open(keeper: Keeper, sight: Sight, known: KnownOrder) -> Action:
    programs = keeper.programs
    named = _order_accounts(keeper, sight, known) | {"auction": programs.auction(known.hash)}
    made = programs.jit.instruction("open_auction", {"order": list(known.hash)}, named)
    return Action(job=JOB, title=f"auction of {known.hash.hex()} opened", instructions=[verification([known]), made])


def _bid(keeper: Keeper, sight: Sight, known: KnownOrder, auction: Pubkey) -> Action:
    programs, user = keeper.programs, keeper.programs.user(known.owner, known.order.sub_account)
    named = _order_accounts(keeper, sight, known) | {"auction": auction, "bid": programs.bid(auction, user)}
    made = programs.jit.instruction("bid", {"order": list(known.hash)}, named)
    title = f"auction {auction} answered with {known.hash.hex()}"
    return Action(job=JOB, title=title, instructions=[verification([known]), made], by_another=CLOSED)


def _order_accounts(keeper: Keeper, sight: Sight, known: KnownOrder) -> dict[str, Pubkey]:
    programs, user = keeper.programs, keeper.programs.user(known.owner, known.order.sub_account)
    return {
        "payer": keeper.key,
        "terms": programs.terms,
        "exchange": programs.exchange,
        "market": sight.markets[known.order.market_id].key,
        "user": user,
        "trading_key": programs.trading_key(user, known.signed.key),
        "fills": programs.fills(known.hash),
        "instructions": INSTRUCTIONS,
        "system_program": SYSTEM,
    }
