"""Trades that were made on chain, while the exchange had fallen back, move exactly what the program moved, whatever rules say here."""

from random import Random
from typing import Any

import pytest

from markets.commands import BookChainTrade, SetMarketStatus
from markets.events import AccountLiquidated, ChainTradeBooked, LiquidationStepped
from markets.ledger import CLEARING, INSURANCE
from markets.signed_orders import order_hash, take_apart
from markets.views import Reply
from tests.engine.chance import ACCOUNTS, Chance
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, USDC, Desk
from tests.engine.signing import signed
from trading.engine.snapshot import state_hash


def book(desk: Desk, lots: int, quote: int, *, number: int = 1, buyer: int = ALICE, seller: int = BOB, **more: Any) -> Reply:
    return desk.do(trade(lots, quote, number=number, buyer=buyer, seller=seller, **more))


def trade(lots: int, quote: int, *, number: int, buyer: int = ALICE, seller: int = BOB, **more: Any) -> BookChainTrade:
    fields = {"market_id": MARKET, "size_lots": lots, "quote_atoms": quote, "number": number} | more
    return BookChainTrade(buyer_account_id=buyer, seller_account_id=seller, **fields)


def worth(desk: Desk, account_id: int) -> int:
    """Return what the account's balance on chain is: its USDC less the costs of its positions."""
    account = desk.engine.state.accounts[account_id]
    return account.usdc_atoms() - sum(holding.cost_atoms for holding in account.holdings.values())


def test_it_moves_what_the_chain_moved_to_the_atom() -> None:
    desk = Desk()
    before = {one: worth(desk, one) for one in (ALICE, BOB)}

    assert book(desk, 7, 70_000_013).reject is None

    assert (desk.position(ALICE), desk.position(BOB)) == (7, -7)
    assert (worth(desk, ALICE), worth(desk, BOB)) == (before[ALICE] - 70_000_013, before[BOB] + 70_000_013)
    (told,) = desk.named("ChainTradeBooked")
    assert (told.trade_id, told.buyer_position_lots, told.seller_cost_atoms) == (1, 7, -70_000_013)
    assert desk.replay() == state_hash(desk.engine.state)


@pytest.mark.parametrize("lots", [3, 10, 25])
def test_it_reduces_closes_and_turns_positions(lots: int) -> None:
    desk = Desk()
    desk.trade(10, 10_000)
    before = {one: worth(desk, one) for one in (ALICE, BOB)}

    book(desk, lots, lots * 10_000_001, buyer=BOB, seller=ALICE)

    assert (desk.position(ALICE), desk.position(BOB)) == (10 - lots, lots - 10)
    assert worth(desk, ALICE) - before[ALICE] == before[BOB] - worth(desk, BOB) == lots * 10_000_001
    (told,) = desk.named("ChainTradeBooked")
    paid = told.buyer_pnl_atoms + told.seller_pnl_atoms
    assert desk.engine.state.accounts[CLEARING].cross.cash_atoms == -paid


def test_it_books_an_event_once_and_in_its_accounts_order() -> None:
    desk = Desk()
    book(desk, 5, 50 * USDC, number=4)
    for number, buyer in ((4, ALICE), (3, CHARLIE)):
        refused = book(desk, 5, 50 * USDC, number=number, buyer=buyer).reject
        assert refused is not None
        assert refused.code == "OUT_OF_SEQUENCE"
    desk.restart()
    again = book(desk, 5, 50 * USDC, number=4).reject

    assert again is not None
    assert again.data == {"last_number": 4}
    assert book(desk, 5, 50 * USDC, number=2, buyer=CHARLIE, seller=INSURANCE).reject is None
    assert (desk.position(ALICE), desk.position(CHARLIE)) == (5, 5)


def test_it_asks_neither_states_nor_limits_nor_margin() -> None:
    desk = Desk(cash=10 * USDC, max_position_lots=50, max_open_interest_lots=50)
    desk.do(SetMarketStatus(market_id=0, status="halted", reason="staff"))

    assert book(desk, 5_000, 50_000 * USDC).reject is None

    assert desk.position(ALICE) == 5_000
    assert desk.account(ALICE).available_atoms < 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"seller": ALICE}, "INVALID_COMBINATION"),
        ({"liquidated_account_id": CHARLIE}, "INVALID_COMBINATION"),
        ({"buy_order": b"short"}, "INVALID_COMBINATION"),
        ({"seller": CLEARING}, "ACCOUNT_NOT_FOUND"),
        ({"buyer": 5_555}, "ACCOUNT_NOT_FOUND"),
        ({"market_id": 99}, "MARKET_NOT_FOUND"),
        ({"size_lots": 0}, "INVALID_SIZE"),
        ({"quote_atoms": -1}, "INVALID_AMOUNT"),
        ({"number": 0}, "OUT_OF_SEQUENCE"),
    ],
)
def test_it_refuses_what_no_chain_does(changes: dict[str, Any], code: str) -> None:
    desk = Desk()
    before = state_hash(desk.engine.state)

    reply = desk.do(trade(**({"lots": 5, "quote": 50 * USDC, "number": 1} | changes)))

    assert reply.reject is not None
    assert reply.reject.code == code
    assert state_hash(desk.engine.state) == before


def test_it_shrinks_orders_that_only_reduce() -> None:
    desk = Desk()
    desk.trade(10, 10_000)
    kept = desk.sell(ALICE, 10, 10_100, reduce_only=True).orders[0].order_id

    book(desk, 6, 60 * USDC, buyer=BOB, seller=ALICE)

    assert desk.book()[1] == [(10_100, 4)]
    book(desk, 4, 40 * USDC, number=2, buyer=BOB, seller=ALICE)
    assert desk.order_status(ALICE, kept) == "cancelled"


def test_it_never_fills_an_order_again_that_the_chain_has_filled() -> None:
    desk = Desk(wallets=(ALICE,))
    placed, kept_back = signed(), signed()
    order_id = desk.buy(ALICE, 10, 9_990, signed=placed).orders[0].order_id
    hashes = [order_hash(take_apart(one).data) for one in (placed, kept_back)]

    for number, digest in enumerate(hashes, start=1):
        book(desk, 4, 40 * USDC, number=number, buy_order=digest)

    assert desk.order_status(ALICE, order_id) == "cancelled"
    for one in (placed, kept_back):
        refused = desk.buy(ALICE, 6, 9_990, signed=one).reject
        assert refused is not None
        assert refused.code == "SIGNATURE_USED"
    desk.restart()
    desk.wait(10**10)  # beyond any order's life here: what was never placed may have been signed for longer
    later = desk.buy(ALICE, 6, 9_990, signed=kept_back).reject
    assert later is not None
    assert later.code in ("SIGNATURE_REFUSED", "SIGNATURE_USED")
    assert hashes[1] in desk.engine.state.accounts[ALICE].signed


def test_it_records_a_liquidation_with_what_it_cost() -> None:
    desk = Desk(cash=100 * USDC)
    desk.lever(50)
    desk.trade(400, 10_000)
    value, fee = 200 * 9_900_000, 19_800

    book(desk, 200, value - fee, buyer=CHARLIE, seller=ALICE, liquidated_account_id=ALICE, fee_atoms=fee)

    (step,) = (event for event in desk.events if isinstance(event, LiquidationStepped))
    (ended,) = (event for event in desk.events if isinstance(event, AccountLiquidated))
    assert (step.stage, step.position_lots, step.closed_lots, step.quote_atoms, step.fee_atoms) == ("chain", 400, 200, value, fee)
    assert step.realised_atoms == value - 200 * 10_000_000
    assert (ended.closed_quote_atoms, ended.fee_atoms, ended.steps, ended.liquidation_id) == (value, fee, 1, step.liquidation_id)
    (told,) = desk.named("ChainTradeBooked")
    assert (told.liquidated_account_id, told.liquidation_id) == (ALICE, step.liquidation_id)


def test_it_records_a_short_that_was_liquidated() -> None:
    desk = Desk(cash=100 * USDC)
    desk.lever(50)
    desk.trade(400, 10_000, buyer=BOB, seller=ALICE)
    value, fee = 400 * 10_100_000, 40_400

    book(desk, 400, value + fee, buyer=ALICE, seller=CHARLIE, liquidated_account_id=ALICE, fee_atoms=fee)

    (step,) = (event for event in desk.events if isinstance(event, LiquidationStepped))
    assert (step.position_lots, step.closed_lots, step.quote_atoms, step.realised_atoms) == (-400, -400, value, -400 * 100_000)
    assert worth(desk, ALICE) == desk.account(ALICE).balances["USDC"]


def test_it_liquidates_what_a_trade_on_chain_left_short() -> None:
    """An account that the chain let grow is swept like any other once prices go on."""
    desk = Desk(cash=100 * USDC)
    desk.lever(50)
    book(desk, 400, 400 * 10_000_000)
    desk.buy(CHARLIE, 400, 9_850)

    desk.price(9_800)
    desk.confirm()

    assert desk.position(ALICE) < 400


@pytest.mark.parametrize("seed", range(3))
def test_it_keeps_every_promise_through_a_random_life_with_trades_on_chain(seed: int) -> None:
    desk = Desk(cash=[600 * USDC, 5_000 * USDC, 200_000 * USDC][seed])
    desk.lever([50, 5][seed % 2])
    desk.admit()
    draw, number = Random(seed), 0  # noqa: S311
    for command in Chance(desk, 900 + seed).commands(300):
        desk.do(command)
        if draw.random() < 0.3:
            number += draw.randint(0, 2)
            buyer, seller = draw.sample((*ACCOUNTS, INSURANCE), 2)
            lots = draw.choice((1, 7, 50, 400))
            side = draw.choice((0, 0, buyer, seller))
            market_id = draw.choice((MARKET, OTHER))
            quote = lots * draw.randint(9_000_000, 11_000_000) + draw.randint(0, 99)
            desk.do(trade(lots, quote, number=number, buyer=buyer, seller=seller, market_id=market_id, liquidated_account_id=side))
    booked = [command for _, command in desk.batches if isinstance(command, BookChainTrade)]
    assert len(booked) > 50
    assert desk.replay() == state_hash(desk.engine.state)
    before = state_hash(desk.engine.state)
    desk.restart()
    assert state_hash(desk.engine.state) == before


def test_it_tells_of_each_trade_once() -> None:
    desk = Desk()
    book(desk, 5, 50 * USDC)
    assert [event for event in desk.events if isinstance(event, ChainTradeBooked)]
    book(desk, 5, 50 * USDC)
    assert desk.events == []
