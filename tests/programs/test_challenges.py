"""Challenges: every leaf that breaks a rule leaves its batch without an answer, and the exchange frozen."""

from dataclasses import replace
from typing import Any

import pytest
from solders.instruction import Instruction

from chain import merkle
from markets.signed_orders import Domain
from tests.programs.support.batches import Batch, credit, funding, nodes, reduction, trade
from tests.programs.support.exchange import GENESIS, PARAMETERS, PRICE, TICKS, USDC, Exchange, ed25519, value_atoms
from tests.programs.support.svm import TAKEN, Refused, refused

NOTICE_S = 120


def leaves_of(exchange: Exchange, *, order: dict[str, Any] | None = None, fill: dict[str, Any] | None = None) -> Batch:
    """Settle a batch whose leaf of Alice is what the case makes it; Bob's has the opposite effect, honest or not."""
    changes = {"size_lots": 100} | (fill or {})
    bought = exchange.order(exchange.alice, "buy", 100, **(order or {}))
    leaf = exchange.traded(bought, owner=exchange.alice, **changes)
    sold = exchange.order(exchange.bob, "sell", changes["size_lots"], 1)
    opposite = exchange.traded(sold, owner=exchange.bob, size_lots=changes["size_lots"], price_ticks=changes.get("price_ticks", TICKS))
    fees = {exchange.authority: [credit(changes["fee_atoms"])]} if changes.get("fee_atoms") else {}
    return exchange.settle({exchange.alice: [leaf], exchange.bob: [opposite]} | fees)


def test_it_is_answered_by_showing_every_leaf(funded: Exchange) -> None:
    first, second = funded.fill(100), funded.fill(50)
    leaves = {owner: first[owner] + second[owner] for owner in first}
    batch = funded.settle(leaves)
    funded.challenge(batch, funded.alice)
    before = funded.chain.svm.get_balance(funded.settler.pubkey())
    funded.answer(batch, funded.alice)
    challenge = funded.dex.account("Challenge", funded.chain.data(funded.challenged(batch, funded.alice)))
    assert (challenge["answered"], challenge["next"]) == (True, 2)
    earned = (funded.chain.svm.get_balance(funded.settler.pubkey()) or 0) - (before or 0)
    assert earned > PARAMETERS["bond_lamports"] // 2
    funded.finalise()
    assert funded.lots(funded.alice) == 150


def test_it_keeps_its_batch_from_becoming_final(funded: Exchange) -> None:
    batch = funded.settle(funded.fill(100))
    funded.turn()
    funded.chain.warp(seconds=590)
    funded.challenge(batch, funded.alice)
    funded.chain.warp(seconds=100)
    with refused("TooEarly"):
        funded.turn()
    funded.answer(batch, funded.alice)
    funded.turn()
    assert funded.lots(funded.alice) == 100


def test_it_freezes_the_exchange_when_nobody_answers(funded: Exchange) -> None:
    funded.settle(funded.fill(10))
    funded.finalise()
    batch = funded.settle(funded.fill(100))
    funded.settle(funded.fill(50))
    before = funded.chain.svm.get_balance(funded.charlie.pubkey())
    funded.challenge(batch, funded.alice)
    funded.chain.warp(seconds=300)
    with refused("TooEarly"):
        funded.freeze_unanswered(batch, funded.alice)
    funded.chain.warp(seconds=1)
    funded.freeze_unanswered(batch, funded.alice)
    assert funded.state()["phase"] == "Frozen"
    # Everything after the last final epoch is void, the bond is back (its account's rent and the fee are not).
    assert (funded.lots(funded.alice), funded.lots(funded.bob)) == (10, -10)
    spent = (before or 0) - (funded.chain.svm.get_balance(funded.charlie.pubkey()) or 0)
    assert spent < PARAMETERS["bond_lamports"] // 2
    with refused("AlreadyDone"):
        funded.freeze_unanswered(batch, funded.alice)
    with refused("WrongBatch"):
        funded.answer(batch, funded.alice)


def test_it_needs_an_account_of_the_batch(funded: Exchange) -> None:
    batch = funded.settle(funded.fill(100))
    proof = batch.proof(funded.user(funded.alice))
    accounts = {
        "challenger": funded.charlie.pubkey(),
        "batch": funded.batch(batch.seq),
        "user": funded.user(funded.charlie),
        "challenge": funded.challenged(batch, funded.charlie),
    }
    with refused("BadProof"):
        funded.send("challenge", {"proof": proof}, accounts, [funded.charlie])


@pytest.mark.parametrize(
    "changes",
    [{"changes": 2}, {"root": bytes(32)}, {"before": []}, {"sums": [{"slot": 0, "amount": 1}]}, {"index": 1}],
    ids=["more leaves", "another root", "another state before", "another change", "another place"],
)
def test_it_needs_the_proof_of_what_was_posted(funded: Exchange, changes: dict[str, Any]) -> None:
    batch = funded.settle(funded.fill(100))
    owner = min((funded.alice, funded.bob), key=lambda pair: bytes(funded.user(pair)))
    with refused("BadProof"):
        funded.challenge(batch, owner, **changes)


def test_it_takes_a_long_proof_in_parts(funded: Exchange) -> None:
    batch = funded.settle(funded.fill(100))
    proof = batch.proof(funded.user(funded.alice))
    funded.challenge(batch, funded.alice, siblings=[])
    accounts = {
        "challenger": funded.charlie.pubkey(),
        "batch": funded.batch(batch.seq),
        "challenge": funded.challenged(batch, funded.alice),
    }
    stranger = accounts | {"challenger": funded.bob.pubkey()}
    with refused("NotOwner"):
        funded.send("prove_challenge", {"siblings": proof["siblings"]}, stranger, [funded.bob])
    with refused("WrongBatch"):
        funded.answer(batch, funded.alice)
    funded.chain.warp(seconds=301)
    with refused("BadProof"):
        funded.freeze_unanswered(batch, funded.alice)
    funded.send("prove_challenge", {"siblings": proof["siblings"]}, accounts, [funded.charlie])
    with refused("AlreadyDone"):
        funded.send("prove_challenge", {"siblings": []}, accounts, [funded.charlie])
    funded.answer(batch, funded.alice)


def test_it_comes_once_for_an_account_of_a_batch(funded: Exchange) -> None:
    batch = funded.settle(funded.fill(100))
    funded.challenge(batch, funded.alice)
    funded.answer(batch, funded.alice)
    with pytest.raises(Refused, match=TAKEN):
        funded.challenge(batch, funded.alice, challenger=funded.bob)


def test_it_comes_in_the_window_only(funded: Exchange) -> None:
    batch = funded.settle(funded.fill(100))
    funded.chain.warp(seconds=600)
    with refused("TooLate"):
        funded.challenge(batch, funded.alice)


def test_spam_costs_the_bond_and_stops_nothing(funded: Exchange) -> None:
    batch = funded.settle(funded.fill(100))
    before = funded.chain.svm.get_balance(funded.charlie.pubkey()) or 0
    for owner in (funded.alice, funded.bob):
        funded.challenge(batch, owner)
        funded.answer(batch, owner)
    assert before - (funded.chain.svm.get_balance(funded.charlie.pubkey()) or 0) > 2 * PARAMETERS["bond_lamports"]
    funded.finalise()
    assert funded.lots(funded.alice) == 100


@pytest.mark.parametrize(
    ("order", "fill", "error"),
    [
        ({"domain": Domain(program=bytes(32), genesis_hash=GENESIS)}, {}, "OtherDomain"),
        ({"domain_of": "another cluster"}, {}, "OtherDomain"),
        ({"owner": bytes(32)}, {}, "OtherAccount"),
        ({"sub_account": 1}, {}, "OtherAccount"),
        ({"expiry_ms": 1_800_000_000_000}, {}, "Expired"),
        ({"limit_ticks": TICKS - 1}, {}, "OutsideLimit"),
        ({"reduce_only": True}, {}, "NotReducing"),
        ({}, {"size_lots": 101}, "Overfilled"),
        ({}, {"filled_lots": 1}, "Overfilled"),
        ({}, {"fee_atoms": 5 * USDC + 1}, "FeeAboveCap"),
        ({"limit_ticks": 2 * TICKS}, {"price_ticks": TICKS * 106 // 100}, "OutsideRange"),
        ({}, {"time_ms": 1_799_999_999_000_000}, "OutsideInterval"),
    ],
    ids=[
        "of another program",
        "of another cluster",
        "of another owner",
        "of another sub-account",
        "expired",
        "outside the limit",
        "not reducing",
        "overfilled",
        "overfilled with what came before",
        "fee above the cap",
        "outside the oracle's range",
        "at another time",
    ],
)
def test_it_accepts_no_forged_fill(funded: Exchange, order: dict[str, Any], fill: dict[str, Any], error: str) -> None:
    if order.pop("domain_of", None):
        order["domain"] = Domain(program=bytes(funded.dex.id), genesis_hash=bytes(32))
    batch = leaves_of(funded, order=order, fill=fill)
    funded.challenge(batch, funded.alice)
    with refused(error):
        funded.answer(batch, funded.alice)


def test_it_accepts_no_fill_of_another_market(funded: Exchange) -> None:
    """The signature is for market 2, the lots are of market 1."""
    honest = funded.fill(100)
    elsewhere = funded.traded(funded.order(funded.alice, "buy", 100, market_id=2), owner=funded.alice)
    forged = replace(elsewhere, sums=honest[funded.alice][0].sums)
    batch = funded.settle(honest | {funded.alice: [forged]})
    funded.challenge(batch, funded.alice)
    with refused("WrongAccounts"):
        funded.answer(batch, funded.alice)


def test_it_accepts_no_position_that_nothing_secures(funded: Exchange) -> None:
    """An operator with two accounts could else open both sides of a bet, and take the winning one's money from everybody."""
    most = 20_000 * 1_000 * 80 // PRICE
    batch = funded.settle(funded.fill(most + 10))
    funded.challenge(batch, funded.alice)
    with refused("ShortOfMargin"):
        funded.answer(batch, funded.alice)


def test_it_accepts_what_reduces_an_account_short_of_margin(funded: Exchange) -> None:
    funded.settle(funded.fill(8_000))
    funded.chain.warp(seconds=10)
    funded.reprice(98_000)
    # The range of this batch and of the next still reaches up to where the price was; that of the one after does not.
    for _ in range(2):
        funded.settle(funded.fill(1, 980_000, buyer=funded.bob, seller=funded.alice))
    for size, good in ((1, False), (4_000, True)):
        buyer, seller = (funded.bob, funded.alice) if good else (funded.alice, funded.bob)
        batch = funded.settle(funded.fill(size, 980_000, buyer=buyer, seller=seller), end_ms=funded.chain.now * 1_000 + 1_000)
        funded.challenge(batch, funded.alice)
        if good:
            funded.answer(batch, funded.alice)
        else:
            with refused("ShortOfMargin"):
                funded.answer(batch, funded.alice)


def test_it_accepts_no_debt_that_a_price_alone_makes(funded: Exchange) -> None:
    """An operator with two accounts could else sell cheaply from the one to the other, and leave the rest of the loss to everybody."""
    funded.settle(funded.fill(7_900))
    for ticks, good in ((TICKS * 98 // 100, True), (TICKS * 96 // 100, False)):
        batch = funded.settle(funded.fill(3_950, ticks, buyer=funded.bob, seller=funded.alice))
        funded.challenge(batch, funded.alice)
        if good:
            funded.answer(batch, funded.alice)
        else:
            with refused("DebtByPrice"):
                funded.answer(batch, funded.alice)


def test_it_accepts_no_fill_without_the_owners_signature(funded: Exchange) -> None:
    batch = leaves_of(funded)
    funded.challenge(batch, funded.alice)
    leaf = batch.entry(funded.user(funded.alice)).leaves[0]
    assert leaf.signer is not None
    for verified in ([], [ed25519((funded.charlie, leaf.order))], [ed25519((leaf.signer, leaf.order[:-1] + b"\7"))]):
        with refused("NoSignature|KeyRefused"):
            funded.show(batch, funded.alice, 0, verified=verified)


def test_it_accepts_no_key_of_another_account(funded: Exchange) -> None:
    batch = leaves_of(funded)
    funded.challenge(batch, funded.alice)
    with refused("ConstraintSeeds"):
        funded.show(batch, funded.alice, 0, trading_key=funded.trading_key(funded.bob, funded.keys[funded.bob]))
    with refused("NoSignature"):
        funded.show(batch, funded.alice, 0, trading_key=None)


def test_it_accepts_no_order_beyond_the_keys_scope(funded: Exchange) -> None:
    for limits in ({"market_id": 2}, {"cap_atoms": value_atoms(100, TICKS) - 1}):
        key = funded.chain.key(len(limits) + 40 + limits.get("market_id", 0))
        funded.register_key(funded.alice, key, **limits)
        funded.keys[funded.alice] = key
        batch = leaves_of(funded)
        funded.challenge(batch, funded.alice)
        with refused("KeyRefused"):
            funded.answer(batch, funded.alice)


def test_it_accepts_fills_until_the_engine_must_know_of_a_revocation(funded: Exchange) -> None:
    key = funded.trading_key(funded.alice, funded.keys[funded.alice])
    funded.send("revoke_key", {}, {"owner": funded.alice.pubkey(), "user": funded.user(funded.alice), "trading_key": key}, [funded.alice])
    funded.chain.warp(seconds=NOTICE_S - 2)
    unknowing = leaves_of(funded)
    funded.challenge(unknowing, funded.alice)
    funded.answer(unknowing, funded.alice)
    funded.chain.warp(seconds=2)
    late = leaves_of(funded)
    funded.challenge(late, funded.alice)
    with refused("KeyRefused"):
        funded.answer(late, funded.alice)


def test_it_accepts_no_cancelled_nonce_that_the_engine_must_know_of(funded: Exchange) -> None:
    accounts = {"owner": funded.alice.pubkey(), "user": funded.user(funded.alice)}
    funded.send("cancel_nonces", {"min_nonce": 2**62}, accounts, [funded.alice])
    funded.chain.warp(seconds=NOTICE_S - 2)
    unknowing = leaves_of(funded)
    funded.challenge(unknowing, funded.alice)
    funded.answer(unknowing, funded.alice)
    funded.chain.warp(seconds=2)
    batch = leaves_of(funded)
    funded.challenge(batch, funded.alice)
    with refused("OldNonce"):
        funded.answer(batch, funded.alice)


def test_it_accepts_no_fill_twice(funded: Exchange) -> None:
    order = funded.order(funded.alice, "buy", 100)
    sold = funded.fill(100)
    first = funded.settle(sold | {funded.alice: [funded.traded(order, owner=funded.alice)]})
    again = funded.settle(funded.fill(100) | {funded.alice: [funded.traded(order, owner=funded.alice)]})
    funded.challenge(first, funded.alice)
    funded.answer(first, funded.alice)
    funded.challenge(again, funded.alice)
    with refused("FilledTwice"):
        funded.answer(again, funded.alice)


def test_it_accepts_an_order_filled_in_parts(funded: Exchange) -> None:
    order = funded.order(funded.alice, "buy", 100)
    parts = [funded.traded(order, owner=funded.alice, size_lots=size, filled_lots=filled) for size, filled in ((30, 0), (50, 30), (20, 80))]
    batch = funded.settle(funded.fill(100) | {funded.alice: parts})
    funded.challenge(batch, funded.alice)
    funded.answer(batch, funded.alice)
    fills = funded.dex.account("OrderFills", funded.chain.data(funded.fills(parts[0].order)))
    assert fills["spans"] == [{"from_lots": 0, "to_lots": 100}]


def test_it_accepts_no_net_change_without_leaves(funded: Exchange) -> None:
    honest, taken = funded.fill(100), credit(1)
    leaves = honest | {funded.bob: [*honest[funded.bob], taken]}
    batch = funded.build(leaves)
    victim = batch.entry(funded.user(funded.alice))
    # Alice's net change is a micro-dollar more than her only leaf has: the sums of her tree cannot say so.
    change = victim.change
    change["sums"][0]["amount"] -= 1
    changes = [change if entry is victim else entry.change for entry in batch.entries]
    steps = [funded.open_instruction(1), funded.post_instruction(batch, changes)]
    funded.chain.send(steps, [funded.settler])
    root = merkle.root(account_nodes(batch, changes)).hash
    funded.chain.send([funded.close_instruction(batch, root=root)], [funded.settler])
    funded.challenge(batch, funded.alice, siblings=siblings_of(funded, batch, changes), sums=change["sums"])
    with refused("BadProof"):
        funded.answer(batch, funded.alice)


def account_nodes(batch: Batch, changes: list[dict[str, Any]]) -> list[Any]:
    made = []
    for entry, change in zip(batch.entries, changes, strict=True):
        sums = tuple((item["slot"], item["amount"]) for item in change["sums"])
        root = merkle.Node(change["root"], sums)
        made.append(merkle.account_leaf(account=bytes(entry.user), before=entry.before, changes=change["changes"], root=root))
    return made


def siblings_of(exchange: Exchange, batch: Batch, changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    index = [entry.user for entry in batch.entries].index(exchange.user(exchange.alice))
    return nodes(merkle.prove(account_nodes(batch, changes), index).siblings)


def test_it_shows_leaves_in_order_only(funded: Exchange) -> None:
    first, second = funded.fill(100), funded.fill(50)
    batch = funded.settle({owner: first[owner] + second[owner] for owner in first})
    funded.challenge(batch, funded.alice)
    with refused("BadProof"):
        funded.show(batch, funded.alice, 1)
    funded.show(batch, funded.alice, 0)
    with refused("BadProof|FilledTwice"):
        funded.show(batch, funded.alice, 0)
    funded.show(batch, funded.alice, 1)
    with refused("WrongBatch"):
        funded.show(batch, funded.alice, 1)


def test_it_pays_funding_on_what_was_held(funded: Exchange) -> None:
    funded.settle(funded.fill(1_000))
    paid = {"hour": funded.chain.now // 3_600, "index_e8": PRICE * 10**8, "rate_ppb": 12_500}
    batch = funded.settle({funded.alice: [funding(1, -1_250_000)], funded.bob: [funding(1, 1_250_000)]}, paid=paid)
    for owner in (funded.alice, funded.bob):
        funded.challenge(batch, owner)
        funded.answer(batch, owner)


def test_it_accepts_no_other_funding(funded: Exchange) -> None:
    funded.settle(funded.fill(1_000))
    paid = {"hour": funded.chain.now // 3_600, "index_e8": PRICE * 10**8, "rate_ppb": 12_500}
    batch = funded.settle({funded.alice: [funding(1, -1_250_001)], funded.bob: [funding(1, 1_250_001)]}, paid=paid)
    funded.challenge(batch, funded.alice)
    with refused("BadProof"):
        funded.answer(batch, funded.alice)


def test_it_accepts_funding_once_a_batch(funded: Exchange) -> None:
    funded.settle(funded.fill(1_000))
    paid = {"hour": funded.chain.now // 3_600, "index_e8": PRICE * 10**8, "rate_ppb": 12_500}
    twice = {funded.alice: [funding(1, -1_250_000)] * 2, funded.bob: [funding(1, 1_250_000)] * 2}
    batch = funded.settle(twice, paid=paid)
    funded.challenge(batch, funded.alice)
    funded.show(batch, funded.alice, 0)
    with refused("AlreadyDone"):
        funded.show(batch, funded.alice, 1)


def closed(exchange: Exchange, *, lots: int = -1_000, price_ticks: int = TICKS, fee_atoms: int = 0) -> Batch:
    """Let the settler reduce Alice's position without her, against a buy of Bob."""
    bought = exchange.order(exchange.bob, "buy", abs(lots), 2 * TICKS)
    taken = trade(bought, exchange.keys[exchange.bob], size_lots=abs(lots), price_ticks=price_ticks, time_ms=exchange.chain.now * 1_000)
    leaf = reduction(market_id=1, lots=lots, price_ticks=price_ticks, time_ms=exchange.chain.now * 1_000, fee_atoms=fee_atoms)
    fees = {exchange.authority: [credit(fee_atoms)]} if fee_atoms else {}
    batch = exchange.settle({exchange.alice: [leaf], exchange.bob: [taken]} | fees)
    exchange.challenge(batch, exchange.alice)
    return batch


def test_it_accepts_a_liquidation_below_maintenance(funded: Exchange) -> None:
    funded.settle(funded.fill(1_000))
    for price in (94_000, 88_000, 82_000, 81_000):
        funded.chain.warp(seconds=10)
        funded.reprice(price)
    batch = closed(funded, price_ticks=810_000, fee_atoms=810 * USDC)
    funded.answer(batch, funded.alice)


def test_it_accepts_no_liquidation_above_maintenance(funded: Exchange) -> None:
    funded.settle(funded.fill(1_000))
    batch = closed(funded)
    with refused("NotLiquidatable"):
        funded.answer(batch, funded.alice)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"lots": -1_001}, "BadLeaf"),
        ({"price_ticks": 700_000}, "OutsideRange"),
        ({"fee_atoms": 1_000 * USDC, "price_ticks": 810_000}, "BadLeaf"),
    ],
    ids=["through zero", "outside the range", "too large a fee"],
)
def test_it_accepts_no_other_liquidation(funded: Exchange, changes: dict[str, int], error: str) -> None:
    funded.settle(funded.fill(1_000))
    for price in (94_000, 88_000, 82_000, 81_000):
        funded.chain.warp(seconds=10)
        funded.reprice(price)
    batch = closed(funded, **({"price_ticks": 810_000} | changes))
    with refused(error):
        funded.answer(batch, funded.alice)


@pytest.mark.parametrize(
    ("fee_atoms", "price_ticks", "good"),
    [(400 * USDC, 804_000, True), (400 * USDC + 1, 804_000, False), (0, 800_000, True), (0, 799_999, False)],
    ids=["its last fee", "a fee beyond", "its last price", "a price beyond"],
)
def test_it_accepts_no_liquidation_that_makes_a_debt(funded: Exchange, fee_atoms: int, price_ticks: int, good: bool) -> None:
    """Alice has 400 USDC left: neither a fee nor a price away from the oracle's may take more."""
    funded.settle(funded.fill(1_000))
    for price in (94_000, 88_000, 82_000, 80_400):
        funded.chain.warp(seconds=10)
        funded.reprice(price)
    # The range of the next batch begins behind the fall.
    funded.settle(funded.fill(1, 804_000))
    funded.settle(funded.fill(1, 804_000, buyer=funded.bob, seller=funded.alice))
    batch = closed(funded, price_ticks=price_ticks, fee_atoms=fee_atoms)
    if good:
        funded.answer(batch, funded.alice)
    else:
        with refused("DebtByPrice"):
            funded.answer(batch, funded.alice)


def test_it_accepts_that_an_exit_is_closed_at_the_market(funded: Exchange) -> None:
    funded.settle(funded.fill(1_000))
    funded.request_exit(funded.alice)
    funded.chain.warp(seconds=1)
    batch = closed(funded)
    funded.answer(batch, funded.alice)


def test_a_credit_is_shown_without_a_signature(funded: Exchange) -> None:
    batch = leaves_of(funded, fill={"fee_atoms": USDC})
    funded.challenge(batch, funded.authority)
    funded.answer(batch, funded.authority)


def foreign(instruction: Instruction, place: int, value: int) -> Instruction:
    data = bytearray(instruction.data)
    data[place : place + 2] = value.to_bytes(2, "little")
    return Instruction(instruction.program_id, bytes(data), [])


@pytest.mark.parametrize("place", [4, 8, 14], ids=["signature", "key", "message"])
def test_it_reads_no_foreign_offsets(funded: Exchange, place: int) -> None:
    """The verified bytes may lie in another instruction; then they are not those that the program would read."""
    batch = leaves_of(funded)
    funded.challenge(batch, funded.alice)
    leaf = batch.entry(funded.user(funded.alice)).leaves[0]
    assert leaf.signer is not None
    honest = ed25519((leaf.signer, leaf.order))
    # Instruction 1 holds good bytes; instruction 2, just before ours, points one of its parts there.
    pointing = foreign(honest, place, 1)
    with refused("NoSignature"):
        funded.show(batch, funded.alice, 0, verified=[honest, pointing])
    funded.show(batch, funded.alice, 0, verified=[foreign(honest, place, 1)])
