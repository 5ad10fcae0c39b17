"""Auctions of signed orders, as built: never worse than the limit that was signed, the best bid first, and bids that bind."""

import struct
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from markets.signed_orders import Domain, SignedOrder, encode
from tests.programs.support.auctions import PARAMETERS, Auctions
from tests.programs.support.exchange import GENESIS, TICKS, USDC, Exchange, ed25519, value_atoms
from tests.programs.support.svm import TAKEN, Refused, refused

LIMIT = TICKS * 101 // 100
START, END, SLOTS = TICKS * 9_975 // 10_000, TICKS * 10_050 // 10_000, 75
BOND = PARAMETERS["bond_lamports"]


def arm(exchange: Exchange) -> Auctions:
    """Give Charlie money and a key, too, and let the operator be silent."""
    exchange.keys[exchange.charlie] = exchange.chain.key(23)
    exchange.register_key(exchange.charlie, exchange.keys[exchange.charlie])
    exchange.deposit(exchange.charlie, 20_000 * USDC)
    auctions = Auctions(exchange)
    auctions.initialise()
    return auctions


@pytest.fixture
def live(funded: Exchange) -> Auctions:
    return arm(funded)


@pytest.fixture
def auctions(live: Auctions) -> Auctions:
    live.exchange.silence()
    return live


@pytest.fixture
def taken(auctions: Auctions) -> SignedOrder:
    """Alice's order of 100 lots, in auction."""
    order = auctions.exchange.order(auctions.exchange.alice, "buy", 100, LIMIT)
    auctions.open(order, auctions.exchange.alice)
    return order


def wait(auctions: Auctions, slots: int) -> None:
    auctions.exchange.chain.warp(seconds=1, slots=slots)


def test_only_the_deployer_begins_once_and_within_bounds(funded: Exchange) -> None:
    auctions = Auctions(funded)
    with refused("NotDeployer"):
        auctions.initialise(signer=funded.charlie)
    with refused("WrongAccounts"):
        auctions.initialise(asset=1)
    wrongs: list[dict[str, Any]] = [{"end_ppm": 0}, {"end_ppm": 50_001}, {"settle_slots": 9}, {"bond_lamports": 0}, {"leave_s": 59}]
    for wrong in wrongs:
        with refused("BadParameters"):
            auctions.initialise(**wrong)
    auctions.initialise()
    with pytest.raises(Refused, match=TAKEN):
        auctions.initialise()


def test_the_path_is_the_programs(auctions: Auctions, taken: SignedOrder) -> None:
    state = auctions.auction(taken)
    assert (state["start_ticks"], state["end_ticks"], state["slots"]) == (START, END, SLOTS)
    tight = auctions.exchange.order(auctions.exchange.alice, "buy", 10, TICKS - 1)
    auctions.open(tight, auctions.exchange.alice)
    assert auctions.auction(tight)["end_ticks"] == TICKS - 1
    sold = auctions.exchange.order(auctions.exchange.bob, "sell", 10, 1)
    auctions.open(sold, auctions.exchange.bob)
    state = auctions.auction(sold)
    assert (state["start_ticks"], state["end_ticks"]) == (TICKS * 10_025 // 10_000, TICKS * 9_950 // 10_000)


def test_a_maker_answers_and_the_exchange_settles(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob
    wait(auctions, 25)
    made = exchange.order(bob, "sell", 40, TICKS)
    before = exchange.chain.svm.get_balance(bob.pubkey()) or 0
    auctions.bid(taken, made, bob)
    with refused("AuctionRuns"):
        auctions.settle(taken, made, taker=alice, maker=bob)
    wait(auctions, SLOTS)
    auctions.settle(taken, made, taker=alice, maker=bob)
    value = value_atoms(40, TICKS)
    assert (exchange.lots(alice), exchange.lots(bob)) == (40, -40)
    assert (exchange.balance(alice), exchange.balance(bob)) == (20_000 * USDC - value, 20_000 * USDC + value)
    assert auctions.auction(taken)["settled_lots"] == 40
    assert not exchange.chain.exists(auctions.bid_of(taken, bob))
    # Fees apart the bond is back.
    assert before - (exchange.chain.svm.get_balance(bob.pubkey()) or 0) < 10**6


def test_the_best_bid_comes_first_and_the_last_gets_what_is_left(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob, charlie = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob, auctions.exchange.charlie
    wait(auctions, 30)
    dear, cheap = exchange.order(bob, "sell", 60, TICKS), exchange.order(charlie, "sell", 60, TICKS - 1_000)
    auctions.bid(taken, dear, bob)
    auctions.bid(taken, cheap, charlie)
    # Covered: it is complete before its time.
    with refused("NotBest"):
        auctions.settle(taken, dear, taker=alice, maker=bob)
    auctions.settle(taken, cheap, taker=alice, maker=charlie)
    auctions.settle(taken, dear, taker=alice, maker=bob)
    assert (exchange.lots(charlie), exchange.lots(bob), exchange.lots(alice)) == (-60, -40, 100)


def test_a_sale_is_auctioned_downwards(auctions: Auctions) -> None:
    exchange, alice, bob = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob
    taken = exchange.order(bob, "sell", 10, 1)
    auctions.open(taken, bob)
    made = exchange.order(alice, "buy", 10, TICKS * 10_025 // 10_000)
    with refused("BadBid"):
        auctions.bid(taken, exchange.order(alice, "buy", 10, TICKS), alice)
    auctions.bid(taken, made, alice)
    auctions.settle(taken, made, taker=bob, maker=alice)
    assert exchange.balance(bob) == 20_000 * USDC + value_atoms(10, TICKS * 10_025 // 10_000)


@pytest.mark.parametrize(("slots", "ticks"), [(0, START + 1), (30, START + 3_001), (SLOTS, END + 1), (SLOTS, LIMIT)])
def test_nobody_fills_dearer_than_the_path(auctions: Auctions, taken: SignedOrder, slots: int, ticks: int) -> None:
    bob = auctions.exchange.bob
    wait(auctions, slots)
    with refused("BadBid"):
        auctions.bid(taken, auctions.exchange.order(bob, "sell", 100, ticks), bob)
    auctions.bid(taken, auctions.exchange.order(bob, "sell", 100, min(ticks - 1, END)), bob)


def test_no_bid_is_of_the_same_side_too_small_or_ones_own(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob
    for side, size, by in (("buy", 100, bob), ("sell", 12, bob), ("sell", 100, alice)):
        with refused("BadBid"):
            auctions.bid(taken, exchange.order(by, side, size, START), by)
    auctions.bid(taken, exchange.order(bob, "sell", 13, START), bob)
    with pytest.raises(Refused, match=TAKEN):
        auctions.bid(taken, exchange.order(bob, "sell", 50, START), bob)


def test_an_auction_ends(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, bob, charlie = auctions.exchange, auctions.exchange.bob, auctions.exchange.charlie
    wait(auctions, SLOTS + 1)
    with refused("AuctionOver"):
        auctions.bid(taken, exchange.order(bob, "sell", 100, START), bob)
    other = exchange.order(exchange.alice, "buy", 10, LIMIT)
    auctions.open(other, exchange.alice)
    auctions.bid(other, exchange.order(bob, "sell", 10, START), bob)
    with refused("AuctionOver"):
        auctions.bid(other, exchange.order(charlie, "sell", 10, START), charlie)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"domain": Domain(program=bytes(32), genesis_hash=GENESIS)}, "OtherDomain"),
        ({"market_id": 2}, "OtherDomain"),
        ({"owner": bytes(32)}, "OtherDomain"),
        ({"sub_account": 1}, "OtherDomain"),
        ({"expiry_ms": 1_800_000_000_000}, "Expired"),
        ({"nonce": 1_800_000_000_000}, "OldNonce"),
        ({"size_lots": 10**8, "limit_ticks": 10**8}, "KeyRefused"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_nobody_auctions_or_answers_with_what_was_not_signed(
    auctions: Auctions, taken: SignedOrder, changes: dict[str, Any], error: str
) -> None:
    exchange, alice, bob = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob
    terms: dict[str, Any] = {"side": "buy", "size_lots": 100, "limit_ticks": LIMIT} | changes
    with refused(error):
        auctions.open(exchange.order(alice, **terms), alice)
    answer: dict[str, Any] = {"side": "sell", "size_lots": 100, "limit_ticks": START} | changes
    with refused(error):
        auctions.bid(taken, exchange.order(bob, **answer), bob)


def test_an_answer_outlives_its_settlement(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, bob = auctions.exchange, auctions.exchange.bob
    soon = (exchange.chain.now + SLOTS + PARAMETERS["settle_slots"]) * 1_000
    with refused("Expired"):
        auctions.bid(taken, exchange.order(bob, "sell", 100, START, expiry_ms=soon), bob)
    auctions.bid(taken, exchange.order(bob, "sell", 100, START, expiry_ms=soon + 1_000), bob)


def test_no_order_is_auctioned_twice(auctions: Auctions, taken: SignedOrder) -> None:
    with pytest.raises(Refused, match=TAKEN):
        auctions.open(taken, auctions.exchange.alice)


def test_no_lot_is_filled_twice(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob, charlie = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob, auctions.exchange.charlie
    made = exchange.order(charlie, "sell", 100, START)
    auctions.bid(taken, made, charlie)
    exchange.match(taken, exchange.order(bob, "sell", 70, START), 70, START)
    auctions.settle(taken, made, taker=alice, maker=charlie)
    assert (exchange.lots(alice), exchange.lots(charlie)) == (100, -30)
    filled = exchange.order(alice, "buy", 5, LIMIT)
    exchange.match(filled, exchange.order(bob, "sell", 5, START), 5, START)
    with refused("Overfilled"):
        auctions.open(filled, alice)
    with refused("ConstraintSeeds"):
        auctions.open(filled, alice, fills=exchange.fills(encode(made)))


def forged(exchange: Exchange, signer: Keypair, message: bytes) -> list[list[Instruction]]:
    """Verifications of other things, by others, elsewhere, and with offsets that point to other bytes than those that are read."""
    own = ed25519((signer, message))
    foreign = bytearray(own.data)
    struct.pack_into("<H", foreign, 2 + 12, 0)  # the message lies in the first instruction
    stranger = exchange.chain.key(77)
    return [
        [],
        [ed25519((stranger, message))],
        [ed25519((signer, message[:-1] + b"\7"))],
        [ed25519((signer, message), (signer, message))],
        [own, ed25519((stranger, message))],
        [ed25519((signer, message)), Instruction(own.program_id, bytes(foreign), [])],
    ]


def test_nobody_auctions_or_answers_without_the_signature(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob
    order, made = exchange.order(alice, "buy", 50, LIMIT), exchange.order(bob, "sell", 100, START)
    for verified in forged(exchange, exchange.keys[alice], encode(order)):
        with pytest.raises(Refused):
            auctions.open(order, alice, verified=verified)
    for verified in forged(exchange, exchange.keys[bob], encode(made)):
        with pytest.raises(Refused):
            auctions.bid(taken, made, bob, verified=verified)
    auctions.open(order, alice)
    auctions.bid(taken, made, bob)


def test_a_bid_binds(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob, charlie = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob, auctions.exchange.charlie
    made = exchange.order(bob, "sell", 50, START)
    auctions.bid(taken, made, bob)
    for _ in range(2):
        # Neither a stranger nor its maker takes it back, before the end or after it.
        with refused("Binding"):
            auctions.release(taken, made, maker=bob)
        with refused("WrongAccounts"):
            auctions.release(taken, made, maker=bob, bidder=charlie.pubkey())
        wait(auctions, SLOTS + 1)
    wait(auctions, PARAMETERS["settle_slots"])
    with refused("TooLate"):
        auctions.settle(taken, made, taker=alice, maker=bob)
    before = exchange.chain.svm.get_balance(bob.pubkey()) or 0
    auctions.release(taken, made, maker=bob)
    assert (exchange.chain.svm.get_balance(bob.pubkey()) or 0) > before + BOND
    assert auctions.auction(taken)["offers"] == []


def test_a_bid_is_free_when_the_order_is_filled(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob, charlie = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob, auctions.exchange.charlie
    made = exchange.order(charlie, "sell", 100, START)
    auctions.bid(taken, made, charlie)
    exchange.match(taken, exchange.order(bob, "sell", 100, START), 100, START)
    for act in (auctions.settle, auctions.default):
        with refused("Overfilled"):
            act(taken, made, taker=alice, maker=charlie)
    auctions.release(taken, made, maker=charlie)


def test_a_bid_is_free_when_the_engine_is_back(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob
    made = exchange.order(bob, "sell", 100, START)
    auctions.bid(taken, made, bob)
    exchange.settle(exchange.fill(1))
    with refused("WrongPhase"):
        auctions.settle(taken, made, taker=alice, maker=bob)
    auctions.release(taken, made, maker=bob)


def test_the_engine_runs_the_auctions_while_live(live: Auctions) -> None:
    with refused("WrongPhase"):
        live.open(live.exchange.order(live.exchange.alice, "buy", 10, LIMIT), live.exchange.alice)


def revoke(exchange: Exchange, owner: Keypair) -> None:
    key = exchange.trading_key(owner, exchange.keys[owner])
    exchange.send("revoke_key", {}, {"owner": owner.pubkey(), "user": exchange.user(owner), "trading_key": key}, [owner])


def cancel(exchange: Exchange, owner: Keypair) -> None:
    arguments = {"min_nonce": (exchange.chain.now + 10**6) * 1_000}
    exchange.send("cancel_nonces", arguments, {"owner": owner.pubkey(), "user": exchange.user(owner)}, [owner])


def empty(exchange: Exchange, owner: Keypair) -> None:
    exchange.withdraw(owner, 20_000 * USDC, number=None)


@pytest.mark.parametrize("breaking", [revoke, cancel, empty])
def test_who_breaks_his_bid_loses_the_bond_to_the_taker(auctions: Auctions, taken: SignedOrder, breaking: Any) -> None:
    exchange, alice, bob = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob
    made = exchange.order(bob, "sell", 100, START)
    auctions.bid(taken, made, bob)
    with refused("NotAtFault"):
        auctions.default(taken, made, taker=alice, maker=bob)
    breaking(exchange, bob)
    with pytest.raises(Refused):
        auctions.settle(taken, made, taker=alice, maker=bob)
    with refused("WrongAccounts"):
        auctions.default(taken, made, taker=exchange.charlie, maker=bob)
    before = exchange.chain.svm.get_balance(alice.pubkey()) or 0
    auctions.default(taken, made, taker=alice, maker=bob)
    assert exchange.chain.svm.get_balance(alice.pubkey()) == before + BOND
    assert auctions.auction(taken)["offers"] == []


def test_a_taker_cannot_break_a_bid_by_filling_it_elsewhere(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob
    made = exchange.order(bob, "sell", 100, START)
    auctions.bid(taken, made, bob)
    exchange.match(exchange.order(alice, "buy", 30, TICKS), made, 30, START)
    with refused("NotAtFault"):
        auctions.default(taken, made, taker=alice, maker=bob)
    auctions.settle(taken, made, taker=alice, maker=bob)
    assert exchange.lots(bob) == -100
    assert auctions.auction(taken)["settled_lots"] == 70


def test_a_bid_whose_order_is_gone_is_free_and_blocks_nobody(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob, charlie = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob, auctions.exchange.charlie
    wait(auctions, 10)
    best, second = exchange.order(bob, "sell", 50, START), exchange.order(charlie, "sell", 50, START + 1)
    auctions.bid(taken, best, bob)
    auctions.bid(taken, second, charlie)
    exchange.match(exchange.order(alice, "buy", 50, TICKS), best, 50, START)
    for act in (auctions.settle, auctions.default):
        with refused("Overfilled"):
            act(taken, best, taker=alice, maker=bob)
    auctions.release(taken, best, maker=bob)
    auctions.settle(taken, second, taker=alice, maker=charlie)
    assert exchange.lots(charlie) == -50


def test_a_taker_without_margin_gets_no_bond(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob
    made = exchange.order(bob, "sell", 100, START)
    auctions.bid(taken, made, bob)
    exchange.withdraw(alice, 20_000 * USDC, number=None)
    with refused("ShortOfMargin"):
        auctions.settle(taken, made, taker=alice, maker=bob)
    with refused("NotAtFault"):
        auctions.default(taken, made, taker=alice, maker=bob)
    wait(auctions, PARAMETERS["settle_slots"] + 1)
    with refused("TooLate"):
        auctions.default(taken, made, taker=alice, maker=bob)
    auctions.release(taken, made, maker=bob)


def test_settling_fits_into_a_transaction(auctions: Auctions, taken: SignedOrder) -> None:
    exchange, alice, bob = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob
    made = exchange.order(bob, "sell", 100, START)
    auctions.bid(taken, made, bob)
    instructions = auctions.settle_instructions(taken, made, taker=alice, maker=bob)
    budget = 32 + 8  # the budget's program and instruction, which settling does not need
    assert exchange.chain.transaction_size(instructions, [exchange.payer]) - budget <= 1_232
    exchange.chain.send(instructions, [exchange.payer], budget=False)
