"""While the operator is silent: matches of signed orders, liquidations and withdrawals by anyone, and the way back."""

import hashlib
from typing import Any

import pytest
from solders.instruction import Instruction

from markets.signed_orders import Domain, encode
from tests.programs.support.exchange import GENESIS, HOUR_S, MARKET, PRICE, TICKS, USDC, Exchange, ed25519, value_atoms
from tests.programs.support.svm import Refused, refused


@pytest.fixture
def silent(funded: Exchange) -> Exchange:
    funded.silence()
    return funded


def test_it_falls_back_only_after_a_silence(funded: Exchange) -> None:
    with refused("TooEarly"):
        funded.fall_back()
    funded.chain.warp(seconds=1, slots=999)
    with refused("TooEarly"):
        funded.fall_back()
    funded.chain.warp(seconds=1, slots=1)
    funded.fall_back()
    assert funded.state()["phase"] == "Fallback"
    with refused("WrongPhase"):
        funded.fall_back()


def test_a_batch_ends_the_silence(funded: Exchange) -> None:
    funded.chain.warp(seconds=1, slots=999)
    funded.settle(funded.fill(1))
    with refused("TooEarly"):
        funded.fall_back()


def test_it_falls_back_when_an_exit_is_overdue(funded: Exchange) -> None:
    funded.request_exit(funded.alice)
    funded.chain.warp(seconds=86_399, slots=1)
    with refused("TooEarly"):
        funded.fall_back(funded.alice)
    funded.chain.warp(seconds=1, slots=1)
    with refused("TooEarly"):
        funded.fall_back(funded.bob)
    funded.fall_back(funded.alice)
    assert funded.state()["phase"] == "Fallback"


def test_it_does_not_when_the_exit_was_paid(funded: Exchange) -> None:
    funded.request_exit(funded.alice)
    funded.grant(funded.alice, 20_000 * USDC)
    funded.withdraw(funded.alice, 20_000 * USDC, signer=funded.settler)
    assert funded.account(funded.alice)["exit_paid"]
    funded.chain.warp(seconds=86_400, slots=1)
    with refused("TooEarly"):
        funded.fall_back(funded.alice)


def test_an_exit_is_requested_by_its_owner_once_and_with_something_to_pay(funded: Exchange) -> None:
    with refused("NotOwner"):
        funded.request_exit(funded.alice, signer=funded.charlie)
    with refused("ZeroAmount"):
        funded.request_exit(funded.charlie)
    funded.request_exit(funded.alice)
    with refused("AlreadyDone"):
        funded.request_exit(funded.alice)


def test_nobody_keeps_an_exit_open_by_deposits(funded: Exchange) -> None:
    funded.request_exit(funded.alice)
    with refused("WrongPhase"):
        funded.deposit(funded.bob, 1, user=funded.user(funded.alice))


def test_an_unfinished_batch_freezes(funded: Exchange) -> None:
    batch = funded.build(funded.fill(10))
    funded.chain.send([funded.open_instruction(1), funded.post_instruction(batch)], [funded.settler])
    funded.chain.warp(seconds=1, slots=1_000)
    funded.fall_back()
    assert funded.state()["phase"] == "Frozen"
    assert funded.outlook(funded.user(funded.alice)) == ((0, 20_000 * USDC),)


def test_a_stranger_matches_two_signed_orders(silent: Exchange) -> None:
    buy, sell = silent.order(silent.alice, "buy", 100), silent.order(silent.bob, "sell", 60, TICKS - 5)
    silent.match(buy, sell, 60, TICKS - 2)
    value = value_atoms(60, TICKS - 2)
    assert (silent.lots(silent.alice), silent.lots(silent.bob)) == (60, -60)
    assert (silent.balance(silent.alice), silent.balance(silent.bob)) == (20_000 * USDC - value, 20_000 * USDC + value)
    assert silent.state()["chain_events"] == 5
    again = silent.order(silent.bob, "sell", 100)
    with refused("Overfilled"):
        silent.match(buy, again, 41)
    silent.match(buy, again, 40)


def test_it_tells_which_orders_were_matched(silent: Exchange) -> None:
    """So that the engine can take over who traded what from the chain alone."""
    buy, sell = silent.order(silent.alice, "buy", 100), silent.order(silent.bob, "sell", 60, TICKS - 5)
    ((name, told),) = silent.dex.events(silent.match(buy, sell, 60, TICKS - 2).logs())
    assert name == "OrdersMatched"
    assert told == {
        "number": silent.state()["chain_events"],
        "market_id": MARKET,
        "buyer": silent.user(silent.alice),
        "seller": silent.user(silent.bob),
        "size_lots": 60,
        "price_ticks": TICKS - 2,
        "buy_order": hashlib.sha256(encode(buy)).digest(),
        "sell_order": hashlib.sha256(encode(sell)).digest(),
    }


def test_nobody_matches_while_live(funded: Exchange) -> None:
    with refused("WrongPhase"):
        funded.match(funded.order(funded.alice, "buy", 10), funded.order(funded.bob, "sell", 10), 10)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"domain": Domain(program=bytes(32), genesis_hash=GENESIS)}, "OtherDomain"),
        ({"domain": Domain(program=bytes(32), genesis_hash=bytes(32))}, "OtherDomain"),
        ({"market_id": 2}, "OtherMarket"),
        ({"owner": bytes(32)}, "OtherAccount"),
        ({"sub_account": 1}, "OtherAccount"),
        ({"side": "sell"}, "NotCrossing"),
        ({"size_lots": 9}, "Overfilled"),
        ({"limit_ticks": TICKS - 1}, "OutsideLimit"),
        ({"expiry_ms": 1_800_000_000_000}, "Expired"),
        ({"reduce_only": True}, "NotReducing"),
        ({"nonce": 1_800_000_000_000}, "OldNonce"),
        ({"size_lots": 10**8, "limit_ticks": 10**8}, "KeyRefused"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_nobody_matches_what_was_not_signed(silent: Exchange, changes: dict[str, Any], error: str) -> None:
    terms: dict[str, Any] = {"side": "buy", "size_lots": 10} | changes
    order = silent.order(silent.alice, **terms)
    with refused(error):
        silent.match(order, silent.order(silent.bob, "sell", 10), 10)


def test_nobody_matches_without_both_signatures(silent: Exchange) -> None:
    buy, sell = silent.order(silent.alice, "buy", 10), silent.order(silent.bob, "sell", 10)
    alice, bob = (silent.keys[silent.alice], encode(buy)), (silent.keys[silent.bob], encode(sell))
    forged: list[list[Instruction]] = [
        [],
        [ed25519(alice)],
        [ed25519(bob, alice)],
        [ed25519(alice, alice)],
        [ed25519(alice, (silent.charlie, encode(sell)))],
        [ed25519(alice, bob, alice)],
        [ed25519(alice, bob), ed25519(alice)],
        [ed25519((silent.keys[silent.alice], encode(buy)[:-1] + b"\1"), bob)],
    ]
    for verified in forged:
        with refused("NoSignature|KeyRefused"):
            silent.match(buy, sell, 10, verified=verified)
    silent.match(buy, sell, 10, verified=[ed25519(alice, bob)])


def test_a_wrong_signature_fails_before_the_program(silent: Exchange) -> None:
    buy, sell = silent.order(silent.alice, "buy", 10), silent.order(silent.bob, "sell", 10)
    signed = ed25519((silent.keys[silent.alice], encode(buy)), (silent.keys[silent.bob], encode(sell)))
    broken = bytearray(signed.data)
    broken[30] ^= 1
    with pytest.raises(Refused, match=r"Custom|custom"):
        silent.match(buy, sell, 10, verified=[Instruction(signed.program_id, bytes(broken), [])])


def test_nobody_matches_an_account_with_itself(silent: Exchange) -> None:
    buy, sell = silent.order(silent.alice, "buy", 10), silent.order(silent.alice, "sell", 10)
    key = silent.keys[silent.alice]
    alice: dict[str, Any] = {"seller": silent.user(silent.alice), "seller_key": silent.trading_key(silent.alice, key)}
    with refused("ConstraintDuplicateMutableAccount|OtherAccount"):
        silent.match(buy, sell, 10, verified=[ed25519((key, encode(buy)), (key, encode(sell)))], **alice)


def test_nobody_matches_far_from_the_oracle(silent: Exchange) -> None:
    far = TICKS * 106 // 100
    with refused("OutsideRange"):
        silent.match(silent.order(silent.alice, "buy", 10, far), silent.order(silent.bob, "sell", 10, far), 10, far)
    silent.chain.warp(seconds=121)
    with refused("BadPriceState"):
        silent.match(silent.order(silent.alice, "buy", 10), silent.order(silent.bob, "sell", 10), 10)


def test_nobody_matches_beyond_margin(silent: Exchange) -> None:
    most = 20_000 * 40 * 1_000 // PRICE
    with refused("ShortOfMargin"):
        silent.match(silent.order(silent.alice, "buy", most + 1), silent.order(silent.bob, "sell", most + 1), most + 1)
    silent.match(silent.order(silent.alice, "buy", most), silent.order(silent.bob, "sell", most), most)


def test_a_short_account_may_reduce(silent: Exchange) -> None:
    silent.match(silent.order(silent.alice, "buy", 7_900), silent.order(silent.bob, "sell", 7_900), 7_900)
    silent.chain.warp(seconds=10)
    silent.reprice(98_500)
    ticks = 985_000
    with refused("ShortOfMargin"):
        silent.match(silent.order(silent.alice, "buy", 1, ticks), silent.order(silent.bob, "sell", 1, ticks), 1, ticks)
    reduce = silent.order(silent.alice, "sell", 1_000, ticks)
    take = silent.order(silent.bob, "buy", 1_000, ticks)
    match_reversed(silent, take, reduce, 1_000, ticks)
    assert silent.lots(silent.alice) == 6_900


def match_reversed(exchange: Exchange, buy: Any, sell: Any, size: int, ticks: int) -> None:
    """Let Bob buy from Alice."""
    signed = ed25519((exchange.keys[exchange.bob], encode(buy)), (exchange.keys[exchange.alice], encode(sell)))
    accounts = {
        "buyer": exchange.user(exchange.bob),
        "seller": exchange.user(exchange.alice),
        "buyer_key": exchange.trading_key(exchange.bob, exchange.keys[exchange.bob]),
        "seller_key": exchange.trading_key(exchange.alice, exchange.keys[exchange.alice]),
    }
    exchange.match(buy, sell, size, ticks, verified=[signed], **accounts)


def test_anyone_withdraws_without_the_operator(silent: Exchange) -> None:
    silent.match(silent.order(silent.alice, "buy", 1_000), silent.order(silent.bob, "sell", 1_000), 1_000)
    free = 20_000 * USDC - value_atoms(1_000, TICKS) // 40
    with refused("NotWithdrawable"):
        silent.withdraw(silent.alice, free + 1, number=None)
    with refused("NotOwner"):
        silent.withdraw(silent.alice, free, number=None, signer=silent.charlie)
    silent.withdraw(silent.alice, free, number=None)
    assert silent.vault_atoms() == 40_000 * USDC - free


def test_anyone_liquidates_below_maintenance(silent: Exchange) -> None:
    silent.deposit(silent.charlie, 100_000 * USDC)
    silent.match(silent.order(silent.alice, "buy", 7_900), silent.order(silent.bob, "sell", 7_900), 7_900)
    with refused("NotLiquidatable"):
        silent.liquidate(silent.alice, silent.charlie, 100)
    silent.chain.warp(seconds=10)
    silent.reprice(98_600)
    for lots in (-100, 7_901, 0):
        with refused("BadChanges"):
            silent.liquidate(silent.alice, silent.charlie, lots)
    with refused("NotLiquidatable"):
        silent.liquidate(silent.bob, silent.charlie, -100)
    silent.liquidate(silent.alice, silent.charlie, 7_900)
    value, fee = value_atoms(7_900, 986_000), value_atoms(7_900, 986_000) // 100
    assert (silent.lots(silent.alice), silent.lots(silent.charlie)) == (0, 7_900)
    assert silent.balance(silent.alice) == 20_000 * USDC - value_atoms(7_900, TICKS) + value - fee
    assert silent.balance(silent.charlie) == 100_000 * USDC - value + fee


def test_a_liquidation_costs_no_more_than_the_margin_that_it_frees() -> None:
    exchange = Exchange()
    exchange.market_parameters = exchange.market_parameters | {"liquidation_fee_ppm": 20_000}  # more than what is to be maintained
    exchange.begin()
    for owner in (exchange.alice, exchange.bob, exchange.charlie):
        exchange.deposit(owner, 20_000 * USDC)
    exchange.silence()
    exchange.match(exchange.order(exchange.alice, "buy", 7_900), exchange.order(exchange.bob, "sell", 7_900), 7_900)
    exchange.chain.warp(seconds=10)
    exchange.reprice(98_600)
    exchange.liquidate(exchange.alice, exchange.charlie, 3_950)
    value, fee = value_atoms(3_950, 986_000), value_atoms(3_950, 986_000) * 12_500 // 10**6
    assert exchange.balance(exchange.alice) == 20_000 * USDC - value_atoms(7_900, TICKS) + value - fee
    exchange.liquidate(exchange.alice, exchange.charlie, 3_950)
    assert exchange.lots(exchange.alice) == 0


def test_nobody_takes_over_what_he_cannot_carry(silent: Exchange) -> None:
    silent.deposit(silent.charlie, 1_000 * USDC)
    silent.match(silent.order(silent.alice, "buy", 7_900), silent.order(silent.bob, "sell", 7_900), 7_900)
    silent.chain.warp(seconds=10)
    silent.reprice(98_600)
    with refused("ShortOfMargin"):
        silent.liquidate(silent.alice, silent.charlie, 7_900)
    with refused("ConstraintDuplicateMutableAccount|OtherAccount"):
        silent.liquidate(silent.alice, silent.alice, 7_900)


def test_a_single_source_liquidates_nobody(silent: Exchange) -> None:
    silent.deposit(silent.charlie, 100_000 * USDC)
    silent.match(silent.order(silent.alice, "buy", 7_900), silent.order(silent.bob, "sell", 7_900), 7_900)
    silent.chain.warp(seconds=61)
    silent.prices.pyth(98_600)
    silent.observe()
    with refused("BadPriceState"):
        silent.liquidate(silent.alice, silent.charlie, 7_900)


def test_nobody_liquidates_while_live(funded: Exchange) -> None:
    with refused("WrongPhase"):
        funded.liquidate(funded.alice, funded.bob, 1)


def test_it_returns_to_live_only_with_every_event_of_the_chain(silent: Exchange) -> None:
    silent.match(silent.order(silent.alice, "buy", 10), silent.order(silent.bob, "sell", 10), 10)
    known = silent.state()["chain_events"]
    with refused("UnknownChainEvents"):
        silent.settle(silent.fill(1), chain_events=known - 1)
    silent.settle(silent.fill(1), chain_events=known)
    assert silent.state()["phase"] == "Live"
    with refused("WrongPhase"):
        silent.match(silent.order(silent.alice, "buy", 10), silent.order(silent.bob, "sell", 10), 10)


def test_nothing_happens_on_chain_between_a_batchs_parts(silent: Exchange) -> None:
    silent.chain.send([silent.open_instruction(1)], [silent.settler])
    with refused("WrongBatch"):
        silent.match(silent.order(silent.alice, "buy", 10), silent.order(silent.bob, "sell", 10), 10)
    with refused("WrongBatch"):
        silent.withdraw(silent.alice, 1, number=None)


def test_pending_batches_become_final_in_fallback_too(funded: Exchange) -> None:
    funded.settle(funded.fill(10))
    funded.silence()
    funded.turn()
    funded.chain.warp(seconds=601)
    funded.turn()
    assert funded.lots(funded.alice) == 10
    with refused("WrongPhase"):
        funded.grant(funded.alice, 1, age_s=HOUR_S)
