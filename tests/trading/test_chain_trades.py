"""Trades that were made on chain: in the tables and on the socket they are fills like any other, and nobody's on the tape."""

import msgspec
import pytest

from accounts.models import Balance, LedgerTransfer
from markets.commands import BookChainTrade
from markets.models import Candle, Market, Trade
from risk.models import Liquidation, LiquidationStep
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, USDC, parameters
from tests.trading.lives import JournalledDesk, project
from tests.trading.test_broadcast_life import Exchange
from trading.models import Fill, Position
from trading.views.liquidation_rows import liquidation_row, sentence

VALUE, FEE = 20 * 9_900_000, 1_980


@pytest.fixture
def desk() -> JournalledDesk:
    """Alice buys of Bob on the book, then more on chain; there Charlie takes over some of it."""
    desk = JournalledDesk()
    desk.trade(10, 10_000)
    match = BookChainTrade(
        market_id=MARKET, buyer_account_id=ALICE, seller_account_id=BOB, size_lots=20, quote_atoms=200 * USDC, number=3, buy_order=bytes(32)
    )
    taken = BookChainTrade(
        market_id=MARKET,
        buyer_account_id=CHARLIE,
        seller_account_id=ALICE,
        size_lots=20,
        quote_atoms=VALUE - FEE,
        number=4,
        liquidated_account_id=ALICE,
        fee_atoms=FEE,
    )
    desk.do(match)
    desk.do(taken)
    return desk


@pytest.mark.django_db
def test_it_projects_both_sides(desk: JournalledDesk) -> None:
    project(desk.rows())

    fills = (
        Fill.objects.filter(kind="chain").order_by("id").values_list("id", "account_id", "side", "size_lots", "quote_atoms", "fee_atoms")
    )
    assert list(fills) == [
        (4, BOB, "sell", 20, 200 * USDC, 0),
        (5, ALICE, "buy", 20, 200 * USDC, 0),
        (6, ALICE, "sell", 20, VALUE - FEE, 0),
        (7, CHARLIE, "buy", 20, VALUE - FEE, 0),
    ]
    state = desk.engine.state
    held = {(p.account_id, p.size_lots, p.cost_atoms) for p in Position.objects.all()}
    assert held == {(one, h.size_lots, h.cost_atoms) for one, h in state.markets[MARKET].holders.items()}
    for account_id in (ALICE, BOB, CHARLIE):
        assert Balance.objects.get(account_id=account_id).amount_atoms == state.accounts[account_id].usdc_atoms()
    (lost,) = LedgerTransfer.objects.filter(trade_id=3)
    assert (lost.debit_account_id, lost.amount_atoms, lost.kind) == (ALICE, 20 * 10_000_000 - VALUE + FEE, "trade_pnl")
    assert (Trade.objects.count(), Candle.objects.filter(interval="1m").first().trades) == (1, 1)  # type: ignore[union-attr]
    assert Market.objects.get(id=MARKET).open_interest_lots == state.markets[MARKET].open_interest_lots == 30


@pytest.mark.django_db
def test_it_keeps_the_liquidation_with_the_others(desk: JournalledDesk) -> None:
    project(desk.rows())

    liquidation, step = Liquidation.objects.get(), LiquidationStep.objects.get()
    assert (liquidation.account_id, liquidation.closed_quote_atoms, liquidation.fee_atoms) == (ALICE, VALUE, FEE)
    assert (step.stage, step.position_lots, step.closed_lots, step.quote_atoms) == ("chain", 30, 20, VALUE)
    assert liquidation_row(liquidation, [step]).outcome == "Taken over on chain"
    assert "on chain" in sentence(step, parameters(MARKET))


def test_it_tells_the_sockets_of_both_sides(desk: JournalledDesk) -> None:
    exchange = Exchange(desk.sealed)
    while exchange.seq < len(desk.sealed) - 2:
        exchange.commit()
    exchange.watch(ALICE)

    (told,) = (msgspec.json.decode(one.payload) for one in exchange.commit(extra_ms=60_000) if one.topic == f"account:{ALICE}")

    (fill,) = told["fills"]
    assert (fill["kind"], fill["side"], fill["quote"], fill["order_id"]) == ("chain", "buy", "200.000000", "0")
    assert [position["size"] for position in told["positions"]] == ["0.30"]
    ticker = exchange.broadcaster.snapshot(f"ticker:{MARKET}")
    assert ticker is not None
    assert b'"open_interest":"0.30"' in ticker.payload
