"""Injected faults: what happens to a transaction, and what a client can see of it."""

import httpx
import pytest
from solana.exceptions import SolanaRpcException
from solana.rpc.core import RPCException
from solders.keypair import Keypair
from solders.signature import Signature
from solders.transaction_status import TransactionStatus

from chain.localnet.errors import NODE_UNHEALTHY, RpcError
from chain.localnet.faults import Dropped, Failed, ForkedAway, Late, ReplyLost
from tests.chain.localnets import FINALIZED, PROCESSED, SOL, UNCHECKED, Localnet, localnet, pays

__all__ = ["localnet"]


def test_it_drops_a_transaction_but_takes_it_when_it_is_sent_again(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    transaction = bytes(localnet.signed(alice, pays(alice, bob, SOL)))
    localnet.faults.submission(Dropped())

    signature = localnet.client.send_raw_transaction(transaction, UNCHECKED).value
    localnet.finalize()
    before = status(localnet, signature)
    localnet.client.send_raw_transaction(transaction, UNCHECKED)

    assert before is None
    assert localnet.balance(bob) == SOL


@pytest.mark.parametrize(("blocks", "lands"), [(149, True), (151, False)])
def test_it_lands_late_as_long_as_the_blockhash_can_be_used(localnet: Localnet, blocks: int, lands: bool) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    localnet.faults.submission(Late(blocks))

    localnet.pay(alice, bob, SOL)
    localnet.advance(blocks - 1)
    before = localnet.balance(bob)
    localnet.advance()

    assert (before, localnet.balance(bob)) == (0, SOL if lands else 0)


def test_it_lands_a_failure(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    localnet.faults.submission(Failed({"InstructionError": [0, {"Custom": 6001}]}))

    signature = localnet.pay(alice, bob, SOL)

    found = status(localnet, signature)
    assert found is not None
    assert "6001" in str(found.err)
    assert (localnet.balance(alice.pubkey()), localnet.balance(bob)) == (100 * SOL - 5_000, 0)


@pytest.mark.parametrize("returns", [False, True])
def test_it_forks_a_transaction_away_before_it_is_final(localnet: Localnet, returns: bool) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    localnet.faults.submission(ForkedAway(after_blocks=2, returns=returns))

    signature = localnet.pay(alice, bob, SOL)
    localnet.advance()
    confirmed = status(localnet, signature)
    slot = localnet.client.get_slot(PROCESSED).value
    localnet.advance()

    assert confirmed is not None
    assert (status(localnet, signature) is not None) == returns
    assert localnet.balance(bob) == (SOL if returns else 0)
    assert localnet.balance(alice.pubkey()) == (99 * SOL - 5_000 if returns else 100 * SOL)
    assert localnet.client.get_slot(PROCESSED).value > slot


def test_it_never_takes_back_what_is_final(localnet: Localnet) -> None:
    alice = localnet.rich()
    localnet.advance(10)
    height = localnet.client.get_block_height(FINALIZED).value

    localnet.fork(3)
    after = localnet.client.get_block_height(FINALIZED).value
    with pytest.raises(AssertionError):
        localnet.fork(1)

    assert after == height
    assert localnet.balance(alice.pubkey(), FINALIZED) == 100 * SOL


def test_it_forgets_the_blockhashes_of_abandoned_blocks(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    localnet.advance(2)
    transaction = localnet.signed(alice, pays(alice, bob, SOL))

    localnet.fork(1)
    localnet.client.send_raw_transaction(bytes(transaction), UNCHECKED)

    assert localnet.balance(bob) == 0


def test_it_loses_an_answer_after_doing_what_was_asked(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    transaction = bytes(localnet.signed(alice, pays(alice, bob, SOL)))
    localnet.faults.reply("sendTransaction", ReplyLost())

    with pytest.raises(SolanaRpcException) as lost:
        localnet.client.send_raw_transaction(transaction, UNCHECKED)

    assert isinstance(lost.value.__cause__, httpx.RemoteProtocolError)
    assert localnet.balance(bob) == SOL


def test_it_answers_with_a_nodes_error(localnet: Localnet) -> None:
    localnet.faults.reply("getSlot", RpcError(NODE_UNHEALTHY, "Node is behind by 42 slots", {"numSlotsBehind": 42}))

    with pytest.raises(RPCException) as refused:
        localnet.client.get_slot()

    assert type(refused.value.args[0]).__name__ == "NodeUnhealthyMessage"
    assert localnet.client.get_slot(PROCESSED).value > 0


def status(localnet: Localnet, signature: Signature) -> TransactionStatus | None:
    return localnet.client.get_signature_statuses([signature], search_transaction_history=True).value[0]
