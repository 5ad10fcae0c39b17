"""From the journal's events to what a batch says of each account. Pure, integers only.

Custodied accounts are netted: one House leaf for each slot that changed. Self-custodied ones get a leaf for each thing that happened, in
the order of time. What has no leaf stops settlement: the engine must not have done it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from chain import merkle
from chain.settlement import leaves
from chain.settlement.books import MOVED_ON_CHAIN, NOT_ON_CHAIN, Book, Changes, FundingTerms, MarketFigures, SignedOrder
from chain.settlement.errors import SettlementHalted
from chain.settlement.leaves import MAX_LEAVES, QUOTE, Leaf
from markets.assets import QUOTE as QUOTE_ASSET
from markets.events import (
    AccountOpened,
    ChainTradeBooked,
    Event,
    FundingPaid,
    LedgerPosted,
    LiquidationStepped,
    MarketCreated,
    MarketSettled,
    MarketUpdated,
    OrderAccepted,
    OrderAmended,
    OrderFilled,
    PositionChanged,
    PositionDeleveraged,
)
from markets.ledger import CLEARING, DUST, FEES
from markets.signed_orders import order_hash, take_apart
from markets.units import tick_lot_atoms
from risk.funding import payment_atoms

HOUR_MS: Final = 3_600_000
ROOM: Final = 48  # leaves after which no new thing begins for an account: a liquidation's step, of up to 15 fills, must fit behind it
REPLACED: Final = 0  # the order of a signature that an amendment replaced: none
MAX_ACCOUNTS: Final = 10_000  # the program's tree holds 16,383


class Closing:
    """A position that changed other than by a match; what kind of leaf it is, a later event of the same step says."""

    __slots__ = ("lots", "market_id", "place", "quote_atoms", "time_ms")

    def __init__(self, market_id: int, lots: int, quote_atoms: int, time_ms: int, place: int) -> None:
        self.market_id = market_id
        self.lots = lots
        self.quote_atoms = quote_atoms
        self.time_ms = time_ms
        self.place = place


class Fold:
    """`books`, `orders`, `fills` and `self_custodied` are carried from batch to batch; what happened since the last cut is beside them.

    `self_custodied` maps accounts to their addresses on chain, `wallet_of` gives a new one's and `address_of` anybody's. `fills` are what
    is filled under signatures, those included that an amendment replaced.
    """

    def __init__(
        self,
        *,
        books: dict[int, Book],
        markets: dict[int, MarketFigures],
        self_custodied: dict[int, bytes],
        orders: dict[int, SignedOrder],
        address_of: Callable[[int], bytes],
        wallet_of: Callable[[int], bytes],
        fills: Mapping[bytes, int] | None = None,
        last_trade_id: int = 0,
    ) -> None:
        self.books = books
        self.markets = markets
        self.self_custodied = self_custodied
        self.orders = orders
        self.touched_orders: set[int] = set()
        self.replaced_orders: list[SignedOrder] = []
        self.last_trade_id = last_trade_id
        self._address_of = address_of
        self._wallet_of = wallet_of
        self._fills: dict[bytes, int] = {order.digest: order.filled_lots for order in orders.values()} | dict(fills or {})
        self._begin()

    def _begin(self) -> None:
        self._before: dict[int, Book] = {}
        self._leaves: dict[int, list[Leaf | None]] = {}
        self._funding: dict[int, FundingTerms] = {}
        self._unproven = 0
        self._booked: list[int] = []  # trades made on chain
        self._closings: dict[int, list[Closing]] = {}
        self._awaited: dict[int, int] = {}
        self._loose: dict[int, int] = {}
        self._stepping: set[int] = set()
        self._step_starts: dict[int, int] = {}

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is half told: only then may a batch end here."""
        return not (self._closings or self._awaited or self._stepping)

    @property
    def touched(self) -> list[int]:
        """Return the accounts that changed since the last cut."""
        return sorted(self._before)

    def touched_wallets(self) -> list[int]:
        """Return the self-custodied accounts that changed since the last cut other than on chain."""
        return [one for one in self.touched if one in self.self_custodied and changed(self._before[one], self.books[one])]

    def start_from(self, books: Mapping[int, Book]) -> None:
        """Take over what accounts hold, as changes from nothing."""
        for account_id, book in books.items():
            held = self._book(account_id)
            held.balance_atoms = book.balance_atoms
            held.positions = dict(book.positions)

    def note_orders(self, event: Event) -> None:
        """Learn what was signed, and nothing else."""
        if isinstance(event, OrderAccepted):
            self.order_accepted(event, 0)
        elif isinstance(event, OrderAmended):
            self.order_amended(event, 0)

    def has_room_for(self, event: Event) -> bool:
        """Tell whether this event fits into the batch, or must be the next one's first."""
        if not self.is_whole:
            return True
        if isinstance(event, OrderFilled) and event.kind != "liquidation":
            return self._has_room(event.taker_account_id) and self._has_room(event.maker_account_id)
        if isinstance(event, FundingPaid):
            again = event.market_id in self._funding and any(account_id in self.self_custodied for account_id, _ in event.payments)
            return not again and all(self._has_room(account_id) for account_id, _ in event.payments)
        return len(self._before) < MAX_ACCOUNTS and all(len(found) < ROOM for found in self._leaves.values())

    def _has_room(self, account_id: int) -> bool:
        return len(self._leaves.get(account_id, ())) < ROOM and len(self._before) < MAX_ACCOUNTS

    def add(self, event: Event, *, stamp_ms: int) -> None:
        """Take in the next event."""
        handler = HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event, stamp_ms)
            if self._loose and self.is_whole:
                self._explain_loose()

    def cut(self, *, reference: int) -> Changes:
        """Return what happened since the last cut, and begin again."""
        assert self.is_whole, "a batch ends between two things, not inside one"
        found = {account_id: self._account_leaves(account_id, reference) for account_id in sorted(self._before)}
        changed = {account_id: made for account_id, made in found.items() if made}
        total = merkle.canonical(one for made in changed.values() for leaf in made for one in leaf.sums)
        if total:
            raise SettlementHalted(f"The changes of a batch do not sum to zero: {total}.")
        changes = Changes(
            leaves=changed,
            funding=self._funding,
            last_trade_id=self.last_trade_id,
            unproven=self._unproven,
            traded=tuple(self._booked),
        )
        self._begin()
        return changes

    def _account_leaves(self, account_id: int, reference: int) -> tuple[Leaf, ...]:
        net = changed(self._before[account_id], self.books[account_id])
        if account_id not in self.self_custodied:
            return tuple(leaves.house(slot, amount, reference=reference) for slot, amount in net)
        made = tuple(leaf for leaf in self._leaves.get(account_id, ()) if leaf is not None)
        told = merkle.canonical(one for leaf in made for one in leaf.sums)
        if told != net:
            raise SettlementHalted(f"Account {account_id} changed by {net}, but its leaves say {told}.")
        if len(made) > MAX_LEAVES:
            raise SettlementHalted(f"Account {account_id} has {len(made)} leaves in one batch.")
        return made

    def _book(self, account_id: int) -> Book:
        book = self.books.get(account_id)
        if book is None:
            book = self.books[account_id] = Book()
        if account_id not in self._before:
            self._before[account_id] = Book(book.balance_atoms, dict(book.positions))
        return book

    def _leaf(self, account_id: int, leaf: Leaf | None) -> None:
        self._leaves.setdefault(account_id, []).append(leaf)

    # What happens

    def account_opened(self, event: AccountOpened, _stamp_ms: int) -> None:
        if event.self_custody:
            self.self_custodied[event.account_id] = self._wallet_of(event.account_id)

    def market_defined(self, event: MarketCreated | MarketUpdated, _stamp_ms: int) -> None:
        parameters = event.parameters
        self.markets[parameters.market_id] = MarketFigures(
            tick_lot_atoms=tick_lot_atoms(tick_e8=parameters.tick_e8, lot_e8=parameters.lot_e8),
            lot_e8=parameters.lot_e8,
            liquidation_fee_ppm=parameters.liquidation_fee_ppm,
        )

    def order_accepted(self, event: OrderAccepted, _stamp_ms: int) -> None:
        self._note_signed(event.order_id, event.order.account_id, event.order.signed)

    def order_amended(self, event: OrderAmended, _stamp_ms: int) -> None:
        self._note_signed(event.order_id, event.account_id, event.signed)

    def _note_signed(self, order_id: int, account_id: int, signed: bytes) -> None:
        if signed and account_id in self.self_custodied:
            digest = order_hash(take_apart(signed).data)
            before = self.orders.get(order_id)
            if before is not None and before.digest != digest:
                before.order_id = REPLACED
                self.replaced_orders.append(before)
            self.orders[order_id] = SignedOrder(digest, account_id, order_id, signed, self._fills.setdefault(digest, 0))
            self.touched_orders.add(order_id)

    def order_filled(self, event: OrderFilled, stamp_ms: int) -> None:
        bought = event.size_lots if event.taker_side == "buy" else -event.size_lots
        self.last_trade_id = event.trade_id
        taker, maker = event.taker_account_id, event.maker_account_id
        self._fill(event, taker, bought, event.taker_fee_atoms, event.taker_position_lots, event.taker_cost_atoms)
        self._fill(event, maker, -bought, event.maker_fee_atoms, event.maker_position_lots, event.maker_cost_atoms)
        self._book(FEES).balance_atoms += event.taker_fee_atoms + event.maker_fee_atoms
        if taker in self.self_custodied:
            if event.kind == "liquidation":
                self._sold(event, taker, bought, stamp_ms)
            else:
                self._traded(event, taker, event.taker_order_id, bought, event.taker_fee_atoms, stamp_ms)
        if maker in self.self_custodied:
            self._traded(event, maker, event.maker_order_id, -bought, event.maker_fee_atoms, stamp_ms)

    def _fill(  # noqa: PLR0917 - called twice for each match
        self, event: OrderFilled, account_id: int, lots: int, fee_atoms: int, after_lots: int, cost_atoms: int
    ) -> None:
        book = self._book(account_id)
        if book.lots(event.market_id) + lots != after_lots:
            raise SettlementHalted(f"The position of account {account_id} in market {event.market_id} is not what the journal says.")
        book.balance_atoms -= lots * event.price_ticks * self.markets[event.market_id].tick_lot_atoms + fee_atoms
        book.resize(event.market_id, after_lots, cost_atoms)

    def _traded(  # noqa: PLR0917 - called twice for each match
        self, event: OrderFilled, account_id: int, order_id: int, lots: int, fee_atoms: int, stamp_ms: int
    ) -> None:
        order = self.orders.get(order_id)
        if order is None:
            raise SettlementHalted(f"Order {order_id} of account {account_id} was filled, but nobody signed it.")
        leaf = leaves.trade(
            order=order.digest,
            market_id=event.market_id,
            lots=lots,
            price_ticks=event.price_ticks,
            tick_lot_atoms=self.markets[event.market_id].tick_lot_atoms,
            fee_atoms=fee_atoms,
            time_ms=stamp_ms,
            filled_lots=order.filled_lots,
            trade_id=event.trade_id,
        )
        self._trade_leaf(account_id, leaf, order, self.markets[event.market_id].tick_lot_atoms)
        order.filled_lots = self._fills[order.digest] = order.filled_lots + abs(lots)
        self.touched_orders.add(order_id)

    def _trade_leaf(self, account_id: int, leaf: Leaf, order: SignedOrder, tick_lot_atoms: int) -> None:
        """Add a fill, to the leaf before where that is the same order's at the same price: an account's leaves are few."""
        made = self._leaves.setdefault(account_id, [])
        joined = leaves.together(made[-1], leaf, fee_cap_ppm=order.fee_cap_ppm, tick_lot_atoms=tick_lot_atoms) if made else None
        if joined is None:
            made.append(leaf)
        else:
            made[-1] = joined

    def _sold(self, event: OrderFilled, account_id: int, lots: int, stamp_ms: int) -> None:
        """Note a slice of a liquidation; its fee follows, before its step is told."""
        self._stepping.add(account_id)
        self._step_starts.setdefault(account_id, len(self._leaves.get(account_id, ())))
        self._leaf(account_id, self._reduction(event.market_id, lots, event.price_ticks, stamp_ms, trade_id=event.trade_id))

    def _reduction(self, market_id: int, lots: int, price_ticks: int, time_ms: int, *, fee_atoms: int = 0, trade_id: int = 0) -> Leaf:
        tick_lot = self.markets[market_id].tick_lot_atoms
        return leaves.reduction(
            market_id=market_id,
            lots=lots,
            price_ticks=price_ticks,
            tick_lot_atoms=tick_lot,
            fee_atoms=fee_atoms,
            time_ms=time_ms,
            trade_id=trade_id,
        )

    def chain_trade_booked(self, event: ChainTradeBooked, _stamp_ms: int) -> None:
        """The books follow what was done on chain; no batch has to say it there again."""
        self.last_trade_id = event.trade_id
        lots, quote = event.size_lots, event.quote_atoms
        self._traded_there(event, event.buyer_account_id, lots, quote, event.buyer_position_lots, event.buyer_cost_atoms)
        self._traded_there(event, event.seller_account_id, -lots, -quote, event.seller_position_lots, event.seller_cost_atoms)
        self.note_on_chain(event)

    def _traded_there(  # noqa: PLR0917 - called for both sides
        self, event: ChainTradeBooked, account_id: int, lots: int, quote_atoms: int, after_lots: int, cost_atoms: int
    ) -> None:
        book = self._book(account_id)
        if book.lots(event.market_id) + lots != after_lots:
            raise SettlementHalted(f"The position of account {account_id} in market {event.market_id} is not what the journal says.")
        book.balance_atoms -= quote_atoms
        book.resize(event.market_id, after_lots, cost_atoms)

    def note_on_chain(self, event: ChainTradeBooked) -> None:
        """Count a trade among what was there before this batch: the chain has it since it was made."""
        self._booked.append(event.number)
        lots, quote = event.size_lots, event.quote_atoms
        for account_id, bought, paid in ((event.buyer_account_id, lots, quote), (event.seller_account_id, -lots, -quote)):
            self._book(account_id)
            before = self._before[account_id]
            before.balance_atoms -= paid
            before.resize(event.market_id, before.lots(event.market_id) + bought, 0)

    def position_changed(self, event: PositionChanged, stamp_ms: int) -> None:
        """A position changed other than by a match: by realised profit, which is posted, less what its cost changed by."""
        account_id, market_id = event.account_id, event.market_id
        book = self._book(account_id)
        lots, cost = book.positions.get(market_id, (0, 0))
        if lots != event.previous_lots:
            raise SettlementHalted(f"The position of account {account_id} in market {market_id} is not what the journal says.")
        grown = event.cost_atoms - cost
        book.balance_atoms -= grown
        book.resize(market_id, event.size_lots, event.cost_atoms)
        if account_id not in self.self_custodied:
            return
        if event.realised_atoms:
            self._await(account_id, event.realised_atoms)
        place = len(self._leaves.get(account_id, ()))
        self._step_starts.setdefault(account_id, place)
        closing = Closing(market_id, event.size_lots - lots, event.realised_atoms - grown, stamp_ms, place)
        self._closings.setdefault(account_id, []).append(closing)
        self._leaf(account_id, None)

    def _await(self, account_id: int, atoms: int) -> None:
        awaited = self._awaited.get(account_id, 0) + atoms
        if awaited:
            self._awaited[account_id] = awaited
        else:
            self._awaited.pop(account_id, None)

    def ledger_posted(self, event: LedgerPosted, _stamp_ms: int) -> None:
        for line in event.transfers:
            sides = (line.debit_account_id, line.credit_account_id)
            if line.asset != QUOTE_ASSET:
                if any(one in self.self_custodied for one in sides):
                    raise SettlementHalted(f"A self-custodied account holds {line.asset}, which is not on chain.")
                continue
            if MOVED_ON_CHAIN.isdisjoint(sides):
                self._pay(line.debit_account_id, -line.amount_atoms, line.credit_account_id)
                self._pay(line.credit_account_id, line.amount_atoms, line.debit_account_id)

    def _pay(self, account_id: int, atoms: int, other_id: int) -> None:
        if account_id in NOT_ON_CHAIN:
            return
        self._book(account_id).balance_atoms += atoms
        if account_id not in self.self_custodied:
            return
        if other_id == CLEARING and account_id in self._awaited:
            self._await(account_id, -atoms)
        else:
            self._loose[account_id] = self._loose.get(account_id, 0) + atoms

    def funding_paid(self, event: FundingPaid, _stamp_ms: int) -> None:
        market_id = event.market_id
        figures = self.markets[market_id]
        for account_id, atoms in event.payments:
            book = self._book(account_id)
            book.balance_atoms += atoms
            if account_id in self.self_custodied:
                lots = book.lots(market_id)
                owed = payment_atoms(size_lots=lots, index_e8=event.index_e8, lot_e8=figures.lot_e8, rate_ppb=event.rate_ppb)
                if owed != atoms:
                    raise SettlementHalted(f"Account {account_id} was paid {atoms} for funding, where {owed} is due.")
                self._leaf(account_id, leaves.funding(market_id, atoms))
                self._funding[market_id] = FundingTerms(event.due_ms // HOUR_MS, event.index_e8, event.rate_ppb)
        if event.dust_atoms:
            self._book(DUST).balance_atoms += event.dust_atoms

    # What a step was

    def liquidation_stepped(self, event: LiquidationStepped, _stamp_ms: int) -> None:
        account_id = event.account_id
        if account_id not in self.self_custodied:
            return
        for closing in self._take_closings(account_id, event.market_id):
            if event.stage == "backstop":
                made = self._reduction(closing.market_id, closing.lots, event.limit_ticks, closing.time_ms)
            else:
                made = leaves.bankruptcy(
                    market_id=closing.market_id, lots=closing.lots, quote_atoms=closing.quote_atoms, time_ms=closing.time_ms
                )
            self._leaves[account_id][closing.place] = made
        self._stepping.discard(account_id)

    def position_deleveraged(self, event: PositionDeleveraged, _stamp_ms: int) -> None:
        account_id = event.account_id
        if account_id not in self.self_custodied:
            return
        bankrupt_id = event.bankrupt_account_id
        given_up = [one for one in self._closings.get(bankrupt_id, ()) if one.market_id == event.market_id]
        self._unproven += not given_up
        for closing in self._take_closings(account_id, event.market_id):
            self._leaves[account_id][closing.place] = leaves.deleveraging(
                market_id=closing.market_id,
                lots=closing.lots,
                quote_atoms=closing.quote_atoms,
                bankrupt=self._address_of(bankrupt_id),
                place=given_up[-1].place if given_up else 0,
            )

    def market_settled(self, event: MarketSettled, _stamp_ms: int) -> None:
        for account_id in list(self._closings):
            for closing in self._take_closings(account_id, event.market_id):
                self._leaves[account_id][closing.place] = self._reduction(
                    closing.market_id, closing.lots, event.price_ticks, closing.time_ms
                )

    def _take_closings(self, account_id: int, market_id: int) -> list[Closing]:
        held = self._closings.get(account_id, [])
        taken = [one for one in held if one.market_id == market_id]
        rest = [one for one in held if one.market_id != market_id]
        if rest:
            self._closings[account_id] = rest
        else:
            self._closings.pop(account_id, None)
        return taken

    def _explain_loose(self) -> None:
        """Give what came or went beside matches its leaf: a credit, or the fee of the reductions that it was paid for."""
        for account_id, atoms in self._loose.items():
            if atoms > 0:
                self._leaf(account_id, leaves.credit(atoms, reference=self.last_trade_id))
            elif atoms < 0:
                self._charge(account_id, -atoms)
        self._loose.clear()
        self._step_starts.clear()

    def _charge(self, account_id: int, fee_atoms: int) -> None:
        made = self._leaves.get(account_id, [])
        for place in range(self._step_starts.get(account_id, len(made)), len(made)):
            leaf = made[place]
            if leaf is None or leaf.kind != "Reduction" or fee_atoms == 0:
                continue
            fields = leaf.fields
            figures = self.markets[fields["market_id"]]
            room = leaves.most_fee(leaf, figures.tick_lot_atoms, figures.liquidation_fee_ppm) - fields["fee_atoms"]
            taken = min(fee_atoms, room)
            made[place] = self._reduction(
                fields["market_id"],
                fields["lots"],
                fields["price_ticks"],
                fields["time_ms"],
                fee_atoms=fields["fee_atoms"] + taken,
                trade_id=leaf.trade_id,
            )
            fee_atoms -= taken
        if fee_atoms:
            raise SettlementHalted(f"Account {account_id} was debited {fee_atoms} atoms that none of its leaves can say.")


def changed(before: Book, after: Book) -> merkle.Sums:
    """Return by how much each slot changed."""
    markets = before.positions.keys() | after.positions.keys()
    slots = [(merkle.position_slot(market_id), after.lots(market_id) - before.lots(market_id)) for market_id in markets]
    return merkle.canonical([(QUOTE, after.balance_atoms - before.balance_atoms), *slots])


HANDLERS: Final[Mapping[type[Event], Callable[[Fold, Any, int], None]]] = {
    AccountOpened: Fold.account_opened,
    MarketCreated: Fold.market_defined,
    MarketUpdated: Fold.market_defined,
    OrderAccepted: Fold.order_accepted,
    OrderAmended: Fold.order_amended,
    OrderFilled: Fold.order_filled,
    ChainTradeBooked: Fold.chain_trade_booked,
    PositionChanged: Fold.position_changed,
    LedgerPosted: Fold.ledger_posted,
    FundingPaid: Fold.funding_paid,
    LiquidationStepped: Fold.liquidation_stepped,
    PositionDeleveraged: Fold.position_deleveraged,
    MarketSettled: Fold.market_settled,
}
