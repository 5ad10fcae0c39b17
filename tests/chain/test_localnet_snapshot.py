"""What a localnet that runs for long keeps: a journal that begins again with a snapshot, and a bounded past of each payer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.signature import Signature

from chain.localnet import history
from chain.localnet.history import History
from tests.chain.localnets import FINALIZED, SOL, Localnet
from tests.chain.minting import Mint

MANY = 400  # blocks: further back than any fork or status goes


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Localnet]:
    net = Localnet(journal=tmp_path / "blocks")
    yield net
    net.end()


def size(net: Localnet) -> int:
    assert net._journal is not None
    return net._journal.stat().st_size


def begin_again(net: Localnet) -> None:
    """Have the journal begin again with the next quiet block, and go on as usual after it."""
    net.finalize()
    net.do(lambda: setattr(net.chain, "snapshot_after_bytes", 1))
    net.advance()
    net.do(lambda: setattr(net.chain, "snapshot_after_bytes", 10**9))


@pytest.mark.parametrize("cleanly", [True, False])
def test_it_comes_back_from_a_snapshot_with_everything(kept: Localnet, cleanly: bool) -> None:
    alice, bob = kept.rich(), Keypair().pubkey()
    mint = Mint(kept, alice)
    account = mint.open(alice.pubkey(), 123)
    before = kept.pay(alice, bob, SOL)
    begin_again(kept)
    slot = kept.client.get_slot(FINALIZED).value
    after = kept.pay(alice, bob, SOL)
    kept.finalize()

    kept.restart(cleanly=cleanly)

    assert (kept.balance(bob), mint.balance(account)) == (2 * SOL, 123)
    assert kept.client.get_slot(FINALIZED).value > slot
    listed = [one.signature for one in kept.client.get_signatures_for_address(bob, commitment=FINALIZED).value]
    assert listed == [after, before]
    landed = kept.client.get_transaction(before, commitment=FINALIZED, max_supported_transaction_version=0).value
    assert landed is not None
    kept.pay(alice, bob, SOL)
    assert kept.balance(bob) == 3 * SOL


def test_it_writes_no_snapshot_of_what_a_fork_could_take_back(kept: Localnet) -> None:
    alice, bob = kept.rich(), Keypair().pubkey()
    kept.finalize()
    kept.do(lambda: setattr(kept.chain, "snapshot_after_bytes", 1))
    kept.pay(alice, bob, SOL)
    kept.advance()
    kept.fork(1)
    kept.restart(cleanly=False)
    assert kept.balance(bob) == 0


def test_it_keeps_the_journal_small(kept: Localnet) -> None:
    alice, bob = kept.rich(), Keypair().pubkey()
    for number in range(20):
        kept.pay(alice, bob, SOL + number)
        kept.advance()
    long = size(kept)
    begin_again(kept)
    first = size(kept)
    begin_again(kept)
    assert first < long
    assert abs(size(kept) - first) < 200
    assert not any(path.suffix == ".new" for path in kept._journal.parent.iterdir())  # type: ignore[union-attr]


def test_it_forgets_the_oldest_of_a_payer_who_sends_much_and_nothing_of_another(kept: Localnet) -> None:
    kept.do(lambda: setattr(kept.chain, "history", History(kept=3)))
    alice, bob, charlie = kept.rich(), kept.rich(), Keypair().pubkey()
    rare = kept.pay(bob, charlie, SOL)
    early = [kept.pay(alice, charlie, SOL + number) for number in range(3)]
    kept.advance(MANY)
    late = [kept.pay(alice, charlie, 2 * SOL + number) for number in range(3)]
    kept.finalize()

    def known(signature: Signature) -> bool:
        return kept.client.get_transaction(signature, commitment=FINALIZED, max_supported_transaction_version=0).value is not None

    assert [known(one) for one in [rare, *early, *late]] == [True, False, False, False, True, True, True]
    listed = [one.signature for one in kept.client.get_signatures_for_address(charlie, commitment=FINALIZED).value]
    assert listed == [*reversed(late), rare]
    assert history.RECENT_BLOCKS < MANY
