"""Governance takes over the authority that it is offered, and hands it on to nobody."""

from collections.abc import Iterator

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from tests.programs.support.governance import PARAMETERS, VOTES, Governance
from tests.programs.support.svm import SYSTEM, refused


@pytest.fixture
def founded() -> Governance:
    """An exchange and an oracle whose authority is still a key; Alice has 60 votes, Bob 40."""
    governance = Governance()
    governance.founder = governance.authority.pubkey()
    governance.begin_staked()
    return governance


def offer(governance: Governance) -> None:
    """Let the key offer both to governance."""
    signer = governance.authority
    both = [side.offering(governance.signs, signer.pubkey()) for side in (governance, governance.prices)]
    governance.chain.send(both, [signer])


@pytest.fixture
def governed(founded: Governance) -> Governance:
    offer(founded)
    for side in (founded, founded.prices):
        founded.accept(side)
    return founded


def test_it_accepts_what_it_is_offered_and_decides_from_then_on(governed: Governance) -> None:
    assert governed.state()["authority"] == governed.prices.oracle_state()["authority"] == governed.signs
    with refused("NotAuthority"):
        governed.list_asset(0)
    with refused("NotAuthority"):
        governed.prices.create(2)
    governed.enact(governed.listing(), new_feed(governed, 2), governed.new_market())
    assert (governed.state()["assets"], governed.prices.state(2)["index"]) == (1, 2)


def new_feed(governance: Governance, index: int) -> Instruction:
    prices = governance.prices
    accounts = {
        "payer": governance.signs,
        "authority": governance.signs,
        "oracle": prices.oracle,
        "feed": prices.feed(index),
        "system_program": SYSTEM,
    }
    return prices.instruction("create_feed", {"index": index, "parameters": prices.parameters()}, accounts)


def test_it_accepts_nothing_that_is_not_offered(founded: Governance) -> None:
    for side in (founded, founded.prices):
        with refused("NotAuthority"):
            founded.accept(side)


def test_it_accepts_for_the_exchange_and_the_oracle_only(founded: Governance) -> None:
    offer(founded)
    for target in (founded.program.id, SYSTEM):
        with refused("NotAllowed"):
            founded.accept(founded, target=target)
    with refused("AccountDiscriminatorMismatch|AccountOwnedByWrongProgram"):
        founded.accept(founded, target=founded.prices.program.id)


def test_it_accepts_nothing_before_there_is_stake_to_decide() -> None:
    """Else nobody could say a word for it, and the exchange would have no authority."""
    governance = Governance()
    governance.founder = governance.authority.pubkey()
    governance.begin()
    offer(governance)
    governance.stake(governance.alice, PARAMETERS["quorum_atoms"] - 1)
    with refused("StakeTooSmall"):
        governance.accept(governance)
    governance.stake(governance.bob, VOTES)
    governance.accept(governance)
    assert governance.state()["authority"] == governance.signs


def test_it_accepts_nothing_on_a_durable_nonce(founded: Governance) -> None:
    offer(founded)
    with refused("DurableNonce"):
        founded.send_on_durable_nonce(founded.acceptance(founded), founded.charlie)


def offers(governance: Governance, to: Pubkey) -> Iterator[Instruction]:
    for side in (governance, governance.prices):
        yield side.offering(to, governance.signs)


def test_it_hands_the_authority_on_to_nobody(governed: Governance) -> None:
    number = governed.draft(governed.alice, "Loosening")
    for instruction in offers(governed, governed.charlie.pubkey()):
        with refused("NotAllowed"):
            governed.add(governed.alice, number, 0, instruction)
        with refused("NotTightening"):
            governed.tighten(instruction)


@pytest.mark.parametrize("place", ["exchange", "oracle"])
def test_no_other_program_gets_hold_of_it(governed: Governance, place: str) -> None:
    """A program that governance calls signs for it, too: it must not reach who the authority is."""
    key = governed.exchange if place == "exchange" else governed.prices.oracle
    called = transfer(TransferParams(from_pubkey=governed.signs, to_pubkey=governed.charlie.pubkey(), lamports=10**9))
    for writable in (True, False):
        metas = [*called.accounts, AccountMeta(key, is_signer=False, is_writable=writable)]
        number = governed.decide(Instruction(called.program_id, bytes(called.data), metas))
        if writable:
            with refused("NotAllowed"):
                governed.execute(number)
        else:
            governed.execute(number)
