"""A fault in what belongs to one person halts that and is told; the others' money goes on."""

from chain.custody.exits import shard_of as exit_shard
from chain.custody.indexer import index
from chain.custody.models import ChainAccount, ChainCursor, ChainEvent, Withdrawal
from chain.custody.vouchers import shard_of
from chain.custody.wallets import shard_of as account_shard
from chain.custody.withdrawals import withdrawal_request
from chain.models import OutboxAttempt, OutboxShard
from chain.outbox.queue import is_halted, release
from tests.chain.custody.desks import USDC, CustodyDesk, Person, custody_desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["custody_desk", "engine_process", "engine_processes"]


def halts() -> dict[str, str]:
    return dict(OutboxShard.objects.exclude(halted_at=None).values_list("name", "halt_reason"))


def two(desk: CustodyDesk) -> tuple[Person, Person]:
    alice, bob = desk.linked("alice"), desk.linked("bob")
    for person in (alice, bob):
        person.send(person.wallet.deposit(500 * USDC))
    desk.run_until(lambda: alice.engine_atoms() == bob.engine_atoms() == 500 * USDC)
    return alice, bob


def state_of(person: Person) -> str:
    return Withdrawal.objects.get(account=person.account).state


def test_it_halts_one_persons_vouchers_when_their_rows_do_not_hold(custody_desk: CustodyDesk) -> None:
    alice, bob = two(custody_desk)
    withdrawal_request(account=alice.account, amount_atoms=100 * USDC, key="a")
    custody_desk.run_until(lambda: state_of(alice) == "granted")
    OutboxAttempt.objects.all().delete()
    Withdrawal.objects.update(state="held")  # as if it had not been noted, and what shows that it was granted is lost
    withdrawal_request(account=bob.account, amount_atoms=100 * USDC, key="b")

    custody_desk.run_until(lambda: state_of(bob) == "granted")

    shard = shard_of(alice.account.id)
    assert list(halts()) == [shard]
    assert "DoesNotExist" in halts()[shard]
    assert state_of(alice) == "held"


def test_it_holds_one_persons_events_when_one_cannot_be_read(custody_desk: CustodyDesk) -> None:
    alice, bob = two(custody_desk)
    numbers = {person: person.send(person.wallet.deposit(USDC)) for person in (alice, bob)}
    index(client=custody_desk.client, chain=custody_desk.chain)
    ChainEvent.objects.filter(signature=str(numbers[alice])).update(data={"asset": 0})

    custody_desk.run()

    event = ChainEvent.objects.get(signature=str(numbers[alice]))
    assert (event.state, event.error) == ("new", "fault: KeyError: 'amount'")
    assert (alice.engine_atoms(), bob.engine_atoms()) == (500 * USDC, 501 * USDC)
    assert halts() == {}


def test_it_halts_the_exit_or_the_opening_that_met_a_fault_and_goes_on_when_released(custody_desk: CustodyDesk) -> None:
    alice, bob = two(custody_desk)
    for person in (alice, bob):
        person.send(person.wallet.request_exit())
    address, number = alice.place.address, alice.account.id
    custody_desk.run_until(lambda: not ChainAccount.objects.filter(exit_requested_at=None).exists())
    ChainAccount.objects.filter(pk=number).update(address="not an address")

    custody_desk.run_until(lambda: bob.wallet_atoms() == 1_000 * USDC)
    shard = exit_shard(number)
    assert list(halts()) == [shard]

    ChainAccount.objects.filter(pk=number).update(address=address, created_at=None, owner="nobody")
    custody_desk.run()
    assert set(halts()) == {shard, account_shard(number)}
    ChainAccount.objects.filter(pk=number).update(owner=alice.address)
    for name in halts():
        release(shard=name)
    custody_desk.run_until(lambda: alice.wallet_atoms() == 1_000 * USDC)
    assert not is_halted(shard)


def test_it_halts_one_step_and_goes_on_with_the_others(custody_desk: CustodyDesk) -> None:
    """The cursor's row is damaged: what happens on chain is not followed, what was asked for here is still paid."""
    alice, _ = two(custody_desk)
    ChainCursor.objects.update(slot=-1)
    withdrawal_request(account=alice.account, amount_atoms=100 * USDC, key="a")

    custody_desk.run_until(lambda: state_of(alice) == "granted")

    assert list(halts()) == ["custody events"]
    ChainCursor.objects.update(slot=0)
    release(shard="custody events")
    alice.send(alice.wallet.deposit(USDC))
    custody_desk.run_until(lambda: alice.engine_atoms() == 401 * USDC)
