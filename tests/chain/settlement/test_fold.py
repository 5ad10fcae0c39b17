"""What batches say is what the engine holds, for every account, at every cut."""

from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest

from chain import merkle
from chain.settlement import leaves
from chain.settlement.books import Book
from chain.settlement.errors import SettlementHalted
from chain.settlement.fold import Fold
from chain.settlement.leaves import MAX_LEAVES, QUOTE, Leaf, restored
from markets.commands import (
    AdjustBalance,
    BookChainTrade,
    CloseAccount,
    Deposit,
    MoveIsolatedMargin,
    OpenAccount,
    SetLeverage,
    SetMarginMode,
    SetMarketStatus,
    Side,
    Transfer,
    Withdraw,
)
from markets.events import ChainTradeBooked, Event, OrderAccepted
from markets.ledger import BACKSTOP, CLEARING, CUSTODY, FAUCET, FEES, INSURANCE, PENDING_WITHDRAWALS
from markets.signed_orders import SIGNED_BYTES, encode
from tests.engine.chance import Chance
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, USDC, Desk
from tests.engine.signing import order_of
from tests.engine.signing import signed as one_order
from tests.incidents.scene import FIRST_EXTRA, Scene
from trading.engine.state import HOUR_MS, State

OWNERS = tuple(range(FIRST_EXTRA, FIRST_EXTRA + 8))
FEE_CAP_PPM = 600
OFF_CHAIN = {CLEARING, CUSTODY, PENDING_WITHDRAWALS}


def address_of(account_id: int) -> bytes:
    return account_id.to_bytes(32, "big")


class Settled(Desk):
    """A desk whose events are folded into batches; `chain` is what the batches alone have made of each account."""

    def __init__(self, *, self_custodied: tuple[int, ...] = (), **options: Any) -> None:
        self.fold = Fold(
            books={},
            markets={},
            self_custodied={one: address_of(one) for one in self_custodied},
            orders={},
            address_of=address_of,
            wallet_of=address_of,
        )
        self.chain: dict[int, dict[int, int]] = {}
        self.cuts = self.forced = 0
        self.leaves: list[tuple[int, Leaf]] = []
        self.told: list[Event] = []
        super().__init__(**options)

    def batch(self, *given: Any) -> list[Any]:
        replies = super().batch(*given)
        for event in self.events:
            if not self.fold.has_room_for(event):
                self.forced += 1
                self.cut()
            self.fold.add(signed(event), stamp_ms=self.now_ms)
            self.told.append(event)
            if isinstance(event, ChainTradeBooked):
                self.trade_on_chain(event)
        return replies

    def trade_on_chain(self, event: ChainTradeBooked) -> None:
        """What no batch may say: the chain has it already."""
        lots, quote, slot = event.size_lots, event.quote_atoms, merkle.position_slot(event.market_id)
        for account_id, bought, paid in ((event.buyer_account_id, lots, quote), (event.seller_account_id, -lots, -quote)):
            slots = self.chain.setdefault(account_id, {})
            slots[QUOTE] = slots.get(QUOTE, 0) - paid
            slots[slot] = slots.get(slot, 0) + bought

    def cut(self) -> None:
        changes = self.fold.cut(reference=len(self.batches))
        self.cuts += 1
        for account_id, made in changes.leaves.items():
            assert len(made) <= MAX_LEAVES
            self.leaves += [(account_id, leaf) for leaf in made]
            slots = self.chain.setdefault(account_id, {})
            for leaf in made:
                assert restored(leaf.stored) == leaf
                for slot, amount in leaf.sums:
                    slots[slot] = slots.get(slot, 0) + amount

    def assert_settled(self) -> None:
        """The chain's balances are the engine's cash less costs, for every account; its lots are the engine's."""
        state = self.engine.state
        assert not OFF_CHAIN & self.chain.keys()
        for account_id in state.accounts:
            if account_id not in OFF_CHAIN:
                held = {slot: amount for slot, amount in self.chain.get(account_id, {}).items() if amount}
                assert held == engine_slots(state, account_id), f"account {account_id}"

    def kinds(self, account_id: int) -> list[str]:
        return [leaf.kind for owner, leaf in self.leaves if owner == account_id]


def signed(event: Event) -> Event:
    """Let every order be a signed one: what a signature allows is the engine's business."""
    if not isinstance(event, OrderAccepted):
        return event
    said = encode(order_of(nonce=event.order_id, fee_cap_ppm=FEE_CAP_PPM))
    order = msgspec.structs.replace(event.order, signed=said.ljust(SIGNED_BYTES, b"\0"))
    return msgspec.structs.replace(event, order=order)


def engine_slots(state: State, account_id: int) -> dict[int, int]:
    account = state.accounts[account_id]
    cost = sum(holding.cost_atoms for holding in account.holdings.values())
    slots = {QUOTE: account.usdc_atoms() - cost}
    slots |= {merkle.position_slot(market_id): holding.size_lots for market_id, holding in account.holdings.items()}
    return {slot: amount for slot, amount in slots.items() if amount}


def is_on_chain(command: Any) -> bool:
    """Leave out what no wallet's account can do: other collateral, and margin that the chain knows nothing of."""
    if isinstance(command, SetMarginMode | MoveIsolatedMargin):
        return False
    return not (isinstance(command, Deposit | Withdraw | Transfer) and (command.asset == "BTC" or isinstance(command, Transfer | Withdraw)))


@pytest.mark.parametrize("seed", range(6))
def test_it_tells_the_chain_what_the_engine_holds(seed: int) -> None:
    """Nobody owns his account himself: everything is netted, isolated margin and converted collateral included."""
    desk = Settled(cash=[600 * USDC, 5_000 * USDC, 200_000 * USDC][seed % 3])
    desk.lever(50)
    desk.admit()
    desk.limit(debt_limit_atoms=20 * USDC)
    if seed % 3:
        desk.fund(BACKSTOP, 500 * USDC)
    chance = Random(seed)  # noqa: S311
    for command in Chance(desk, 300 + seed).commands(500):
        desk.do(command)
        if chance.random() < 0.1:
            desk.cut()
            desk.assert_settled()
    desk.cut()
    desk.assert_settled()
    assert {leaf.kind for _, leaf in desk.leaves} == {"House"}
    assert desk.cuts > 20


@pytest.mark.parametrize("seed", range(8))
def test_it_gives_each_thing_that_happens_to_an_owner_a_leaf(seed: int) -> None:
    """Two of three own their accounts: trades, funding, liquidations by book, backstop and deleveraging, insurance."""
    desk = Settled(self_custodied=(ALICE, BOB), cash=[400 * USDC, 3_000 * USDC][seed % 2])
    desk.lever(50)
    if seed % 2:
        desk.fund(BACKSTOP, 300 * USDC)
        desk.fund(INSURANCE, 100 * USDC)
    chance = Random(seed)  # noqa: S311
    for command in Chance(desk, 700 + seed).commands(500):
        if is_on_chain(command):
            desk.do(command)
        if chance.random() < 0.05 and desk.fold.is_whole:
            desk.cut()
            desk.assert_settled()
    desk.wait(HOUR_MS)
    desk.cut()
    desk.assert_settled()
    assert {"Credit", "Trade"} <= set(desk.kinds(ALICE))
    assert set(desk.kinds(CHARLIE)) == {"House"}


@pytest.mark.parametrize("seed", range(4))
def test_it_says_nothing_of_what_was_traded_on_chain(seed: int) -> None:
    """Wallets' and the platform's accounts, the insurance among them, trade here and there: batches say what was done here."""
    desk = Settled(self_custodied=(ALICE, BOB), cash=[400 * USDC, 3_000 * USDC][seed % 2])
    desk.lever(50)
    draw, booked = Random(seed), 0  # noqa: S311
    for command in Chance(desk, 800 + seed).commands(250):
        if is_on_chain(command):
            desk.do(command)
        if draw.random() < 0.2:
            booked += 1
            buyer, seller = draw.sample((ALICE, BOB, CHARLIE, INSURANCE), 2)
            lots = draw.choice((1, 20, 300))
            quote = lots * draw.randint(9_000_000, 11_000_000) + draw.randint(0, 9)
            trade = BookChainTrade(
                market_id=MARKET, buyer_account_id=buyer, seller_account_id=seller, size_lots=lots, quote_atoms=quote, number=booked
            )
            desk.do(trade)
        if draw.random() < 0.05 and desk.fold.is_whole:
            desk.cut()
            desk.assert_settled()
    desk.cut()
    desk.assert_settled()
    assert booked > 25
    assert {"Credit", "Trade"} <= set(desk.kinds(ALICE))


def test_it_makes_nothing_of_a_trade_on_chain_alone() -> None:
    desk = Settled(self_custodied=(ALICE,), cash=0)
    desk.cut()
    desk.do(BookChainTrade(market_id=MARKET, buyer_account_id=ALICE, seller_account_id=BOB, size_lots=5, quote_atoms=50, number=9))

    changes = desk.fold.cut(reference=1)

    assert (changes.leaves, changes.traded) == ({}, (9,))


def test_it_ends_a_batch_before_an_account_has_too_many_leaves() -> None:
    desk = Settled(self_custodied=(ALICE, BOB))
    for _ in range(100):
        desk.trade(1, 10_000, buyer=ALICE, seller=BOB)
    desk.cut()

    desk.assert_settled()
    assert desk.forced == 2
    assert desk.kinds(ALICE).count("Trade") == 100


def trades(desk: Settled, account_id: int) -> list[Leaf]:
    return [leaf for owner, leaf in desk.leaves if owner == account_id and leaf.kind == "Trade"]


def test_it_counts_what_was_filled_of_an_order_before() -> None:
    desk = Settled(self_custodied=(ALICE, BOB))
    desk.sell(BOB, 30, 10_000)
    for size in (5, 7, 18):
        desk.buy(ALICE, size, 10_000, time_in_force="ioc")
        desk.cut()

    sold = [leaf.fields for leaf in trades(desk, BOB)]
    assert [(one["filled_lots"], one["size_lots"]) for one in sold] == [(0, 5), (5, 7), (12, 18)]
    assert len({one["order"] for one in sold}) == 1


def test_it_says_fills_of_one_order_at_one_price_in_one_leaf() -> None:
    desk = Settled(self_custodied=(ALICE, BOB))
    desk.sell(BOB, 30, 10_000)
    for size in (5, 7, 18):
        desk.now_ms += 10
        desk.buy(ALICE, size, 10_000, time_in_force="ioc")
    desk.cut()

    desk.assert_settled()
    (sold,) = trades(desk, BOB)
    assert (sold.fields["filled_lots"], sold.fields["size_lots"], sold.trade_id) == (0, 30, 3)
    assert [(one.trade_id, one.size_lots) for one in sold.fills] == [(1, 5), (2, 7), (3, 18)]
    assert sum(one.fee_atoms for one in sold.fills) == sold.fields["fee_atoms"]
    assert sold.fields["time_ms"] == max(one.time_ms for one in sold.fills) > min(one.time_ms for one in sold.fills)
    assert all(sold.tells(number) for number in (1, 2, 3))
    assert not sold.tells(4)
    assert [leaf.fills for leaf in trades(desk, ALICE)] == [()] * 3  # three orders


def test_it_keeps_fills_apart_when_anything_came_between_them() -> None:
    """Another order, another price, or money: what the program checks after each would be another state."""
    desk = Settled(self_custodied=(ALICE, BOB))
    desk.sell(BOB, 20, 10_000)
    desk.buy(BOB, 20, 9_990)
    sides: tuple[Side, ...] = ("buy", "sell", "buy")
    for side in sides:
        desk.place(CHARLIE, side, 1, 10_000 if side == "buy" else 9_990, time_in_force="ioc")
    desk.deposit(BOB, 5 * USDC)
    desk.buy(CHARLIE, 1, 10_000, time_in_force="ioc")
    desk.cut()

    desk.assert_settled()
    assert desk.kinds(BOB)[-5:] == ["Trade", "Trade", "Trade", "Credit", "Trade"]


def test_it_keeps_fills_apart_whose_fees_together_are_above_the_cap() -> None:
    """Each fee is rounded up; the program rounds the cap of the sum up once."""
    said: dict[str, Any] = {
        "order": bytes(32),
        "market_id": 1,
        "lots": 1,
        "price_ticks": 3,
        "tick_lot_atoms": 1,
        "fee_atoms": 1,
        "time_ms": 5,
    }
    one, other = leaves.trade(**said, filled_lots=0, trade_id=1), leaves.trade(**said, filled_lots=1, trade_id=2)

    assert leaves.together(one, other, fee_cap_ppm=100_000, tick_lot_atoms=1) is None
    joined = leaves.together(one, other, fee_cap_ppm=200_000, tick_lot_atoms=1)
    assert joined is not None
    assert (joined.fields["fee_atoms"], joined.sums) == (2, merkle.canonical([*one.sums, *other.sums]))


@pytest.mark.parametrize(("mean_run", "most"), [(1, 9), (4, 3), (40, 1)])
def test_it_settles_a_market_makers_flow_in_few_batches(mean_run: int, most: int) -> None:
    """400 fills of two orders, in runs of about so many on one side: a batch for every 48 runs where it was one for every 48 fills."""
    desk = Settled(self_custodied=(BOB,), cash=200_000 * USDC)
    desk.sell(BOB, 400, 10_001)
    desk.buy(BOB, 400, 9_999)
    chance = Random(5)  # noqa: S311
    side: Side = "buy"
    for _ in range(400):
        if chance.random() < 1 / mean_run:
            side = "sell" if side == "buy" else "buy"
        desk.place(CHARLIE, side, 1, 10_001 if side == "buy" else 9_999, time_in_force="ioc")
    desk.cut()

    desk.assert_settled()
    assert sum(len(leaf.fills) or 1 for leaf in trades(desk, BOB)) == 400
    assert desk.cuts <= most


def test_it_pays_one_hour_of_funding_in_a_batch() -> None:
    desk = Settled(self_custodied=(ALICE,))
    desk.trade(50, 10_000, buyer=ALICE, seller=BOB)
    for _ in range(3):
        desk.price(10_000)
        desk.wait(HOUR_MS)
    desk.cut()

    desk.assert_settled()
    assert desk.kinds(ALICE).count("Funding") == 3
    assert desk.forced == 2


def test_it_leaves_out_what_moves_through_the_vault() -> None:
    desk = Settled(self_custodied=(ALICE,), cash=0)
    desk.cut()
    desk.do(Deposit(account_id=ALICE, asset="USDC", amount_atoms=500 * USDC, number=1, source_account_id=CUSTODY))
    desk.do(Withdraw(account_id=ALICE, asset="USDC", amount_atoms=200 * USDC, target_account_id=PENDING_WITHDRAWALS))

    assert desk.engine.state.accounts[PENDING_WITHDRAWALS].cross.cash_atoms == 200 * USDC
    assert desk.fold.cut(reference=1).leaves == {}


def test_it_stops_when_an_owner_is_debited_without_a_leaf() -> None:
    desk = Settled(self_custodied=(ALICE,))

    with pytest.raises(SettlementHalted, match="none of its leaves can say"):
        desk.do(
            AdjustBalance(debit_account_id=ALICE, credit_account_id=FEES, asset="USDC", amount_atoms=5, reason="a mistake", author="staff")
        )


def test_it_stops_when_an_owner_holds_what_is_not_on_chain() -> None:
    desk = Settled(self_custodied=(ALICE,))
    desk.admit()

    with pytest.raises(SettlementHalted, match="BTC"):
        desk.deposit(ALICE, 10**8, "BTC")


def test_it_stops_when_an_unsigned_order_of_an_owner_was_filled() -> None:
    desk = Settled(self_custodied=(ALICE,))
    desk.sell(BOB, 5, 10_000)
    desk.fold.orders.clear()
    desk.fold.self_custodied[BOB] = address_of(BOB)

    with pytest.raises(SettlementHalted, match="nobody signed"):
        desk.buy(ALICE, 5, 10_000, time_in_force="ioc")


def test_it_stops_when_its_books_are_not_the_journals() -> None:
    desk = Settled()
    desk.fold.books[ALICE] = Book(positions={MARKET: (3, 30_000)})

    with pytest.raises(SettlementHalted, match="not what the journal says"):
        desk.trade(1, 10_000)


def test_it_settles_a_delisted_market() -> None:
    desk = Settled(self_custodied=(ALICE, BOB))
    desk.trade(50, 10_000, buyer=ALICE, seller=BOB)
    desk.price(9_000)
    desk.do(SetMarketStatus(market_id=MARKET, status="delisted", reason="the end"))
    desk.cut()

    desk.assert_settled()
    assert desk.kinds(ALICE)[-1] == desk.kinds(BOB)[-1] == "Reduction"


def test_it_goes_on_from_what_it_carried() -> None:
    """A fold that begins anew with books and orders tells the same as one that never stopped."""
    desk = Settled(self_custodied=(ALICE, BOB))
    desk.sell(BOB, 30, 10_000)
    desk.buy(ALICE, 5, 10_000, time_in_force="ioc")
    desk.cut()
    old = desk.fold
    orders = {order_id: replace(one) for order_id, one in old.orders.items()}
    books = {account_id: replace(book, positions=dict(book.positions)) for account_id, book in old.books.items()}
    desk.fold = Fold(
        books=books, markets=old.markets, self_custodied=old.self_custodied, orders=orders, address_of=address_of, wallet_of=address_of
    )
    desk.buy(ALICE, 25, 10_000, time_in_force="ioc")
    desk.cut()

    desk.assert_settled()
    assert [leaf.fields["filled_lots"] for account_id, leaf in desk.leaves if account_id == BOB and leaf.kind == "Trade"] == [0, 5]
    assert desk.engine.state.accounts[FAUCET].usdc_atoms() == desk.chain[FAUCET][QUOTE]


class SettledScene(Settled, Scene):
    """A fall of prices, folded: everybody but Alice, Bob and Charlie holds his account himself."""

    def crowd(self, draw: Random) -> list[int]:
        """Let some buy on much leverage from others; return the buyers."""
        buyers, sellers = OWNERS[:4], OWNERS[4:]
        for account_id in (*buyers, *sellers):
            self.join(account_id, draw.choice((25, 60, 200)) if account_id in buyers else 3_000)
        for account_id in buyers:
            room = self.account(account_id).available_atoms // USDC
            self.trade(draw.randint(room * 3, room * 4), 10_000, buyer=account_id, seller=draw.choice(sellers))
        return list(buyers)


@pytest.mark.parametrize("seed", range(12))
def test_it_settles_falls_in_which_accounts_are_liquidated(seed: int) -> None:
    """By the book in slices, by the backstop, by deleveraging, with insurance or without: always to the atom."""
    draw = Random(seed)  # noqa: S311
    desk = SettledScene(self_custodied=OWNERS, insurance=[0, 20, 10_000][seed % 3], backstop=[0, 10_000][seed % 2])
    desk.crowd(draw)
    desk.cut()
    for step in range(1, 7):
        price = 10_000 - step * draw.choice((40, 60, 150, 300))
        if seed % 4 < 2:
            for owner in OWNERS[4:]:
                desk.buy(owner, draw.randint(5, 60), price - draw.randint(1, 20), reduce_only=draw.random() < 0.3)
        desk.fall(price)
        desk.now_ms += 6_000
        if draw.random() < 0.5:
            desk.cut()
            desk.assert_settled()
    desk.cut()
    desk.assert_settled()
    kinds = {leaf.kind for owner, leaf in desk.leaves if owner in OWNERS}
    assert kinds & {"Reduction", "Bankruptcy"}, kinds


def test_it_meets_every_kind_of_leaf() -> None:
    """What the falls above say, taken together: no kind goes untried."""
    kinds: set[str] = set()
    for seed in range(12):
        draw = Random(seed)  # noqa: S311
        desk = SettledScene(self_custodied=OWNERS, insurance=0, backstop=0)
        desk.crowd(draw)
        desk.fall(9_000)
        desk.cut()
        desk.assert_settled()
        kinds |= {leaf.kind for owner, leaf in desk.leaves if owner in OWNERS}
    assert {"Bankruptcy", "Deleveraging", "Trade", "Credit"} <= kinds


def test_it_charges_the_liquidation_fee_in_the_reductions() -> None:
    desk = SettledScene(self_custodied=OWNERS)
    desk.join(OWNERS[0], 25)
    desk.trade(100, 10_000, buyer=OWNERS[0], seller=BOB)
    for account_id, price in ((ALICE, 9_832), (CHARLIE, 9_831)):
        desk.buy(account_id, 60, price)
    desk.fall(9_840)
    desk.cut()

    desk.assert_settled()
    fees = [leaf.fields["fee_atoms"] for owner, leaf in desk.leaves if owner == OWNERS[0] and leaf.kind == "Reduction"]
    assert fees
    assert sum(fees) > 0


def enter(desk: SettledScene, account_id: int, usdc: int, lots: int) -> None:
    """Let a wallet's account come with money of its own, and buy on much leverage."""
    desk.do(OpenAccount(account_id=account_id, self_custody=True))
    desk.do(Deposit(account_id=account_id, asset="USDC", amount_atoms=usdc * USDC, number=1, source_account_id=CUSTODY))
    desk.chain[account_id] = {QUOTE: usdc * USDC}
    desk.do(SetLeverage(account_id=account_id, market_id=MARKET, leverage=50))
    desk.sell(BOB, lots, 10_000)
    order = desk.order(account_id, "buy", lots, 10_000, signed=one_order(size_lots=lots, limit_ticks=10_000, fee_cap_ppm=600))
    assert desk.do(order).reject is None


def test_it_settles_liquidations_that_meet_many_small_orders() -> None:
    """Two are sold to one maker with many orders: a step ends before a batch is full, and a batch may end after each step."""
    desk = SettledScene(self_custodied=OWNERS)
    first, second, maker = OWNERS[:3]
    desk.join(maker, 3_000)
    for owner in (first, second):
        enter(desk, owner, 25, 100)
    for _ in range(190):
        desk.buy(maker, 1, 9_832)
    desk.cut()
    desk.fall(9_840)
    desk.cut()

    desk.assert_settled()
    assert desk.kinds(first).count("Reduction") > MAX_LEAVES
    assert desk.kinds(maker).count("Trade") > 2 * MAX_LEAVES


def test_it_settles_an_exit_that_meets_many_small_orders() -> None:
    desk = SettledScene(self_custodied=OWNERS)
    leaver, maker = OWNERS[:2]
    desk.join(maker, 3_000)
    enter(desk, leaver, 3_000, 150)
    for _ in range(150):
        desk.buy(maker, 1, 9_990)
    desk.do(CloseAccount(account_id=leaver))
    desk.cut()

    desk.assert_settled()
    assert desk.position(leaver) == 0
    assert desk.kinds(leaver).count("Reduction") == desk.kinds(maker).count("Trade") == 150


def test_it_settles_the_bankruptcy_of_a_platforms_account_without_touching_a_wallet() -> None:
    desk = SettledScene(self_custodied=OWNERS, insurance=0, backstop=0)
    winner, loser = OWNERS[0], 2_000
    desk.join(loser, 25)
    desk.do(OpenAccount(account_id=winner, self_custody=True))
    desk.do(Deposit(account_id=winner, asset="USDC", amount_atoms=3_000 * USDC, number=1, source_account_id=CUSTODY))
    desk.chain[winner] = {QUOTE: 3_000 * USDC}
    order = one_order(side="sell", size_lots=100, limit_ticks=10_000, fee_cap_ppm=600)
    assert desk.do(desk.order(winner, "sell", 100, 10_000, signed=order)).reject is None
    desk.buy(loser, 100, 10_000)
    desk.cut()
    desk.fall(9_000)
    desk.cut()

    desk.assert_settled()
    assert (desk.position(loser), desk.position(winner), desk.position(INSURANCE)) == (0, -100, 100)
    assert desk.kinds(winner) == ["Trade"]


def test_it_begins_with_what_was_traded_on_chain_before() -> None:
    """The first batch says what the platform's accounts have beside it, and nothing of a wallet's."""
    desk = Settled(self_custodied=(ALICE,), cash=0)
    desk.deposit(BOB, 100 * USDC)
    for number, (buyer, seller) in enumerate(((ALICE, CHARLIE), (BOB, ALICE), (CHARLIE, BOB)), start=1):
        desk.do(
            BookChainTrade(
                market_id=MARKET, buyer_account_id=buyer, seller_account_id=seller, size_lots=number, quote_atoms=number * 7, number=number
            )
        )
    booked = [event for event in desk.told if isinstance(event, ChainTradeBooked)]
    books = {account_id: replace(book, positions=dict(book.positions)) for account_id, book in desk.fold.books.items()}
    desk.fold = Fold(
        books={}, markets=desk.fold.markets, self_custodied=desk.fold.self_custodied, orders={}, address_of=address_of, wallet_of=address_of
    )
    desk.fold.start_from(books)
    assert desk.fold.touched_wallets() == [ALICE]
    for event in booked:
        desk.fold.note_on_chain(event)
    assert desk.fold.touched_wallets() == []
    desk.cut()

    desk.assert_settled()
    assert (len(booked), desk.kinds(ALICE)) == (3, [])
