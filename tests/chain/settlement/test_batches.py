"""Batches from the journal to the chain: the baseline, later ones, and what stops them."""

import pytest

from chain.models import OutboxShard
from chain.settlement.models import BatchAccount, SettledAccount, SettlementBatch, SignedOrderRecord
from markets.ledger import FAUCET
from tests.chain.settlement.desks import SettlementDesk
from tests.engine.desk import ALICE, BOB, MARKET

pytestmark = pytest.mark.django_db
WALLET = 1_500


def test_it_begins_with_everybody_as_he_is(desk: SettlementDesk) -> None:
    desk.trade(50, 10_000)
    first = desk.settle_batch()

    assert (first.seq, first.begin_ms, first.epoch) == (1, 0, 2)
    desk.assert_settled_once(1)


def test_it_settles_what_happened_since(desk: SettlementDesk) -> None:
    desk.settle_batch()
    desk.trade(50, 10_000)
    desk.now_ms += 1_000
    desk.trade(20, 10_010, buyer=BOB, seller=ALICE)
    second = desk.settle_batch()

    assert (second.seq, second.last_trade_id) == (2, 2)
    desk.assert_settled_once(2)


def test_it_makes_no_batch_when_nothing_changed(desk: SettlementDesk) -> None:
    desk.settle_batch()
    desk.sell(BOB, 5, 10_100)
    desk.wait(20_000)

    assert desk.make() is None


def test_it_makes_one_in_time_all_the_same_lest_the_exchange_falls_back(desk: SettlementDesk) -> None:
    desk.settle_batch()
    desk.wait(15_000)
    made = desk.make(heartbeat_ms=10_000)

    assert made is not None
    assert [row.account_id for row in made.account_changes.all()] == [FAUCET]
    assert desk.settle() == "idle"
    desk.assert_settled_once(2)


def test_it_waits_for_its_interval_and_for_the_batch_before(desk: SettlementDesk) -> None:
    desk.make()
    desk.trade(50, 10_000)

    assert desk.make() is None
    desk.settle()
    assert desk.make(interval_ms=60_000) is None
    assert desk.make() is not None


def test_it_opens_accounts_on_chain_as_they_are_needed(desk: SettlementDesk) -> None:
    assert desk.on_chain(ALICE) == {}
    desk.settle_batch()
    assert desk.on_chain(ALICE) == {0: desk.engine.state.accounts[ALICE].usdc_atoms()}


def test_it_halts_when_a_row_was_changed(desk: SettlementDesk) -> None:
    made = desk.make()
    row = BatchAccount.objects.filter(batch=made).first()
    assert row is not None
    row.leaves[0]["fields"]["amount"] += 1
    row.leaves[0]["sums"][0][1] += 1
    row.save()

    assert desk.settle() == "halted"
    assert "not what was queued" in OutboxShard.objects.get(name="batches").halt_reason


def test_it_keeps_what_it_settled_of_each_account(desk: SettlementDesk) -> None:
    desk.trade(50, 10_000)
    desk.settle_batch()
    settled = {row.account_id: row.balance_atoms for row in SettledAccount.objects.all()}

    holding = desk.engine.state.accounts[ALICE].holdings[MARKET]
    assert settled[ALICE] == desk.engine.state.accounts[ALICE].usdc_atoms() - holding.cost_atoms
    assert sum(settled.values()) == 0
    assert SettlementBatch.objects.count() == 1


def test_it_settles_amended_orders_under_what_was_signed_last(desk: SettlementDesk) -> None:
    """Filled before, between and after amendments, in one batch and over several: each fill names the signature of its time."""
    desk.settle_batch()
    owner = desk.adopt(WALLET)
    placed = [owner.order("buy", 10, 10_000) for _ in range(8)]
    orders = [desk.do(one).orders[0].order_id for one in placed]
    desk.settle_batch()
    desk.sell(BOB, 2, 10_000)
    amended = [owner.order("buy", 50, 10_020 + place) for place in range(8)]
    for order_id, one in zip(orders, amended, strict=True):
        assert desk.amend(WALLET, order_id, price_ticks=one.price_ticks, size_lots=50, signed=one.signed).reject is None
    desk.settle_batch()
    late = owner.order("buy", 20, 10_050)
    assert desk.amend(WALLET, orders[0], price_ticks=late.price_ticks, size_lots=20, signed=late.signed).reject is None
    desk.sell(BOB, 368, 10_000)
    desk.settle_batch()

    left = SignedOrderRecord.objects.filter(account_id=WALLET)
    filled = {bytes(row.signed): row.filled_lots for row in left}
    assert filled[placed[0].signed] == 2
    assert filled[amended[0].signed] == 0
    assert filled[late.signed] == 18
    assert [filled[one.signed] for one in amended[1:]] == [50] * 7
    leaves = [leaf for row in BatchAccount.objects.filter(account_id=WALLET) for leaf in row.leaves]
    named = {leaf["fields"]["order"] for leaf in leaves if leaf["kind"] == "Trade"}
    assert named == set(left.filter(filled_lots__gt=0).values_list("digest", flat=True))
    desk.assert_equal()


def test_it_keeps_every_signature_of_an_order_that_was_amended_in_its_batch(desk: SettlementDesk) -> None:
    desk.settle_batch()
    owner = desk.adopt(WALLET)
    first, second = owner.order("buy", 10, 10_000), owner.order("buy", 10, 10_010)
    order_id = desk.do(first).orders[0].order_id
    desk.sell(BOB, 4, 10_000)
    desk.amend(WALLET, order_id, price_ticks=10_010, signed=second.signed)
    desk.sell(BOB, 3, 10_000)
    desk.settle_batch()
    desk.sell(BOB, 3, 10_000)
    desk.settle_batch()

    filled = {bytes(row.signed): row.filled_lots for row in SignedOrderRecord.objects.filter(account_id=WALLET)}
    assert filled == {first.signed: 4, second.signed: 6}
    desk.assert_equal()
