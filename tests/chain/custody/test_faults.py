"""What the chain does now and then: forks, late and lost transactions, nodes that do not answer, logs that are cut short."""

import threading
from typing import Any

import pytest
from django.db import connection
from solders.instruction import AccountMeta, Instruction
from spl.token.constants import TOKEN_PROGRAM_ID

from chain.custody.events import told
from chain.custody.indexer import EventMissing, index, last_number
from chain.custody.models import ChainAccount, ChainCursor, ChainEvent, Withdrawal
from chain.custody.rebuilding import rebuilt
from chain.custody.running import LOCK, custody_pass
from chain.custody.withdrawals import withdrawal_request
from chain.localnet.errors import NODE_UNHEALTHY, RpcError
from chain.localnet.faults import Dropped, ForkedAway, Late, ReplyLost, SubmissionFault
from chain.models import OutboxAttempt
from chain.outbox.running import only_settler
from chain.settlement.route import chain_events_journalled
from markets.errors import GatewayError
from markets.ledger import CUSTODY, FIRST_WALLET_ACCOUNT
from tests.chain.custody.desks import USDC, CustodyDesk, Person, custody_desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["custody_desk", "engine_process", "engine_processes"]

METHODS = ("getAccountInfo", "getSignaturesForAddress", "getTransaction")


def funded(desk: CustodyDesk) -> Person:
    alice = desk.linked("alice")
    alice.send(alice.wallet.deposit(500 * USDC))
    desk.run_until(lambda: alice.engine_atoms() == 500 * USDC)
    return alice


def test_it_never_credits_what_a_fork_takes_back(custody_desk: CustodyDesk) -> None:
    alice = custody_desk.linked("alice")
    custody_desk.localnet.faults.submission(ForkedAway(2))
    custody_desk.submit(alice.key, alice.wallet.deposit(300 * USDC))
    for _ in range(8):
        custody_desk.run()
        custody_desk.localnet.advance()
    assert (alice.engine_atoms(), alice.wallet_atoms()) == (0, 1_000 * USDC)

    alice.send(alice.wallet.deposit(200 * USDC))
    custody_desk.run()

    assert (alice.engine_atoms(), custody_desk.ledger_atoms(CUSTODY)) == (200 * USDC, -200 * USDC)


@pytest.mark.parametrize("fault", [ReplyLost(), RpcError(NODE_UNHEALTHY, "Node is behind")], ids=["lost", "unhealthy"])
def test_it_goes_on_after_any_answer_that_did_not_come(custody_desk: CustodyDesk, fault: Any) -> None:
    alice = custody_desk.linked("alice")
    for amount, method in enumerate(METHODS, start=1):
        alice.send(alice.wallet.deposit(amount * USDC))
        custody_desk.localnet.faults.reply(method, *[fault] * 4)
        custody_desk.run()
        custody_desk.run()
    assert alice.engine_atoms() == 6 * USDC
    assert list(ChainEvent.objects.filter(account_address=alice.place.address).values_list("data__deposit", flat=True)) == [1, 2, 3]


@pytest.mark.parametrize(
    "faults",
    [(Dropped(),), (Late(3),), (ForkedAway(1),), (ForkedAway(2, returns=True),)],
    ids=["dropped", "late", "forked", "returns"],
)
def test_it_grants_one_voucher_whatever_happens_to_it(custody_desk: CustodyDesk, faults: tuple[SubmissionFault, ...]) -> None:
    alice = funded(custody_desk)
    withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    custody_desk.localnet.faults.submission(*faults)

    custody_desk.run_until(lambda: Withdrawal.objects.filter(state="granted").exists())

    assert custody_desk.user(alice.wallet.user).vouchers == 1
    assert alice.engine_atoms() == 300 * USDC


def test_it_signs_a_voucher_anew_only_when_the_former_cannot_land(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    custody_desk.localnet.faults.submission(Late(152))
    custody_desk.run()
    custody_desk.localnet.advance(160)

    custody_desk.run_until(lambda: Withdrawal.objects.filter(state="granted").exists())

    assert list(OutboxAttempt.objects.values_list("state", flat=True)) == ["expired", "final"]
    assert custody_desk.user(alice.wallet.user).vouchers == 1


def test_it_leaves_the_work_to_the_process_that_is_at_it(custody_desk: CustodyDesk) -> None:
    alice = custody_desk.linked("alice")
    alice.send(alice.wallet.deposit(USDC))
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with only_settler(LOCK) as alone:
            assert alone
            held.set()
            done.wait(30)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    held.wait(30)
    assert not custody_pass(client=custody_desk.client, chain=custody_desk.chain)
    done.set()
    other.join()
    assert custody_pass(client=custody_desk.client, chain=custody_desk.chain)
    assert alice.engine_atoms() == USDC


def test_it_reads_from_the_instructions_what_cut_logs_do_not_tell(custody_desk: CustodyDesk) -> None:
    alice = custody_desk.linked("alice")
    signature = alice.send(*noise(alice), alice.wallet.deposit(7 * USDC))
    transaction = custody_desk.client.transaction(str(signature))
    assert transaction is not None
    logs = transaction["meta"]["logMessages"]
    assert logs[-1].startswith("Log truncated")
    assert told(custody_desk.chain.dex.program, signature=str(signature), transaction=transaction) == []

    custody_desk.run()

    assert alice.engine_atoms() == 7 * USDC


def test_it_rebuilds_from_instructions_what_the_logs_tell(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    key = custody_desk.person("bob").key.pubkey()
    alice.send(alice.wallet.register_key(key=key, market_id=1, cap_atoms=USDC, expires_at_s=2**33), alice.wallet.deposit(USDC))
    alice.send(alice.wallet.deposit(2 * USDC), alice.wallet.deposit(3 * USDC), alice.wallet.revoke_key(key))
    alice.send(alice.wallet.request_exit())
    custody_desk.run()
    for signature in ChainEvent.objects.order_by("number").values_list("signature", flat=True).distinct():
        transaction = custody_desk.client.transaction(signature)
        assert transaction is not None
        logged = told(custody_desk.chain.dex.program, signature=signature, transaction=transaction)
        ChainEvent.objects.filter(number__gte=logged[0].number).update(account_address="")  # as if they were not read yet
        made = rebuilt(
            client=custody_desk.client,
            chain=custody_desk.chain,
            signature=signature,
            transaction=transaction,
            known=logged[0].number - 1,
        )
        for event in logged:
            ChainEvent.objects.filter(number=event.number).update(account_address=event.account_address)
        assert [(event.number, event.kind) for event in made] == [(event.number, event.kind) for event in logged]
        assert all(made_one.data.items() <= logged_one.data.items() for made_one, logged_one in zip(made, logged, strict=True))


def test_it_stops_at_a_gap_and_says_so(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    known = last_number()
    alice.send(alice.wallet.deposit(USDC))
    alice.send(alice.wallet.deposit(2 * USDC))
    latest = custody_desk.client.history(custody_desk.chain.dex.exchange, before=None, until=None, min_slot=0)[1].signature
    ChainCursor.objects.update(signature=latest)  # as if the first of them had been passed over

    with pytest.raises(EventMissing):
        index(client=custody_desk.client, chain=custody_desk.chain)

    assert (last_number(), chain_events_journalled(), alice.engine_atoms()) == (known, known, 500 * USDC)


def test_it_refuses_tables_of_another_chain(custody_desk: CustodyDesk) -> None:
    custody_desk.run()
    ChainCursor.objects.update(genesis_hash="1" * 32)
    with pytest.raises(EventMissing):
        index(client=custody_desk.client, chain=custody_desk.chain)
    assert "another" not in ChainCursor.objects.get().genesis_hash
    assert "these tables follow the chain" in ChainCursor.objects.get().halt_reason


def test_it_keeps_what_came_before_the_link_for_its_owner(custody_desk: CustodyDesk) -> None:
    alice = custody_desk.person("alice")
    alice.send(alice.wallet.create_user(alice.key.pubkey()))
    alice.send(alice.wallet.deposit(40 * USDC))
    custody_desk.run()
    event = ChainEvent.objects.get(account_address=str(alice.wallet.user))
    assert (event.state, alice.engine_atoms(), alice.account.owner) == ("applied", 40 * USDC, None)

    alice.link()
    alice.send(alice.wallet.deposit(2 * USDC))
    custody_desk.run()

    assert (alice.engine_atoms(), alice.account.owner) == (42 * USDC, alice.user)
    assert alice.account.id >= FIRST_WALLET_ACCOUNT


def test_it_links_a_wallet_whose_account_the_engine_opens_later(custody_desk: CustodyDesk) -> None:
    alice = custody_desk.person("alice")
    custody_desk.engine.kill()
    with pytest.raises(GatewayError):
        alice.link()
    assert ChainAccount.objects.filter(pk=alice.account.pk).exists()  # so settlement knows it, however the engine heard of it
    custody_desk.engine.start()

    custody_desk.run_until(lambda: alice.place.created_at is not None)
    alice.send(alice.wallet.deposit(2 * USDC))
    custody_desk.run()

    assert (alice.engine_atoms(), alice.link().pk) == (2 * USDC, alice.account.pk)


def test_it_applies_first_what_came_while_the_account_was_nobodys(custody_desk: CustodyDesk) -> None:
    alice = custody_desk.linked("alice")
    alice.send(alice.wallet.deposit(3 * USDC))
    index(client=custody_desk.client, chain=custody_desk.chain)
    ChainEvent.objects.update(state="unknown")  # as if it had been looked at a moment before
    alice.send(alice.wallet.deposit(4 * USDC))

    custody_desk.run()
    custody_desk.run()

    assert (alice.engine_atoms(), chain_events_journalled()) == (7 * USDC, last_number())


def noise(alice: Person) -> list[Instruction]:
    """Return instructions whose logs fill what a transaction may log: transfers of nothing to oneself."""
    account = AccountMeta(alice.wallet.token_account, is_signer=False, is_writable=True)
    owner = AccountMeta(alice.key.pubkey(), is_signer=True, is_writable=False)
    return [Instruction(TOKEN_PROGRAM_ID, bytes([3]) + bytes(8), [account, account, owner]) for _ in range(40)]
