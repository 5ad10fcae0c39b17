"""Accounts whose keys the platform holds: net changes without signatures, for them and for nobody else."""

import pytest

from chain import merkle
from tests.programs.support.batches import house
from tests.programs.support.exchange import MARKET, TICKS, USDC, Exchange, value_atoms
from tests.programs.support.svm import refused

SLOT = merkle.position_slot(MARKET)


@pytest.fixture
def housed(funded: Exchange) -> Exchange:
    """The custodian has an account, too."""
    funded.create_user(funded.custodian)
    funded.deposit(funded.custodian, 20_000 * USDC)
    return funded


def test_it_changes_an_account_of_the_custodian_by_its_net(housed: Exchange) -> None:
    value = value_atoms(100, TICKS)
    leaves = {housed.custodian: [house(0, -value), house(SLOT, 100, reference=7)], housed.bob: housed.fill(100)[housed.bob]}
    batch = housed.settle(leaves)
    for owner in (housed.custodian, housed.bob):
        housed.challenge(batch, owner)
        housed.answer(batch, owner)
    housed.finalise()
    assert (housed.lots(housed.custodian), housed.balance(housed.custodian)) == (100, 20_000 * USDC - value)


def test_it_changes_the_insurance(housed: Exchange) -> None:
    housed.sub_accounts[housed.authority] = 2**16 - 1
    housed.create_user(housed.authority)
    batch = housed.settle({housed.custodian: [house(0, -5)], housed.authority: [house(0, 5)]})
    housed.challenge(batch, housed.authority)
    housed.answer(batch, housed.authority)


@pytest.mark.parametrize("who", ["alice", "charlie", "authority"])
def test_it_changes_nobody_else(housed: Exchange, who: str) -> None:
    """Not even the authority's ordinary account: only the insurance is the exchange's."""
    owner = getattr(housed, who)
    batch = housed.settle({owner: [house(0, -5)], housed.custodian: [house(0, 5)]})
    housed.challenge(batch, owner)
    with refused("NotCustodied"):
        housed.answer(batch, owner)


def test_it_owns_no_assets_that_are_not_listed(housed: Exchange) -> None:
    batch = housed.build({housed.custodian: [house(7, 5)], housed.bob: [house(7, -5)]})
    with refused("BadChanges"):
        housed.chain.send([housed.open_instruction(batch.seq), housed.post_instruction(batch)], [housed.settler])


def test_an_account_of_the_custodian_trades_against_an_owners_order_only_inside_it(housed: Exchange) -> None:
    """The platform may write what it likes on its own side; the other side still needs its owner's signature."""
    value = value_atoms(100, TICKS + 1)
    order = housed.order(housed.alice, "buy", 100, TICKS)
    batch = housed.settle(
        {
            housed.custodian: [house(0, value), house(SLOT, -100)],
            housed.alice: [housed.traded(order, owner=housed.alice, price_ticks=TICKS + 1)],
        }
    )
    housed.challenge(batch, housed.alice)
    with refused("OutsideLimit"):
        housed.answer(batch, housed.alice)
