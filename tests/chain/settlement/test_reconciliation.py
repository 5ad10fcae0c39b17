"""Vault, program and ledger are compared; a difference stops withdrawals and changes nothing else."""

from typing import Any

import pytest
from django.test import Client
from solders.account import Account as SolanaAccount

from accounts.models import Balance, User
from chain.custody.indexer import index
from chain.models import ChainEvent, OutboxShard, Reconciliation, SettledAccount, SettlementBatch
from chain.settlement import carried, challenges
from chain.settlement.batches import make_batch
from chain.settlement.reconciliation import ledger_differences, reconcile
from chain.settlement.stops import accept, withdrawals_stopped
from chain.setup.parameters import FAUCET_ATOMS
from markets.ledger import FAUCET
from tests.chain.settlement.desks import SettlementDesk
from tests.chain.settlement.test_challenges import demand
from tests.engine.desk import ALICE, BOB, USDC

pytestmark = pytest.mark.django_db


def compare(desk: SettlementDesk) -> Reconciliation:
    index(client=desk.client, chain=desk.deployment)
    found = reconcile(deployment=desk.deployment, client=desk.client)
    assert found is not None
    return found


def test_it_finds_all_equal(desk: SettlementDesk) -> None:
    desk.trade(50, 10_000)
    desk.settle_batch()
    dave = desk.adopt(1_010)
    desk.fund_wallet(dave, 500)
    desk.submit(dave.wallet, dave.place.deposit(300 * USDC))
    dave.trade("buy", 5, 10_000, other=BOB)
    desk.settle_batch()
    desk.trade(20, 10_010)
    desk.journal()

    found = compare(desk)

    assert (found.ok, found.differences, found.phase, found.batch_seq) == (True, [], "Live", 2)
    assert found.vault_atoms == found.total_atoms == found.users_atoms == FAUCET_ATOMS + 300 * USDC
    assert found.compared == found.accounts > 8
    assert not withdrawals_stopped()


def test_it_is_equal_while_a_batch_waits(desk: SettlementDesk) -> None:
    desk.settle_batch()
    desk.trade(20, 10_010)
    assert desk.make() is not None

    assert compare(desk).ok


def test_it_takes_books_and_batch_of_one_moment(desk: SettlementDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that is made while the books are read is no difference."""
    desk.settle_batch()
    desk.trade(20, 10_010)
    desk.journal()
    load = carried.load

    def make_one_first(**given: Any) -> Any:
        monkeypatch.setattr(carried, "load", load)
        make_batch(deployment=desk.deployment, now_ms=desk.now_ms + 1_000, interval_ms=0, heartbeat_ms=10**9)
        return load(**given)

    monkeypatch.setattr(carried, "load", make_one_first)

    assert ledger_differences(desk.deployment) == []
    assert SettlementBatch.objects.count() == 2


def test_it_stops_withdrawals_when_an_account_differs(desk: SettlementDesk) -> None:
    desk.settle_batch()
    SettledAccount.objects.filter(account_id=ALICE).update(balance_atoms=5)

    found = compare(desk)

    assert not found.ok
    assert {one["what"] for one in found.differences} == {str(desk.deployment.account_address(ALICE)), f"account {ALICE}"}
    assert withdrawals_stopped()
    assert SettledAccount.objects.get(account_id=ALICE).balance_atoms == 5


def test_it_sees_a_ledger_that_is_not_the_journals(desk: SettlementDesk) -> None:
    desk.settle_batch()
    Balance.objects.filter(account_id=ALICE, asset="USDC").update(amount_atoms=7)

    found = compare(desk)

    assert [one["what"] for one in found.differences] == [f"account {ALICE}"]


def test_it_sees_a_vault_that_has_too_little(desk: SettlementDesk) -> None:
    desk.settle_batch()
    vault = desk.deployment.dex.asset(desk.deployment.usdc_mint)["vault"]

    def rob() -> None:
        chain = desk.localnet.chain
        account = chain.account(vault, "processed")
        assert account is not None
        data = bytearray(account.data)
        data[64:72] = (FAUCET_ATOMS - 1).to_bytes(8, "little")
        robbed = SolanaAccount(account.lamports, bytes(data), account.owner)
        chain.accounts.write(vault, robbed, slot=chain.open.slot, final_slot=chain.at("finalized").slot)

    desk.localnet.do(rob)
    desk.localnet.finalize()
    found = compare(desk)

    assert found.differences[0] == {"what": "vault", "expected": FAUCET_ATOMS, "found": FAUCET_ATOMS - 1}


def test_it_waits_with_accounts_until_it_knows_the_chains_events(desk: SettlementDesk) -> None:
    desk.settle_batch()
    compare(desk)
    ChainEvent.objects.all().delete()

    found = reconcile(deployment=desk.deployment, client=desk.client)

    assert found is not None
    assert (found.ok, found.compared) == (True, 0)


def test_it_lets_withdrawals_go_on_when_staff_know_why(desk: SettlementDesk) -> None:
    desk.settle_batch()
    SettledAccount.objects.filter(account_id=ALICE).update(balance_atoms=5)
    found = compare(desk)

    accept(reconciliation=found, by="staff")

    assert not withdrawals_stopped()
    assert Reconciliation.objects.get(pk=found.pk).accepted_by == "staff"


def test_it_follows_an_exchange_into_its_freeze(desk: SettlementDesk) -> None:
    """Nobody answers a challenge: the exchange freezes, what was not final is void, and staff see what it has come to."""
    batch = desk.settle_batch()
    demand(desk, batch, FAUCET)
    address = challenges.challenge_address(desk.deployment, batch.seq, desk.deployment.account_address(FAUCET))
    found = desk.deployment.dex.program.account("Challenge", desk.client.account(address, commitment="finalized"))
    accounts = {"exchange": desk.deployment.dex.exchange, "challenge": address, "challenger": found.challenger}
    freeze = desk.deployment.dex.program.instruction("freeze_unanswered", {}, accounts)
    desk.pass_time(found.deadline)
    desk.submit(desk.rich(), freeze)

    seen = compare(desk)

    assert (seen.ok, seen.phase, seen.compared) == (True, "Frozen", 0)
    assert seen.exchange["valued_users"] == 0
    desk.trade(5, 10_000)
    assert desk.make() is not None
    assert desk.settle() == "halted"
    assert "frozen" in OutboxShard.objects.get(name="batches").halt_reason
    staff = Client()
    staff.force_login(User.objects.create_superuser("ann", password="an-evening-in-november"))
    assert b"payable atoms" in staff.get(f"/admin/chain/reconciliation/{seen.pk}/change/").content
