"""Whoever demands to see an account's leaves is shown them, each judged by the program."""

import time

import pytest

from chain.models import Challenged, SettlementBatch
from chain.settlement import challenges
from chain.settlement.batches import trees_of
from markets.commands import SetLeverage
from markets.ledger import FAUCET
from tests.chain.settlement.desks import SettlementDesk
from tests.engine.desk import ALICE, BOB, MARKET, USDC

pytestmark = pytest.mark.django_db
DAVE = 1_010


def demand(desk: SettlementDesk, batch: SettlementBatch, account_id: int) -> None:
    """Somebody lays down a bond to see what a batch did to an account."""
    charlie = desk.rich()
    user = desk.deployment.account_address(account_id)
    for part in challenges.challenge(desk.deployment, batch=batch, user=user, challenger=charlie.pubkey()):
        desk.submit(charlie, part)


def answer(desk: SettlementDesk) -> int:
    stop = desk.localnet.tick(slot_ms=20)
    shown = challenges.answer_all(desk.deployment, desk.client)
    stop()
    desk.localnet.finalize()
    return shown


def is_answered(desk: SettlementDesk, batch: SettlementBatch, account_id: int) -> bool:
    address = challenges.challenge_address(desk.deployment, batch.seq, desk.deployment.account_address(account_id))
    account = desk.client.account(address, commitment="finalized")
    return bool(desk.deployment.dex.program.account("Challenge", account).answered)


def test_it_shows_every_leaf_of_an_owner(desk: SettlementDesk) -> None:
    desk.settle_batch()
    dave = desk.adopt(DAVE)
    for lots in (5, 7, 11):
        dave.trade("buy", lots, 10_000, other=BOB)
    dave.trade("sell", 20, 10_010, other=ALICE)
    batch = desk.settle_batch()
    desk.assert_settled_once(2)

    demand(desk, batch, DAVE)
    shown = answer(desk)

    user = desk.deployment.account_address(DAVE)
    leaves = next(tree.leaves for tree in trees_of(batch) if tree.user == user)
    assert [leaf.kind for leaf in leaves] == ["Credit", "Trade", "Trade", "Trade", "Trade"]
    assert shown == 5
    assert is_answered(desk, batch, DAVE)
    row = Challenged.objects.get()
    assert (row.answered, row.shown, row.leaves, row.error) == (True, 5, 5, "")


def test_it_shows_several_fills_in_one_leaf(desk: SettlementDesk) -> None:
    """Opening, through zero, and reducing: the program takes the sum as it would take each."""
    desk.settle_batch()
    dave = desk.adopt(DAVE)
    desk.do(dave.order("buy", 9, 10_000))
    for size in (2, 3, 4):
        desk.sell(BOB, size, 10_000, time_in_force="ioc")
    desk.do(dave.order("sell", 20, 10_010))
    for size in (5, 8, 7):
        desk.buy(BOB, size, 10_010, time_in_force="ioc")
    batch = desk.settle_batch()

    demand(desk, batch, DAVE)

    leaves = next(tree.leaves for tree in trees_of(batch) if tree.user == dave.place.user)
    assert [len(leaf.fills) for leaf in leaves if leaf.kind == "Trade"] == [3, 3]
    assert answer(desk) == len(leaves)
    assert is_answered(desk, batch, DAVE)


def test_it_shows_what_the_house_did(desk: SettlementDesk) -> None:
    batch = desk.settle_batch()

    demand(desk, batch, FAUCET)

    assert answer(desk) == 1
    assert is_answered(desk, batch, FAUCET)
    assert answer(desk) == 0


def test_it_notes_why_it_cannot_answer(desk: SettlementDesk) -> None:
    batch = desk.settle_batch()
    demand(desk, batch, FAUCET)
    row = batch.account_changes.get(account_id=FAUCET)
    row.leaves[0]["fields"]["reference"] += 1
    row.save()

    assert answer(desk) == 0
    assert "6" in Challenged.objects.get().error
    assert not is_answered(desk, batch, FAUCET)


def test_it_proves_a_place_among_many_accounts_in_parts(desk: SettlementDesk) -> None:
    for account_id in range(2_000, 2_040):
        desk.join(account_id, 10 * USDC)
    batch = desk.settle_batch()
    desk.assert_settled_once(1)

    user = desk.deployment.account_address(2_017)
    parts = challenges.challenge(desk.deployment, batch=batch, user=user, challenger=desk.rich().pubkey())
    demand(desk, batch, 2_017)

    assert len(parts) == 1
    assert answer(desk) == 1


def test_it_shows_a_fill_from_just_before_a_batch_closed(desk: SettlementDesk) -> None:
    """Matched at 1,000 while the batch before is on its way, which closes at 800: the next one's range still knows the price."""
    desk.settle_batch()
    dave = desk.adopt(DAVE)
    assert desk.make() is not None
    dave.trade("buy", 5, 10_000, other=BOB)
    desk.reprice(800)
    assert desk.settle() == "idle"
    batch = desk.settle_batch()

    demand(desk, batch, DAVE)

    assert answer(desk) == 1
    assert is_answered(desk, batch, DAVE)


def test_it_shows_a_bankruptcy_and_who_took_it_over(desk: SettlementDesk) -> None:
    """Dave loses more than he has, Erin is closed against him: both are leaves, and hers can be shown because his was."""
    desk.settle_batch()
    dave, erin = desk.adopt(DAVE, usdc=25), desk.adopt(DAVE + 1)
    desk.do(SetLeverage(account_id=DAVE, market_id=MARKET, leverage=50))
    assert desk.do(erin.order("sell", 100, 10_000)).reject is None
    assert desk.do(dave.order("buy", 100, 10_000, time_in_force="ioc")).reject is None
    desk.settle_batch()
    desk.reprice(970)
    assert desk.make(heartbeat_ms=0) is not None
    assert desk.settle() == "idle"
    desk.price(9_700)
    desk.confirm()
    batch = desk.settle_batch()
    desk.assert_settled_once(4)

    stop = desk.localnet.tick(slot_ms=20)
    assert challenges.show_bankruptcies(desk.deployment, desk.client, now_s=time.time()) == 1
    assert challenges.show_bankruptcies(desk.deployment, desk.client, now_s=time.time()) == 0
    assert challenges.answer_all(desk.deployment, desk.client) == 1
    stop()
    desk.localnet.finalize()
    demand(desk, batch, DAVE + 1)

    kinds = {str(tree.user): [leaf.kind for leaf in tree.leaves] for tree in trees_of(batch)}
    assert kinds[str(dave.place.user)] == ["Bankruptcy"]
    assert kinds[str(erin.place.user)] == ["Deleveraging"]
    assert answer(desk) == 1
    assert is_answered(desk, batch, DAVE)
    assert is_answered(desk, batch, DAVE + 1)


def test_it_shows_a_liquidation_by_the_book(desk: SettlementDesk) -> None:
    desk.settle_batch()
    dave = desk.adopt(DAVE, usdc=25)
    desk.do(SetLeverage(account_id=DAVE, market_id=MARKET, leverage=50))
    dave.trade("buy", 100, 10_000, other=BOB)
    desk.settle_batch()
    desk.buy(ALICE, 60, 9_832)
    desk.buy(BOB, 60, 9_831)
    desk.reprice(984)
    desk.price(9_840)
    desk.confirm()
    batch = desk.settle_batch()

    demand(desk, batch, DAVE)
    shown = answer(desk)

    kinds = [leaf.kind for tree in trees_of(batch) if tree.user == dave.place.user for leaf in tree.leaves]
    assert set(kinds) == {"Reduction"}
    assert shown == len(kinds)
    assert is_answered(desk, batch, DAVE)
