"""Deposits: credited when they are final, each once, whatever happens on the way."""

from solders.system_program import ID as SYSTEM
from spl.token.constants import TOKEN_PROGRAM_ID

from accounts.sub_accounts import account_open
from chain.custody.indexer import index
from chain.custody.models import ChainEvent
from chain.settlement.route import chain_events_journalled
from markets.ledger import CUSTODY, FAUCET
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


def test_it_credits_an_account_that_the_custodian_holds(custody_desk: CustodyDesk) -> None:
    alice = custody_desk.person("alice")
    account = account_open(user=alice.user, name="held")
    dex, custodian = custody_desk.chain.dex, custody_desk.chain.custodian
    place = dex.user(custodian, account.id)
    created = {"payer": alice.key.pubkey(), "exchange": dex.exchange, "user": place, "system_program": SYSTEM}
    alice.send(dex.program.instruction("create_user", {"owner": custodian, "sub_account": account.id}, created))
    asset = dex.asset(custody_desk.chain.usdc_mint)
    accounts = {
        "depositor": alice.key.pubkey(),
        "exchange": dex.exchange,
        "asset": asset["asset"],
        "vault": asset["vault"],
        "source": alice.wallet.token_account,
        "user": place,
        "token_program": TOKEN_PROGRAM_ID,
    }

    alice.send(dex.program.instruction("deposit", {"amount": 5 * USDC}, accounts))
    custody_desk.run()

    assert custody_desk.ledger_atoms(account.id) == 5 * USDC
    first = ChainEvent.objects.get(number=1)
    assert (first.state, custody_desk.ledger_atoms(FAUCET)) == ("noted", 0)  # the operator's own money behind the faucet


def test_it_keeps_a_deposit_that_the_engine_does_not_take(custody_desk: CustodyDesk) -> None:
    alice, bob = custody_desk.linked("alice"), custody_desk.linked("bob")
    alice.send(alice.wallet.deposit(7 * USDC))
    bob.send(bob.wallet.deposit(9 * USDC))
    index(client=custody_desk.client, chain=custody_desk.chain)
    ChainEvent.objects.filter(account_address=alice.place.address).update(data={"asset": 1, "amount": 7 * USDC, "deposit": 1})

    custody_desk.run()

    held = ChainEvent.objects.get(account_address=alice.place.address)
    assert (held.state, "Only USDC" in held.error, alice.engine_atoms(), bob.engine_atoms()) == ("new", True, 0, 9 * USDC)
    assert chain_events_journalled() == held.number - 1
