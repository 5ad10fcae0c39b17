"""Self-custodied accounts: the engine does what their owners signed, and nothing else."""

from typing import Any

import msgspec
import pytest

from markets.commands import (
    AdjustBalance,
    CancelNonces,
    Deposit,
    PlaceBatch,
    RevokeKey,
    SetMarketStatus,
    Transfer,
    UpdateMarket,
    Withdraw,
)
from markets.events import KeyRevoked, NoncesCancelled
from markets.ledger import CUSTODY, FAUCET, FEES, PENDING_WITHDRAWALS
from markets.rejects import Reject
from markets.views import Reply
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, START_MS, USDC, Desk, parameters
from tests.engine.signing import DAY_MS, KEY, OTHER_KEY, signed
from trading.engine.signatures import MAX_REMEMBERED

HOUR_MS = 3_600_000


def wallet_desk(**more: Any) -> Desk:
    """Return a desk where a wallet owns Alice's account."""
    return Desk(wallets=(ALICE,), **more)


def refusal(reply: Reply) -> Any:
    """Return why a command was refused: the rule of a signature's refusal, else the code."""
    if reply.reject is None:
        return None
    return reply.reject.data.get("rule") if reply.reject.code == "SIGNATURE_REFUSED" else reply.reject.code


def test_it_takes_an_order_that_was_signed() -> None:
    desk = wallet_desk()
    order = desk.order(ALICE, "buy", 10, 9_990, signed=signed())
    assert desk.do(order).reject is None
    assert desk.named("OrderAccepted")[0].order.signed == order.signed
    desk.sell(BOB, 10, 9_990)
    assert desk.position(ALICE) == 10


def test_it_takes_no_unsigned_order() -> None:
    desk = wallet_desk()
    assert desk.buy(ALICE, 10, 9_990).reject == Reject("SIGNATURE_REQUIRED")
    assert desk.book() == ([], [])


def test_it_asks_no_signature_of_other_accounts() -> None:
    assert wallet_desk().buy(BOB, 10, 9_990, signed=b"anything").reject is None


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("take_profit", {"take_profit_ticks": 11_000}),
        ("stop_loss", {"stop_loss_ticks": 9_000}),
        ("close_position", {"type": "stop_market", "price_ticks": 0, "size_lots": 0, "trigger_ticks": 9_000, "close_position": True}),
    ],
)
def test_it_places_nothing_by_itself(field: str, more: dict[str, Any]) -> None:
    desk = wallet_desk()
    order = msgspec.structs.replace(desk.order(ALICE, "buy", 10, 9_990, signed=signed()), **more)
    assert desk.do(order).reject == Reject("SIGNATURE_REQUIRED", {"field": field})


MALFORMED = {
    "Length": lambda data: data[:-1],
    "Tag": lambda data: b"X" + data[1:],
    "Side": lambda data: data[:110] + b"\x02" + data[111:],
    "Size": lambda data: data[:111] + bytes(8) + data[119:],
    "Limit": lambda data: data[:119] + bytes(8) + data[127:],
    "Flags": lambda data: data[:131] + b"\x02" + data[132:],
}


@pytest.mark.parametrize("rule", MALFORMED)
def test_it_names_what_is_malformed(rule: str) -> None:
    reply = wallet_desk().buy(ALICE, 10, 9_990, signed=MALFORMED[rule](signed()))
    assert reply.reject == Reject("SIGNED_ORDER_MALFORMED", {"rule": rule})


@pytest.mark.parametrize(
    ("rule", "terms"),
    [
        ("OtherMarket", {"market_id": OTHER}),
        ("Expired", {"expiry_ms": START_MS}),
        ("ExpiresTooLate", {"expiry_ms": START_MS + 91 * DAY_MS}),
        ("NonceAhead", {"nonce": START_MS + HOUR_MS}),
        ("OtherSide", {"side": "sell"}),
        ("Overfilled", {"size_lots": 9}),
        ("OutsideLimit", {"limit_ticks": 9_989}),
        ("FeeAboveCap", {"fee_cap_ppm": 499}),
        ("NotReducing", {"reduce_only": True}),
        (None, {}),
        (None, {"size_lots": 11, "limit_ticks": 9_991, "fee_cap_ppm": 501}),
    ],
)
def test_it_takes_what_the_terms_allow(rule: str | None, terms: dict[str, Any]) -> None:
    assert refusal(wallet_desk().buy(ALICE, 10, 9_990, signed=signed(**terms))) == rule


def test_it_holds_sellers_to_their_limit_too() -> None:
    desk = wallet_desk()
    assert refusal(desk.sell(ALICE, 10, 10_010, signed=signed(side="sell", limit_ticks=10_011))) == "OutsideLimit"
    assert refusal(desk.sell(ALICE, 10, 10_010, signed=signed(side="sell", limit_ticks=10_010))) is None


def test_it_uses_a_signed_order_once() -> None:
    desk = wallet_desk()
    once = signed()
    first = desk.buy(ALICE, 5, 9_990, signed=once).orders[0]
    assert refusal(desk.buy(ALICE, 5, 9_990, signed=once)) == "SIGNATURE_USED"
    desk.cancel(ALICE, first.order_id)
    desk.restart()
    assert refusal(desk.buy(ALICE, 5, 9_990, signed=once)) == "SIGNATURE_USED"


def test_it_answers_a_repeat_with_the_first_order() -> None:
    desk = wallet_desk()
    order = desk.order(ALICE, "buy", 10, 9_990, signed=signed(), client_order_id="mine")
    first = desk.do(order)
    assert desk.do(order) == first
    assert desk.events == []


def test_it_takes_an_order_signed_after_it_was_refused_unsigned() -> None:
    desk = wallet_desk()
    desk.buy(ALICE, 10, 9_990, client_order_id="mine")
    assert desk.buy(ALICE, 10, 9_990, client_order_id="mine", signed=signed()).reject is None


def test_it_ends_an_order_with_its_signature() -> None:
    desk = wallet_desk()
    once = signed(expiry_ms=START_MS + HOUR_MS)
    order_id = desk.buy(ALICE, 10, 9_990, signed=once).orders[0].order_id
    desk.restart()
    desk.wait(START_MS + HOUR_MS - desk.now_ms - 1)
    assert desk.order_status(ALICE, order_id) == "open"
    desk.wait(1)
    assert desk.named("OrderCancelled")[0].reason == "expired"
    assert desk.engine.state.accounts[ALICE].signed == {}
    desk.price(10_000)
    assert refusal(desk.buy(ALICE, 10, 9_990, signed=once)) == "Expired"


def test_it_takes_a_market_order_to_the_signed_limit() -> None:
    desk = wallet_desk()
    desk.sell(BOB, 5, 10_000)
    desk.sell(BOB, 5, 10_010)
    desk.buy(ALICE, 10, signed=signed(limit_ticks=10_005))
    assert [(fill.price_ticks, fill.size_lots) for fill in desk.fills()] == [(10_000, 5)]
    assert desk.named("OrderCancelled")[0].reason == "slippage"
    assert refusal(desk.buy(ALICE, 5, signed=signed(limit_ticks=9_999))) == "NO_LIQUIDITY"


def test_it_keeps_a_market_orders_own_worst_price() -> None:
    desk = wallet_desk()
    worst = desk.buy(ALICE, 10, signed=signed(limit_ticks=10_900))
    assert worst.reject == Reject("NO_LIQUIDITY", {"worst_ticks": 10_500})


def test_it_stops_filling_when_fees_have_risen_above_the_cap() -> None:
    desk = wallet_desk()
    desk.buy(ALICE, 10, 9_990, signed=signed())
    desk.do(UpdateMarket(parameters=parameters(maker_fee_ppm=501, taker_fee_ppm=501)))
    assert refusal(desk.sell(BOB, 10, 9_990, time_in_force="fok")) == "FOK_UNFILLABLE"
    desk.sell(BOB, 10, 9_990, time_in_force="ioc")
    assert [event.reason for event in desk.named("OrderCancelled")] == ["signature", "ioc"]
    assert desk.position(ALICE) == 0


def test_it_lets_a_trigger_fire_within_what_was_signed() -> None:
    desk = wallet_desk()
    desk.buy(ALICE, 10, 10_000, signed=signed(limit_ticks=10_000))
    desk.sell(BOB, 10, 10_000)
    stop = signed(side="sell", limit_ticks=9_890, reduce_only=True)
    desk.place(ALICE, "sell", 10, type="stop_market", trigger_ticks=9_900, reduce_only=True, signed=stop)
    desk.restart()
    desk.buy(CHARLIE, 5, 9_895)
    desk.buy(CHARLIE, 5, 9_880)
    desk.price(9_890)
    assert [(fill.price_ticks, fill.size_lots) for fill in desk.fills()] == [(9_895, 5)]
    assert desk.position(ALICE) == 5


class TestAmending:
    """Only less of the same needs no new signature."""

    def placed(self) -> tuple[Desk, int]:
        """Return a desk where 4 of the 10 lots that Alice bids for are filled."""
        desk = wallet_desk()
        order_id = desk.buy(ALICE, 10, 9_990, signed=signed()).orders[0].order_id
        desk.sell(BOB, 4, 9_990)
        return desk, order_id

    def test_it_shrinks_unsigned(self) -> None:
        desk, order_id = self.placed()
        assert desk.amend(ALICE, order_id, size_lots=8).reject is None
        assert desk.named("OrderAmended")[0].signed == b""

    @pytest.mark.parametrize(
        "change", [{"size_lots": 12}, {"price_ticks": 9_991}, {"price_ticks": 9_980}, {"size_lots": 8, "price_ticks": 1}]
    )
    def test_it_changes_nothing_else_unsigned(self, change: dict[str, int]) -> None:
        desk, order_id = self.placed()
        assert refusal(desk.amend(ALICE, order_id, **change)) == "SIGNATURE_REQUIRED"
        assert desk.book() == ([(9_990, 6)], [])

    def test_it_goes_on_under_a_new_signature_for_the_rest(self) -> None:
        desk, order_id = self.placed()
        anew = signed(size_lots=8, limit_ticks=9_995, expiry_ms=START_MS + 2 * DAY_MS)
        assert desk.amend(ALICE, order_id, size_lots=12, price_ticks=9_995, signed=anew).reject is None
        assert desk.named("OrderAmended")[0].signed == anew
        desk.restart()
        desk.wait(DAY_MS)  # past the first one's expiry
        desk.price(10_000)
        desk.sell(BOB, 20, 9_995)
        assert desk.position(ALICE) == 12

    @pytest.mark.parametrize(
        ("rule", "terms"),
        [
            ("Overfilled", {"size_lots": 7}),
            ("OutsideLimit", {"limit_ticks": 9_994}),
            ("OtherSide", {"side": "sell"}),
            ("FeeAboveCap", {"fee_cap_ppm": 0}),
            ("Expired", {"expiry_ms": 0}),
        ],
    )
    def test_it_refuses_a_new_signature_that_is_for_less(self, rule: str, terms: dict[str, Any]) -> None:
        desk, order_id = self.placed()
        anew = signed(**({"size_lots": 8, "limit_ticks": 9_995} | terms))
        assert refusal(desk.amend(ALICE, order_id, size_lots=12, price_ticks=9_995, signed=anew)) == rule
        assert desk.book() == ([(9_990, 6)], [])

    def test_it_keeps_a_signature_whose_amendment_was_refused(self) -> None:
        desk, order_id = self.placed()
        anew = signed(limit_ticks=20_000)
        assert refusal(desk.amend(ALICE, order_id, price_ticks=20_000, signed=anew)) == "PRICE_OUT_OF_BAND"
        assert desk.amend(ALICE, order_id, price_ticks=9_991, signed=anew).reject is None
        assert refusal(desk.amend(ALICE, order_id, price_ticks=9_992, signed=anew)) == "SIGNATURE_USED"

    def test_it_moves_a_trigger_under_a_new_signature(self) -> None:
        desk = wallet_desk()
        waiting = desk.place(ALICE, "buy", 10, type="stop_market", trigger_ticks=10_100, signed=signed(limit_ticks=10_200)).orders[0]
        assert refusal(desk.amend(ALICE, waiting.order_id, trigger_ticks=10_150)) == "SIGNATURE_REQUIRED"
        assert desk.amend(ALICE, waiting.order_id, size_lots=5).reject is None
        assert desk.amend(ALICE, waiting.order_id, trigger_ticks=10_150, signed=signed(limit_ticks=10_200)).reject is None


class TestTakingBack:
    def test_it_cancels_what_a_revoked_key_signed(self) -> None:
        desk = wallet_desk()
        desk.buy(ALICE, 10, 9_990, signed=signed())
        kept = desk.buy(ALICE, 10, 9_980, signed=signed(OTHER_KEY)).orders[0]
        revoke = RevokeKey(account_id=ALICE, key=bytes(KEY.pubkey()))
        assert len(desk.do(revoke).orders) == 1
        assert desk.named("KeyRevoked") == [KeyRevoked(account_id=ALICE, key=bytes(KEY.pubkey()))]
        assert desk.named("OrderCancelled")[0].reason == "signature"
        desk.restart()
        assert refusal(desk.buy(ALICE, 10, 9_990, signed=signed())) == "KeyRevoked"
        assert desk.order_status(ALICE, kept.order_id) == "open"
        assert (desk.do(revoke).orders, desk.events) == ((), [])

    def test_it_cancels_nonces_for_ever(self) -> None:
        desk = wallet_desk()
        desk.buy(ALICE, 10, 9_990, signed=signed(nonce=100))
        kept = desk.buy(ALICE, 10, 9_980, signed=signed(nonce=101)).orders[0]
        assert len(desk.do(CancelNonces(account_id=ALICE, min_nonce=101)).orders) == 1
        assert desk.named("NoncesCancelled") == [NoncesCancelled(account_id=ALICE, min_nonce=101)]
        desk.restart()
        assert refusal(desk.buy(ALICE, 10, 9_990, signed=signed(nonce=100, limit_ticks=9_999))) == "NonceCancelled"
        assert desk.order_status(ALICE, kept.order_id) == "open"
        assert (desk.do(CancelNonces(account_id=ALICE, min_nonce=50)).orders, desk.events) == ((), [])

    def test_it_finds_only_users_accounts(self) -> None:
        desk = wallet_desk()
        for command in (RevokeKey(account_id=FEES, key=bytes(32)), CancelNonces(account_id=5_000, min_nonce=1)):
            assert desk.do(command).reject == Reject("ACCOUNT_NOT_FOUND")

    def test_it_always_cancels(self) -> None:
        desk = wallet_desk()
        order_id = desk.buy(ALICE, 10, 9_990, signed=signed()).orders[0].order_id
        desk.do(SetMarketStatus(market_id=MARKET, status="cancel_only", reason="test"))
        assert desk.cancel(ALICE, order_id).reject is None


def test_it_remembers_no_more_signed_orders_than_it_has_room_for() -> None:
    desk = wallet_desk()
    used = [number.to_bytes(32, "little") for number in range(MAX_REMEMBERED - 1)]
    expiry_ms = START_MS + HOUR_MS
    desk.engine.state.accounts[ALICE].signed.update(dict.fromkeys(used, expiry_ms))
    desk.engine.state.signed_expiries.extend((expiry_ms, ALICE, digest) for digest in used)
    desk.buy(ALICE, 10, 9_990, signed=signed(expiry_ms=expiry_ms), time_in_force="ioc")
    assert desk.buy(ALICE, 10, 9_990, signed=signed()).reject == Reject("TOO_MANY_SIGNED", {"max_signed": MAX_REMEMBERED})
    out = desk.buy(ALICE, 10, 9_990, signed=signed(reduce_only=True), reduce_only=True)
    assert out.reject == Reject("REDUCE_ONLY", {"position_lots": 0})  # there is nothing to reduce, but the room would be there
    desk.wait(HOUR_MS)
    desk.price(10_000)
    assert desk.buy(ALICE, 10, 9_990, signed=signed()).reject is None


def test_it_judges_a_batchs_items_one_by_one() -> None:
    desk = wallet_desk()
    items = (desk.order(ALICE, "buy", 10, 9_990, signed=signed()), desk.order(ALICE, "buy", 10, 9_990))
    assert [refusal(reply) for reply in desk.do(PlaceBatch(account_id=ALICE, items=items)).results] == [None, "SIGNATURE_REQUIRED"]


@pytest.mark.parametrize(
    "command",
    [
        Transfer(account_id=ALICE, to_account_id=BOB, asset="USDC", amount_atoms=1),
        Withdraw(account_id=ALICE, asset="USDC", amount_atoms=1, target_account_id=FAUCET),
        AdjustBalance(debit_account_id=ALICE, credit_account_id=FEES, asset="USDC", amount_atoms=1, reason="r", author="a"),
        AdjustBalance(debit_account_id=FAUCET, credit_account_id=ALICE, asset="BTC", amount_atoms=1, reason="r", author="a"),
        Deposit(account_id=ALICE, asset="BTC", amount_atoms=1, number=2, source_account_id=FAUCET),
        Transfer(account_id=BOB, to_account_id=ALICE, asset="BTC", amount_atoms=1),
    ],
    ids=lambda command: type(command).__name__,
)
def test_it_lets_money_go_through_the_chain_only(command: Any) -> None:
    desk = wallet_desk()
    desk.admit()
    desk.deposit(BOB, 10, "BTC")
    assert refusal(desk.do(command)) == "SELF_CUSTODY"
    assert desk.events == []


def test_it_lets_a_wallets_money_leave_by_the_chain() -> None:
    desk = wallet_desk()
    for target in (PENDING_WITHDRAWALS, CUSTODY):
        assert desk.do(Withdraw(account_id=ALICE, asset="USDC", amount_atoms=1, target_account_id=target)).reject is None
    assert desk.do(Transfer(account_id=BOB, to_account_id=ALICE, asset="USDC", amount_atoms=1)).reject is None


def test_it_liquidates_without_a_signature() -> None:
    desk = wallet_desk(cash=200 * USDC)
    desk.lever(50)
    desk.deposit(BOB, 100_000 * USDC)
    desk.deposit(CHARLIE, 100_000 * USDC)
    desk.buy(ALICE, 900, 10_000, signed=signed(size_lots=900, limit_ticks=10_000))
    desk.sell(BOB, 900, 10_000)
    assert desk.position(ALICE) == 900
    desk.buy(CHARLIE, 900, 9_850)
    desk.price(9_830)
    desk.confirm()
    assert desk.position(ALICE) < 900
