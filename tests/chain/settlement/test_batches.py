"""Batches from the journal to the chain: the baseline, later ones, and what stops them."""

import pytest

from chain.models import OutboxShard
from chain.settlement.models import BatchAccount, SettledAccount, SettlementBatch
from markets.ledger import FAUCET
from tests.chain.settlement.desks import SettlementDesk
from tests.engine.desk import ALICE, BOB, MARKET

pytestmark = pytest.mark.django_db


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
