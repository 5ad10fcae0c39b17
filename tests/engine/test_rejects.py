"""Each reject code, and that of two that hold the one that comes first in PRECEDENCE is answered."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import msgspec
import pytest

from markets.commands import (
    AdjustBalance,
    AmendOrder,
    CancelOrder,
    Command,
    CreateMarket,
    Deposit,
    PlaceBatch,
    PlaceOrder,
    SetDeadMansSwitch,
    SetLeverage,
    SetMarketStatus,
    Transfer,
    UpdateMarket,
    Withdraw,
)
from markets.ledger import FAUCET, FEES
from markets.rejects import PRECEDENCE
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, START_MS, USDC, Desk, parameters


class Fault:
    """One thing wrong with an otherwise good limit buy of 100 lots at 9,990: in its fields, or in the world around it."""

    def __init__(self, code: str, prepare: Callable[[Desk], object] | None = None, **fields: Any) -> None:
        self.code = code
        self.prepare = prepare
        self.fields = fields


def status(market_id: int, name: Any) -> Callable[[Desk], object]:
    return lambda desk: desk.do(SetMarketStatus(market_id=market_id, status=name, reason="test"))


def fill_up(desk: Desk) -> None:
    for _ in range(5):
        desk.buy(ALICE, 10, 9_500)


def limit_interest(desk: Desk) -> None:
    desk.do(
        UpdateMarket(
            parameters=msgspec.structs.replace(parameters(min_notional_atoms=50 * USDC, max_open_orders=5), max_open_interest_lots=99)
        )
    )


FAULTS = (
    Fault("EXPIRED", valid_until_ms=START_MS - 1),
    Fault("ACCOUNT_NOT_FOUND", account_id=5_000),
    Fault("MARKET_NOT_FOUND", market_id=77),
    Fault("DUPLICATE_ID", lambda desk: desk.buy(ALICE, 10, 9_000, client_order_id="mine"), client_order_id="mine"),
    Fault("EXCHANGE_HALTED", status(0, "halted")),
    Fault("MARKET_HALTED", status(MARKET, "halted")),
    Fault("MARKET_CANCEL_ONLY", status(MARKET, "cancel_only")),
    Fault("MARKET_POST_ONLY", status(MARKET, "post_only")),
    Fault("INVALID_COMBINATION", link_id=1),
    Fault("INVALID_SIZE", size_lots=0),
    Fault("SIZE_TOO_LARGE", size_lots=10**12 + 1),
    Fault("INVALID_PRICE", price_ticks=-1),
    Fault("INVALID_TRIGGER", stop_loss_ticks=15_000),
    Fault("GOOD_TILL_IN_PAST", time_in_force="gtd", good_till_ms=START_MS - 1),
    Fault("PRICE_STALE", lambda desk: desk.wait(60_001)),
    Fault("PRICE_OUT_OF_BAND", price_ticks=11_001),
    Fault("MIN_NOTIONAL", size_lots=4),
    Fault("TOO_MANY_ORDERS", fill_up),
    Fault("REDUCE_ONLY", reduce_only=True),
    Fault("POST_ONLY_WOULD_TAKE", lambda desk: desk.sell(BOB, 10, 9_980), post_only="reject"),
    Fault("FOK_UNFILLABLE", lambda desk: desk.sell(BOB, 10, 9_980), time_in_force="fok"),
    Fault("NO_LIQUIDITY", type="market", price_ticks=0),
    Fault("OPEN_INTEREST_CAP", limit_interest),
    Fault("INSUFFICIENT_MARGIN", size_lots=10_000_000),
)
# Pairs that cannot hold at once: a reduce-only order is exempt from the first three, and only resting orders are counted.
IMPOSSIBLE = {
    ("PRICE_STALE", "REDUCE_ONLY"),
    ("MIN_NOTIONAL", "REDUCE_ONLY"),
    ("TOO_MANY_ORDERS", "FOK_UNFILLABLE"),
    ("TOO_MANY_ORDERS", "NO_LIQUIDITY"),
    ("REDUCE_ONLY", "OPEN_INTEREST_CAP"),
    ("REDUCE_ONLY", "INSUFFICIENT_MARGIN"),
    ("PRICE_OUT_OF_BAND", "INVALID_TRIGGER"),
    ("INVALID_TRIGGER", "REDUCE_ONLY"),
    ("GOOD_TILL_IN_PAST", "NO_LIQUIDITY"),
    ("INVALID_PRICE", "INVALID_TRIGGER"),
    ("MARKET_POST_ONLY", "POST_ONLY_WOULD_TAKE"),
    ("POST_ONLY_WOULD_TAKE", "FOK_UNFILLABLE"),
    ("POST_ONLY_WOULD_TAKE", "NO_LIQUIDITY"),
    ("FOK_UNFILLABLE", "NO_LIQUIDITY"),
}
STATUSES = {"EXCHANGE_HALTED", "MARKET_HALTED", "MARKET_CANCEL_ONLY", "MARKET_POST_ONLY"}


def can_hold_together(first: Fault, second: Fault) -> bool:
    if (first.code, second.code) in IMPOSSIBLE or first.fields.keys() & second.fields.keys():
        return False
    return "EXCHANGE_HALTED" in {first.code, second.code} or not {first.code, second.code} <= STATUSES


PAIRS = [pair for pair in combinations(FAULTS, 2) if can_hold_together(*pair)]


def refused_with(*faults: Fault) -> str:
    """Return the code that an order with these faults is refused with."""
    desk = Desk(min_notional_atoms=50 * USDC, max_open_orders=5)
    for fault in sorted(faults, key=lambda fault: fault.code in STATUSES or fault.code == "PRICE_STALE"):
        if fault.prepare:
            fault.prepare(desk)
    fields: dict[str, Any] = {"market_id": MARKET, "account_id": ALICE, "size_lots": 100, "price_ticks": 9_990, "type": "limit"}
    for fault in faults:
        fields |= fault.fields
    reject = desk.do(PlaceOrder(side="buy", **fields)).reject
    return reject.code if reject else "accepted"


def test_it_accepts_the_order_that_the_faults_are_added_to() -> None:
    assert refused_with() == "accepted"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_it_refuses_each_fault_with_its_code(fault: Fault) -> None:
    assert refused_with(fault) == fault.code


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0].code}+{pair[1].code}")
def test_it_answers_the_first_of_two_codes(pair: tuple[Fault, Fault]) -> None:
    first = min((fault.code for fault in pair), key=PRECEDENCE.index)
    assert refused_with(*pair) == first


OTHER_COMMANDS: tuple[tuple[str, Command], ...] = (
    ("EXPIRED", CancelOrder(account_id=ALICE, order_id=1, valid_until_ms=START_MS - 1)),
    ("ACCOUNT_NOT_FOUND", CancelOrder(account_id=FAUCET, order_id=1)),
    ("ORDER_NOT_FOUND", CancelOrder(account_id=ALICE, order_id=99)),
    ("ORDER_NOT_FOUND", CancelOrder(account_id=ALICE, client_order_id="unknown")),
    ("MARKET_NOT_FOUND", AmendOrder(account_id=ALICE, market_id=77, order_id=1)),
    ("ORDER_NOT_FOUND", AmendOrder(account_id=ALICE, market_id=MARKET, order_id=99, size_lots=-5)),
    ("INVALID_LEVERAGE", SetLeverage(account_id=ALICE, market_id=MARKET, leverage=51)),
    ("INVALID_LEVERAGE", SetLeverage(account_id=ALICE, market_id=MARKET, leverage=0)),
    ("INVALID_AMOUNT", SetDeadMansSwitch(account_id=ALICE, timeout_ms=-1)),
    ("UNKNOWN_ASSET", Deposit(account_id=ALICE, asset="BTC", amount_atoms=0, number=9, source_account_id=FAUCET)),
    ("INVALID_AMOUNT", Deposit(account_id=ALICE, asset="USDC", amount_atoms=0, number=9, source_account_id=FAUCET)),
    ("OUT_OF_SEQUENCE", Deposit(account_id=ALICE, asset="USDC", amount_atoms=1, number=1, source_account_id=FAUCET)),
    ("ACCOUNT_NOT_FOUND", Deposit(account_id=ALICE, asset="USDC", amount_atoms=1, number=1, source_account_id=BOB)),
    ("INSUFFICIENT_BALANCE", Withdraw(account_id=ALICE, asset="USDC", amount_atoms=10**13, target_account_id=FAUCET)),
    ("INVALID_AMOUNT", Withdraw(account_id=ALICE, asset="USDC", amount_atoms=-1, target_account_id=FAUCET)),
    ("ACCOUNT_NOT_FOUND", Withdraw(account_id=ALICE, asset="USDC", amount_atoms=1, target_account_id=BOB)),
    ("ACCOUNT_NOT_FOUND", Withdraw(account_id=ALICE, asset="USDC", amount_atoms=1, target_account_id=FEES)),
    ("ACCOUNT_NOT_FOUND", Deposit(account_id=ALICE, asset="USDC", amount_atoms=1, number=1, source_account_id=FEES)),
    ("INSUFFICIENT_BALANCE", Transfer(account_id=ALICE, to_account_id=BOB, asset="USDC", amount_atoms=10**13)),
    ("INVALID_COMBINATION", Transfer(account_id=ALICE, to_account_id=ALICE, asset="USDC", amount_atoms=1)),
    ("ACCOUNT_NOT_FOUND", Transfer(account_id=ALICE, to_account_id=FEES, asset="USDC", amount_atoms=1)),
    (
        "INSUFFICIENT_BALANCE",
        AdjustBalance(debit_account_id=BOB, credit_account_id=FEES, asset="USDC", amount_atoms=10**13, reason="r", author="a"),
    ),
    ("MARKET_EXISTS", CreateMarket(parameters=parameters())),
    ("MARKET_EXISTS", CreateMarket(parameters=msgspec.structs.replace(parameters(9), symbol="T1-PERP"))),
    ("INVALID_PARAMETERS", CreateMarket(parameters=parameters(9, tick_e8=1, lot_e8=1))),
    ("INVALID_PARAMETERS", CreateMarket(parameters=parameters(9, maker_fee_ppm=-501))),
    ("INVALID_PARAMETERS", CreateMarket(parameters=parameters(9, tiers=()))),
    ("INVALID_PARAMETERS", UpdateMarket(parameters=parameters(tick_e8=1_000_000_000))),
    ("MARKET_NOT_FOUND", UpdateMarket(parameters=parameters(9))),
    ("NOTHING_TO_CHANGE", UpdateMarket(parameters=parameters())),
    ("MARKET_NOT_FOUND", SetMarketStatus(market_id=77, status="halted", reason="r")),
    ("NOTHING_TO_CHANGE", SetMarketStatus(market_id=MARKET, status="normal", reason="r")),
    ("BATCH_TOO_LARGE", PlaceBatch(account_id=ALICE, items=())),
    ("BATCH_TOO_LARGE", PlaceBatch(account_id=ALICE, items=(CancelOrder(account_id=ALICE, order_id=1),) * 21)),
)


@pytest.mark.parametrize(("code", "command"), OTHER_COMMANDS, ids=lambda value: value if isinstance(value, str) else type(value).__name__)
def test_it_refuses_other_commands_without_a_trace(code: str, command: Command) -> None:
    desk = Desk()
    reply = desk.do(command)
    assert reply.reject is not None
    assert reply.reject.code == code
    assert desk.events == []


AMENDS: tuple[tuple[str, dict[str, int]], ...] = (
    ("NOTHING_TO_CHANGE", {}),
    ("NOTHING_TO_CHANGE", {"price_ticks": 9_990, "size_lots": 100}),
    ("INVALID_COMBINATION", {"trigger_ticks": 9_000}),
    ("INVALID_SIZE", {"size_lots": -1}),
    ("SIZE_TOO_LARGE", {"size_lots": 10**12 + 1}),
    ("INVALID_PRICE", {"price_ticks": -1}),
    ("PRICE_OUT_OF_BAND", {"price_ticks": 8_999}),
    ("MIN_NOTIONAL", {"size_lots": 1}),
    ("INSUFFICIENT_MARGIN", {"size_lots": 10_000_000}),
)


@pytest.mark.parametrize(("code", "change"), AMENDS, ids=str)
def test_it_refuses_an_amend_and_leaves_the_order_in_its_place(code: str, change: dict[str, int]) -> None:
    desk = Desk(min_notional_atoms=50 * USDC)
    first = desk.buy(ALICE, 100, 9_990).orders[0]
    desk.buy(CHARLIE, 100, 9_990)
    reply = desk.amend(ALICE, first.order_id, **change)
    assert reply.reject is not None
    assert reply.reject.code == code
    desk.sell(BOB, 100, 9_990)
    assert desk.position(ALICE) == 100


def test_it_lists_every_code_that_the_engine_answers() -> None:
    answered = {fault.code for fault in FAULTS} | {code for code, _ in OTHER_COMMANDS} | {code for code, _ in AMENDS}
    limits = {"DEPOSIT_CAP", "WITHDRAWAL_LIMIT", "LIQUIDITY_SHORT", "POSITION_LIMIT", "HAS_EXPOSURE", "NOT_ISOLATED"}
    signed = {"SIGNATURE_REQUIRED", "SIGNED_ORDER_MALFORMED", "SIGNATURE_REFUSED", "SIGNATURE_USED", "TOO_MANY_SIGNED", "SELF_CUSTODY"}
    elsewhere = {
        "TRIGGERS_IMMEDIATELY",
        "PROJECTION_BEHIND",
    } | limits  # of triggers, the runner, collateral
    assert answered | elsewhere | signed == set(PRECEDENCE)
