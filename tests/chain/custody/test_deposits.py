"""Deposits: credited when they are final, each once, whatever happens on the way."""

from chain.custody.models import ChainEvent
from markets.ledger import CUSTODY
from tests.chain.custody.desks import USDC, CustodyDesk, custody_desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["custody_desk", "engine_process", "engine_processes"]


def test_it_credits_a_deposit_once_it_is_final(custody_desk: CustodyDesk) -> None:
    alice = custody_desk.linked("alice")
    signature = custody_desk.submit(alice.key, alice.wallet.deposit(300 * USDC))
    custody_desk.localnet.advance(2)
    custody_desk.run()
    assert alice.engine_atoms() == 0  # confirmed is not final

    custody_desk.landed(signature)
    custody_desk.run()
    custody_desk.run()

    assert (alice.engine_atoms(), alice.chain_atoms(), alice.wallet_atoms()) == (300 * USDC, 300 * USDC, 700 * USDC)
    assert custody_desk.ledger_atoms(CUSTODY) == -300 * USDC
    event = ChainEvent.objects.get(kind="Deposited", account_address=alice.place.address)
    assert (event.signature, event.state, event.data["deposit"]) == (str(signature), "applied", 1)
