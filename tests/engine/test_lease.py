"""Trading goes on only as long as nobody can match on chain: a lease that runs out halts everything but cancelling and money."""

import pytest

from markets.commands import CloseAccount, Deposit, SetMarketStatus, SetTradingLease, Withdraw
from markets.events import FundingPaid, MarketStatusChanged
from markets.ledger import CUSTODY, PENDING_WITHDRAWALS
from markets.views import Reply
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, START_MS, USDC, Desk
from trading.engine.engine import Engine
from trading.engine.snapshot import encode, state_hash
from trading.engine.state import HOUR_MS

LEASE_MS = START_MS + 60_000


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.trade(50, 10_000)
    lease(desk, LEASE_MS)
    return desk


def lease(desk: Desk, until_ms: int, reason: str = "") -> Reply:
    return desk.do(SetTradingLease(until_ms=until_ms, reason=reason))


def expire(desk: Desk) -> None:
    desk.wait(LEASE_MS - desk.now_ms)


def refusal(desk: Desk) -> tuple[str, object]:
    reject = desk.buy(CHARLIE, 5, 9_990).reject
    assert reject is not None
    return reject.code, reject.data.get("waits_for")


def test_it_halts_when_the_lease_runs_out(desk: Desk) -> None:
    resting = desk.sell(BOB, 5, 10_010).orders[0].order_id
    desk.wait(LEASE_MS - 1 - desk.now_ms)
    assert desk.buy(CHARLIE, 5, 9_990).reject is None

    expire(desk)

    assert refusal(desk) == ("EXCHANGE_HALTED", "chain")
    assert desk.market().status == "halted"
    assert desk.cancel(BOB, resting).reject is None


def test_it_says_so_with_the_command_that_comes_too_late(desk: Desk) -> None:
    desk.sell(BOB, 5, 10_010)
    desk.now_ms = LEASE_MS

    assert desk.buy(CHARLIE, 5, 10_010).reject is not None

    (changed,) = (event for event in desk.events if isinstance(event, MarketStatusChanged))
    assert (changed.market_id, changed.status, changed.author) == (0, "halted", "settlement")


def test_it_goes_on_by_itself_when_the_lease_is_renewed(desk: Desk) -> None:
    expire(desk)

    assert lease(desk, LEASE_MS + 60_000).reject is None

    assert desk.market().status == "normal"
    desk.sell(BOB, 5, 10_010)
    assert desk.buy(ALICE, 5, 10_010).reject is None
    assert desk.fills()


def test_it_ends_at_once_with_the_reason_that_it_is_given(desk: Desk) -> None:
    lease(desk, 1, "not live")

    (changed,) = (event for event in desk.events if isinstance(event, MarketStatusChanged))
    assert changed.reason == "not live"
    assert refusal(desk) == ("EXCHANGE_HALTED", "chain")
    again = lease(desk, 1, "not live").reject
    assert again is not None
    assert again.code == "NOTHING_TO_CHANGE"


def test_it_needs_no_lease_without_a_chain(desk: Desk) -> None:
    expire(desk)
    lease(desk, 0)

    desk.wait(10 * HOUR_MS)
    assert desk.market().status == "normal"


def test_it_leaves_staffs_halt_in_place(desk: Desk) -> None:
    desk.do(SetMarketStatus(market_id=0, status="halted", reason="staff"))
    expire(desk)
    lease(desk, LEASE_MS + 60_000)

    assert desk.market().status == "halted"
    assert refusal(desk) == ("EXCHANGE_HALTED", None)


def test_staff_cannot_open_it_before_the_chain_follows(desk: Desk) -> None:
    expire(desk)
    for status in ("halted", "normal", "post_only"):
        desk.do(SetMarketStatus(market_id=0, status=status, reason="staff"))
        assert desk.market().status == "halted"

    lease(desk, LEASE_MS + 60_000)

    assert desk.market().status == "post_only"


def test_it_moves_money_meanwhile_and_nobodys_position(desk: Desk) -> None:
    wallet = 5_000
    desk = Desk(wallets=(CHARLIE,), cash=100 * USDC)
    desk.lever(50)
    desk.trade(400, 10_000)
    lease(desk, 1)
    desk.do(Deposit(account_id=CHARLIE, asset="USDC", amount_atoms=wallet, number=1, source_account_id=CUSTODY))
    paid = Withdraw(account_id=CHARLIE, asset="USDC", amount_atoms=USDC, target_account_id=PENDING_WITHDRAWALS)
    assert desk.do(paid).reject is None
    assert desk.do(CloseAccount(account_id=CHARLIE)).reject is None
    desk.buy(BOB, 10, 9_000)

    desk.price(9_000)
    desk.confirm()

    assert (desk.position(ALICE), desk.position(BOB)) == (400, -400)


def test_it_pays_no_funding_while_the_chain_may_move_positions(desk: Desk) -> None:
    expire(desk)
    desk.price(10_000)
    desk.wait(HOUR_MS)

    paid = [event for event in desk.events if isinstance(event, FundingPaid) and event.market_id == MARKET]
    assert [(event.rate_ppb, event.payments) for event in paid] == [(0, ())]


def test_it_remembers_its_lease_through_snapshot_and_replay(desk: Desk) -> None:
    for _ in range(2):
        before = encode(desk.engine.state)
        desk.restart()
        assert encode(desk.engine.state) == before
        assert desk.replay() == state_hash(desk.engine.state)
        expire(desk)
    assert refusal(desk) == ("EXCHANGE_HALTED", "chain")
    assert Engine(desk.engine.state).state.paused
