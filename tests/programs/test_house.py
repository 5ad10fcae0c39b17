"""Accounts whose keys the platform holds: net changes without signatures, for them and for nobody else."""

import pytest

from chain import merkle
from tests.programs.support.batches import Batch, Entry, credit, house
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


def test_its_accounts_together_never_owe(housed: Exchange) -> None:
    """Else the platform could write a debt into one of them, and what stands against it into the pocket of a friend."""
    everything = 20_000 * USDC
    with refused("HouseOwes"):
        housed.settle({housed.custodian: [house(0, -everything - 1)], housed.alice: [credit(everything + 1)]})
    housed.settle({housed.custodian: [house(0, -everything)], housed.alice: [credit(everything)]})
    with refused("HouseOwes"):
        housed.settle({housed.custodian: [house(0, -1)], housed.alice: [credit(1)]})


@pytest.mark.parametrize(("ticks", "solvent"), [(TICKS * 6 // 5, True), (TICKS * 6 // 5 + 1, False)])
def test_a_bad_bargain_counts_like_a_gift(housed: Exchange, ticks: int, solvent: bool) -> None:
    """It buys at a fifth above the oracle's price, with a fifth of that price in hand: what it has then is worth what the oracle says."""
    value = value_atoms(1_000, ticks)
    leaves = {housed.custodian: [house(0, -value), house(SLOT, 1_000)], housed.bob: housed.fill(1_000, ticks)[housed.bob]}
    if solvent:
        housed.settle(leaves)
    else:
        with refused("HouseOwes"):
            housed.settle(leaves)


@pytest.fixture
def forged(housed: Exchange) -> Exchange:
    """The platform moved 30,000 USDC from one of its accounts, which has none, to the other."""
    housed.create_user(housed.custodian, 1)
    rich, poor = housed.user(housed.custodian), housed.user(housed.custodian, 1)
    entries = [Entry(user=rich, before=housed.outlook(rich), leaves=[house(0, 30_000 * USDC)])]
    entries.append(Entry(user=poor, before=(), leaves=[house(0, -30_000 * USDC)]))
    batch = Batch(seq=1, entries=sorted(entries, key=lambda entry: bytes(entry.user)))
    steps = [housed.open_instruction(1), housed.post_instruction(batch), housed.close_instruction(batch)]
    housed.chain.send(steps, [housed.settler])
    housed.finalise()
    return housed


def test_its_accounts_take_out_no_more_than_they_have_together(forged: Exchange) -> None:
    assert forged.balance(forged.custodian) == 50_000 * USDC
    forged.pay(forged.custodian, 20_000 * USDC)
    forged.grant(forged.custodian, 1, number=2)
    with refused("HouseOwes"):
        forged.withdraw(forged.custodian, 1, number=2)


def test_they_claim_no_more_in_the_end_either(forged: Exchange) -> None:
    forged.silence()
    forged.chain.warp(seconds=1, slots=1_001)
    forged.send("freeze_silent", {}, {}, [forged.charlie])
    for owner in (forged.alice, forged.bob, forged.charlie, forged.authority, forged.custodian):
        forged.value(owner)
    forged.value(forged.custodian, 1)
    forged.open_escapes()
    assert [forged.escape(owner) for owner in (forged.custodian, forged.alice, forged.bob)] == [20_000 * USDC] * 3
    assert forged.escape(forged.custodian, sub_account=1) == 0
    assert forged.vault_atoms() == 0
