"""An exit's account is closed on the book, inside the price limit, whoever signed what."""

from typing import Any

from markets.commands import CloseAccount, SetMarginMode, SetMarketStatus
from markets.rejects import Reject
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, Desk
from tests.engine.signing import signed

PRICE = 10_000


def wallet_desk(**more: Any) -> Desk:
    """Return a desk where Alice's account is a wallet's, and she is long ten lots."""
    desk = Desk(wallets=(ALICE,), **more)
    assert desk.do(desk.order(ALICE, "buy", 10, PRICE, signed=signed(size_lots=10, limit_ticks=PRICE))).reject is None
    desk.sell(BOB, 10, PRICE)
    assert desk.position(ALICE) == 10
    return desk


def test_it_sells_what_the_book_takes_without_a_fee() -> None:
    desk = wallet_desk()
    desk.buy(CHARLIE, 4, PRICE - 1)
    before = desk.account(ALICE).balances["USDC"]
    assert desk.do(CloseAccount(account_id=ALICE)).reject is None
    assert desk.position(ALICE) == 6
    (step,) = desk.named("LiquidationStepped")
    assert (step.stage, step.closed_lots, step.fee_atoms) == ("book", 4, 0)
    assert desk.account(ALICE).balances["USDC"] - before == step.realised_atoms
    assert len(desk.named("LiquidationStarted")) == len(desk.named("AccountLiquidated")) == 1

    desk.buy(CHARLIE, 6, PRICE - 1)
    desk.do(CloseAccount(account_id=ALICE))
    assert desk.position(ALICE) == 0


def test_it_waits_for_a_price_inside_the_limit() -> None:
    desk = wallet_desk()
    for _ in range(2):  # nobody there; then somebody, far off
        assert desk.do(CloseAccount(account_id=ALICE)).reject is None
        assert (desk.position(ALICE), desk.named("LiquidationStarted")) == (10, [])
        desk.buy(CHARLIE, 10, PRICE * 91 // 100)
    assert desk.book()[0] != []


def test_it_closes_a_short_one_and_cancels_its_orders() -> None:
    desk = Desk(wallets=(ALICE,))
    desk.do(desk.order(ALICE, "sell", 10, PRICE, signed=signed(side="sell", size_lots=10, limit_ticks=PRICE)))
    desk.buy(BOB, 10, PRICE)
    desk.do(desk.order(ALICE, "sell", 5, PRICE + 50, signed=signed(side="sell", size_lots=5, limit_ticks=PRICE + 50, nonce=2)))
    desk.sell(CHARLIE, 10, PRICE + 1)
    assert desk.do(CloseAccount(account_id=ALICE)).reject is None
    assert (desk.position(ALICE), desk.account(ALICE).orders) == (0, ())


def test_it_leaves_a_market_at_rest_and_other_peoples_accounts_alone() -> None:
    desk = wallet_desk()
    desk.buy(CHARLIE, 10, PRICE - 1)
    desk.do(SetMarketStatus(market_id=MARKET, status="cancel_only", reason="test"))
    desk.do(CloseAccount(account_id=ALICE))
    assert desk.position(ALICE) == 10
    assert desk.do(CloseAccount(account_id=BOB)).reject == Reject("INVALID_COMBINATION", {"field": "account_id"})
    assert desk.do(CloseAccount(account_id=5_000)).reject == Reject("ACCOUNT_NOT_FOUND")


def test_it_closes_isolated_positions_too() -> None:
    desk = Desk(wallets=(ALICE,))
    desk.do(SetMarginMode(account_id=ALICE, market_id=MARKET, mode="isolated"))
    desk.do(desk.order(ALICE, "buy", 10, PRICE, signed=signed(size_lots=10, limit_ticks=PRICE)))
    desk.sell(BOB, 10, PRICE)
    desk.buy(CHARLIE, 10, PRICE - 1)
    desk.do(CloseAccount(account_id=ALICE))
    assert (desk.position(ALICE), desk.account(ALICE).isolated_atoms) == (0, {})


def test_it_takes_as_many_steps_as_small_orders_need() -> None:
    """A step is settled on chain in one batch, which holds so many fills of an account."""
    desk = Desk(wallets=(ALICE,))
    desk.do(desk.order(ALICE, "buy", 50, PRICE, signed=signed(size_lots=50, limit_ticks=PRICE)))
    desk.sell(BOB, 50, PRICE)
    for _ in range(40):
        desk.buy(CHARLIE, 1, PRICE - 1)
    desk.do(CloseAccount(account_id=ALICE))
    assert [step.closed_lots for step in desk.named("LiquidationStepped")] == [15, 15, 10]
    assert desk.position(ALICE) == 10


def test_it_delists_no_market_while_a_wallet_holds_a_position_there() -> None:
    """Nothing on chain would allow to settle it: the owner closes it, or leaves."""
    desk = wallet_desk()
    ending = SetMarketStatus(market_id=MARKET, status="delisted", reason="the end")
    assert desk.do(ending).reject == Reject("SELF_CUSTODY", {"positions": 1})
    assert desk.market().status == "normal"

    desk.buy(CHARLIE, 10, PRICE - 1)
    desk.do(CloseAccount(account_id=ALICE))
    assert desk.do(ending).reject is None
    assert desk.position(CHARLIE) == desk.position(ALICE) == 0
