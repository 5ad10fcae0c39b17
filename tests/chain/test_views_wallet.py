"""The wallet page: before and after the link, without a chain, and while the chain does not answer."""

from typing import Any

from django.test import Client

from accounts.models import User
from chain.custody.models import Withdrawal
from chain.custody.withdrawals import withdrawal_request
from tests.chain.custody.desks import USDC, CustodyDesk, Person, custody_desk
from tests.support.api import Desk, desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["custody_desk", "desk", "engine_process", "engine_processes"]


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(person: Person, path: str = "/wallet/") -> str:
    answer = browser(person.user).get(path)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def funded(desk: CustodyDesk, *, usdc: int = 250) -> Person:
    """Return Alice with a wallet and money on the exchange."""
    alice = desk.linked("alice")
    alice.send(alice.wallet.deposit(usdc * USDC))
    desk.run_until(lambda: alice.engine_atoms() == usdc * USDC)
    return alice


def test_it_says_that_there_is_no_chain(desk: Desk, settings: Any, tmp_path: Any) -> None:
    settings.CHAIN_DIR = tmp_path / "none"

    answer = desk.alice.client.get("/wallet/")

    assert answer.status_code == 404
    assert b"No wallets here" in answer.content
    assert b'href="/wallet/"' not in answer.content
    assert desk.alice.client.get("/wallet/state/").status_code == 204


def test_it_offers_to_link_a_wallet(custody_desk: CustodyDesk) -> None:
    page = shown(custody_desk.person("alice"))

    assert "Link your wallet" in page
    assert 'data-owner=""' in page
    assert 'data-chain="solana:localnet"' in page


def test_it_shows_what_a_wallet_holds_and_has_deposited(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)

    page = shown(alice)

    assert alice.address in page
    assert 'data-exact="750.000000"' in page
    assert 'data-exact="250.000000"' in page
    assert "Credited" in page
    assert "/chain/tx/" in page
    assert f"Your wallet {alice.address[:4]}…{alice.address[-4:]}" in shown(alice, "/accounts/")


def test_it_shows_a_withdrawal_that_can_be_collected(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    withdrawal_request(account=alice.account, amount_atoms=100 * USDC, key="one")
    custody_desk.run_until(lambda: Withdrawal.objects.get().state == Withdrawal.State.GRANTED)

    state = shown(alice, "/wallet/state/")

    assert f'data-collect="{Withdrawal.objects.get().pk}"' in state
    assert "collect it before" in state
    assert 'data-exact="150.000000"' in state


def test_it_stays_useful_while_the_chain_does_not_answer(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    custody_desk.localnet._stop()

    page = shown(alice)

    assert "The chain cannot be reached" in page
    assert 'data-exact="250.000000"' in page


def test_it_shows_nothing_of_a_wallet_to_anybody_else(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    bob = custody_desk.person("bob")

    assert alice.address not in shown(bob)
    assert browser(bob.user).get("/wallet/state/").status_code == 204
    assert Client().get("/wallet/")["Location"].startswith("/accounts/login/")
