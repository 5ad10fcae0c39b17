"""Stake votes if it was there before the vote, once, and stays until the vote's consequences are known."""

import pytest

from tests.programs.support.governance import DAY_S, VOTES, Governance, set_tokens
from tests.programs.support.svm import TAKEN, Refused, refused


def test_it_locks_stake_and_gives_it_back(governance: Governance) -> None:
    assert governance.rules()["staked_atoms"] == 100 * VOTES
    with refused("StakeLocked"):
        governance.unstake(governance.alice)
    before = governance.chain.tokens(governance.purse(governance.alice))
    governance.wait(DAY_S)
    governance.unstake(governance.alice)
    assert governance.chain.tokens(governance.purse(governance.alice)) == before + 60 * VOTES
    assert governance.rules()["staked_atoms"] == 40 * VOTES
    assert not governance.chain.exists(governance.stake_of(governance.alice))


def test_only_the_owner_takes_stake_out(governance: Governance) -> None:
    governance.wait(DAY_S)
    with refused("ConstraintSeeds"):
        accounts = {
            "owner": governance.charlie.pubkey(),
            "destination": governance.purse(governance.charlie),
            "stake": governance.stake_of(governance.alice),
        }
        governance.govern("return_stake", {}, accounts, [governance.charlie])


def test_stake_leaves_to_an_account_of_its_token_only(governance: Governance) -> None:
    governance.wait(DAY_S)
    accounts = {"owner": governance.alice.pubkey(), "stake": governance.stake_of(governance.alice)}
    wrong = {
        "ConstraintTokenMint": governance.wallet(governance.alice),
        "ConstraintDuplicateMutableAccount": governance.program.pda(b"stake_vault"),
    }
    for error, destination in wrong.items():
        with refused(error):
            governance.govern("return_stake", {}, accounts | {"destination": destination}, [governance.alice])


def test_no_stake_is_empty_or_of_another_token(governance: Governance) -> None:
    with refused("ZeroAmount"):
        governance.stake(governance.charlie, 0)
    with refused("ConstraintTokenMint"):
        governance.stake(governance.charlie, 1, source=governance.wallet(governance.charlie))
    with refused("ConstraintTokenOwner"):
        governance.stake(governance.charlie, 1, source=governance.purse(governance.alice))
    with refused("ConstraintDuplicateMutableAccount"):
        governance.stake(governance.charlie, 1, source=governance.program.pda(b"stake_vault"))


def test_a_stake_never_grows(governance: Governance) -> None:
    with pytest.raises(Refused, match=TAKEN):
        governance.stake(governance.alice, VOTES)
    governance.stake(governance.alice, VOTES, number=1)
    assert governance.rules()["staked_atoms"] == 101 * VOTES


def test_stake_that_came_in_after_the_vote_began_has_no_vote(governance: Governance) -> None:
    number = governance.propose(governance.limits())
    governance.stake(governance.charlie, 900 * VOTES)
    governance.wait(10)
    with refused("StakedTooLate"):
        governance.vote(governance.charlie, number)


def test_stake_of_the_very_slot_has_no_vote(governance: Governance) -> None:
    """A loan of one transaction, or of one block, decides nothing."""
    governance.stake(governance.charlie, 900 * VOTES)
    number = governance.draft(governance.charlie, "Loosening")
    governance.add(governance.charlie, number, 0, governance.limits())
    with refused("StakedTooLate"):
        governance.open_vote(governance.charlie, number)


def test_stake_cannot_come_in_vote_and_leave_at_once(governance: Governance) -> None:
    number = governance.propose(governance.limits())
    owner = governance.charlie
    stake = {"owner": owner.pubkey(), "stake": governance.stake_of(owner)}
    steps = [
        governance.ruled("lock_stake", {"number": 0, "amount_atoms": 900 * VOTES}, stake | {"source": governance.purse(owner)}),
        governance.vote_instruction(owner, number),
        governance.ruled("return_stake", {}, stake | {"destination": governance.purse(owner)}),
    ]
    with refused("StakedTooLate"):
        governance.chain.send(steps, [owner])
    with refused("StakeLocked"):
        governance.chain.send([steps[0], steps[2]], [owner])
    assert governance.ballot(number)["yes_atoms"] == 0


def test_a_vote_locks_stake_until_after_its_consequences(governance: Governance) -> None:
    number = governance.propose(governance.limits())
    governance.vote(governance.bob, number)
    ballot = governance.ballot(number)
    assert governance.staked(governance.bob)["locked_until"] == ballot["ready_at"]
    assert governance.staked(governance.alice)["locked_until"] == ballot["ready_at"]
    governance.wait(ballot["ready_at"] - governance.chain.now)
    with refused("StakeLocked"):
        governance.unstake(governance.bob)
    governance.wait(1)
    governance.unstake(governance.bob)


def test_a_quick_vote_locks_stake_beyond_its_end(governance: Governance) -> None:
    governance.enact(governance.listing())
    number = governance.propose(governance.limits(day_atoms=1), kind="Tightening")
    ballot = governance.ballot(number)
    assert ballot["ready_at"] == ballot["votes_until"]
    assert governance.staked(governance.alice)["locked_until"] == ballot["votes_until"] + DAY_S


def test_nobody_votes_twice(governance: Governance) -> None:
    number = governance.propose(governance.limits())
    governance.vote(governance.bob, number)
    for approves in (True, False):
        with pytest.raises(Refused, match=TAKEN):
            governance.vote(governance.bob, number, approves=approves)
    assert governance.ballot(number)["yes_atoms"] == 40 * VOTES


def test_nobody_votes_with_stake_that_was_taken_out(governance: Governance) -> None:
    number = governance.propose(governance.limits())
    governance.wait(DAY_S)
    governance.unstake(governance.bob)
    with refused("AccountNotInitialized"):
        governance.vote(governance.bob, number)
    governance.stake(governance.bob, 40 * VOTES)
    governance.wait(1)
    with refused("StakedTooLate"):
        governance.vote(governance.bob, number)


def test_nobody_votes_with_the_stake_of_another(governance: Governance) -> None:
    number = governance.propose(governance.limits())
    with refused("ConstraintSeeds"):
        governance.vote(governance.bob, number, signer=governance.charlie)


def test_each_stake_of_an_owner_votes_for_itself(governance: Governance) -> None:
    governance.stake(governance.bob, 7 * VOTES, number=1)
    governance.wait(1)
    number = governance.propose(governance.limits())
    governance.vote(governance.bob, number)
    governance.vote(governance.bob, number, number=1, approves=False)
    ballot = governance.ballot(number)
    assert (ballot["yes_atoms"], ballot["no_atoms"]) == (40 * VOTES, 7 * VOTES)


def test_a_gift_to_the_vault_is_nobodys_stake(governance: Governance) -> None:
    vault = governance.program.pda(b"stake_vault")
    set_tokens(governance.chain, vault, 150 * VOTES)
    governance.stake(governance.charlie, VOTES)
    assert governance.rules()["staked_atoms"] == 101 * VOTES
    assert governance.propose(governance.limits()) == 1
    assert governance.ballot(1)["staked_atoms"] == 101 * VOTES
