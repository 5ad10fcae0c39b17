"""The client against a localnet that fails as nodes do, and building of transactions."""

from collections.abc import Iterator

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from chain.building import MAX_UNIT_PRICE_MICRO_LAMPORTS, build
from chain.client import ChainClient
from chain.errors import ChainRefused, ChainUnavailable, SimulationFailed, TransactionTooLarge
from chain.localnet.errors import NODE_UNHEALTHY, RpcError
from chain.localnet.faults import ReplyLost
from tests.chain.localnets import SOL, Localnet, free_port, localnet, pays

__all__ = ["localnet"]

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
BEHIND = RpcError(NODE_UNHEALTHY, "Node is behind by 42 slots", {"numSlotsBehind": 42})


@pytest.fixture
def client(localnet: Localnet) -> Iterator[ChainClient]:
    with ChainClient(localnet.url, retry_after_s=(0, 0)) as client:
        yield client


def test_it_reads_where_the_chain_is(localnet: Localnet, client: ChainClient) -> None:
    localnet.advance(10)

    final, tip = client.point("finalized"), client.point("processed")

    assert client.genesis_hash() == localnet.chain.genesis_hash
    assert (tip.slot - final.slot, tip.block_height - final.block_height) == (4, 4)
    assert client.blockhash("finalized").last_valid_block_height == final.block_height + 150


def test_it_asks_again_when_the_answer_is_lost_or_the_node_is_behind(localnet: Localnet, client: ChainClient) -> None:
    localnet.faults.reply("getEpochInfo", ReplyLost(), BEHIND)

    assert client.point("finalized").slot >= 0


def test_it_gives_up_after_some_tries(localnet: Localnet, client: ChainClient) -> None:
    localnet.faults.reply("getEpochInfo", BEHIND, BEHIND, BEHIND)

    with pytest.raises(ChainUnavailable) as failure:
        client.point("finalized")

    assert failure.value.message == "Node is behind by 42 slots"


def test_it_says_that_no_node_is_there() -> None:
    with ChainClient(f"http://127.0.0.1:{free_port()}", retry_after_s=()) as client, pytest.raises(ChainUnavailable):
        client.genesis_hash()


def test_it_does_not_ask_again_what_was_refused(localnet: Localnet, client: ChainClient) -> None:
    localnet.faults.reply("getEpochInfo", RpcError(-32602, "Invalid params: no"))

    with pytest.raises(ChainRefused) as failure:
        client.point("finalized")

    assert failure.value.rpc_code == -32602


def test_it_waits_for_a_node_that_has_come_far_enough(localnet: Localnet, client: ChainClient) -> None:
    alice = localnet.rich()
    slot = client.point("finalized").slot

    with pytest.raises(ChainUnavailable):
        client.account(alice.pubkey(), commitment="finalized", min_slot=slot + 1)
    localnet.advance()
    account = client.account(alice.pubkey(), commitment="finalized", min_slot=slot + 1)

    assert account is not None
    assert account.lamports == 100 * SOL


def test_it_sends_once_even_when_the_answer_is_lost(localnet: Localnet, client: ChainClient) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    signed = build(client=client, payer=alice, instructions=[pays(alice, bob, SOL)])
    localnet.faults.reply("sendTransaction", ReplyLost())

    with pytest.raises(ChainUnavailable):
        client.send(signed.transaction)
    localnet.finalize()
    found = client.status(signed.signature)

    assert found is not None
    assert (found.commitment, found.error) == ("finalized", None)
    assert localnet.balance(bob) == SOL


def test_it_reports_a_transaction_that_failed_on_chain(localnet: Localnet, client: ChainClient) -> None:
    alice = localnet.rich()

    signature = localnet.pay(alice, Keypair().pubkey(), 1_000 * SOL)

    found = client.status(signature)
    assert found is not None
    assert (found.commitment, "Custom" in (found.error or "")) == ("processed", True)


def test_it_builds_with_the_units_that_it_takes(localnet: Localnet, client: ChainClient) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()

    signed = build(client=client, payer=alice, instructions=[pays(alice, bob, SOL)])
    client.send(signed.transaction)

    assert 450 <= signed.units <= 1_000
    assert localnet.balance(bob) == SOL


def test_it_pays_what_others_pay_for_the_same_accounts_but_not_without_limit(localnet: Localnet, client: ChainClient) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    free = build(client=client, payer=alice, instructions=[pays(alice, bob, SOL)])
    for price in (1_000, 10**9):
        outbid(localnet, alice, bob, price)
        priced = build(client=client, payer=alice, instructions=[pays(alice, bob, SOL)])
        assert priced.unit_price_micro_lamports == min(price, MAX_UNIT_PRICE_MICRO_LAMPORTS)

    assert free.unit_price_micro_lamports == 0


def test_it_tells_a_failure_that_will_stay_from_one_that_may_pass(localnet: Localnet, client: ChainClient) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()

    with pytest.raises(SimulationFailed) as lasting:
        build(client=client, payer=alice, instructions=[pays(alice, bob, 1_000 * SOL)])
    with pytest.raises(SimulationFailed) as passing:
        build(client=client, payer=Keypair(), instructions=[Instruction(MEMO, b"hello", [])])

    assert lasting.value.deterministic
    assert any("insufficient lamports" in line for line in lasting.value.logs)
    assert not passing.value.deterministic


def test_it_refuses_what_does_not_fit(localnet: Localnet, client: ChainClient) -> None:
    alice = localnet.rich()
    accounts = [AccountMeta(Pubkey.new_unique(), False, False) for _ in range(30)]

    with pytest.raises(TransactionTooLarge):
        build(client=client, payer=alice, instructions=[Instruction(MEMO, b"x" * 300, accounts)])


def outbid(localnet: Localnet, payer: Keypair, receiver: Pubkey, price: int) -> None:
    """Fill the recent blocks with transactions that pay this price for the same account."""
    from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price

    for number in range(150):
        instructions = [set_compute_unit_limit(1_000), set_compute_unit_price(price), pays(payer, receiver, 1_000_000 + number)]
        message = MessageV0.try_compile(payer.pubkey(), instructions, [], localnet.chain.latest_sealed("processed").blockhash)
        transaction = VersionedTransaction(message, [payer])
        localnet.do(lambda transaction=transaction: localnet.chain.land(transaction))  # type: ignore[misc]
        localnet.advance()
