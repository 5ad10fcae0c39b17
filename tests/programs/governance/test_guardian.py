"""The guardian tightens at once and vetoes; he loosens nothing, and he cannot stay by veto."""

import pytest
from solders.instruction import Instruction

from tests.programs.support.exchange import LIMITS
from tests.programs.support.governance import DAY_S, VOTES, Governance
from tests.programs.support.svm import refused


@pytest.fixture
def listed(governance: Governance) -> Governance:
    """The exchange lists one asset."""
    governance.enact(governance.listing())
    return governance


def test_he_lowers_limits_at_once(listed: Governance) -> None:
    listed.tighten(listed.limits(hour_atoms=1))
    assert listed.listed()["limits"] == LIMITS | {"hour_atoms": 1}


def test_he_pauses_with_zero_limits(listed: Governance) -> None:
    paused = dict.fromkeys(LIMITS, 0)
    listed.tighten(listed.limits(**paused))
    assert listed.listed()["limits"] == paused


@pytest.mark.parametrize("limit", sorted(LIMITS))
def test_he_raises_no_limit(listed: Governance, limit: str) -> None:
    """Not even one that would have to wait, and not beside others that fall."""
    with refused("NotTightening"):
        listed.tighten(listed.limits(**{limit: LIMITS[limit] + 1}))
    with refused("NotTightening"):
        listed.tighten(listed.limits(**(dict.fromkeys(LIMITS, 0) | {limit: LIMITS[limit] + 1})))


def test_what_he_lowered_he_does_not_raise_again(listed: Governance) -> None:
    listed.tighten(listed.limits(day_atoms=10))
    with refused("NotTightening"):
        listed.tighten(listed.limits(day_atoms=11))


def test_he_stops_a_raise_that_waits(listed: Governance) -> None:
    listed.enact(listed.limits(day_atoms=2 * LIMITS["day_atoms"]))
    assert listed.listed()["next_limits_at"] > listed.chain.now
    listed.tighten(listed.limits())
    assert listed.listed()["next_limits_at"] == 0
    assert listed.listed()["limits"] == LIMITS


def test_he_measures_against_limits_whose_time_has_come(listed: Governance) -> None:
    listed.enact(listed.limits(day_atoms=2 * LIMITS["day_atoms"]))
    listed.wait(7 * DAY_S)
    listed.tighten(listed.limits(day_atoms=LIMITS["day_atoms"] + 1))
    assert listed.listed()["limits"]["day_atoms"] == LIMITS["day_atoms"] + 1


def test_he_does_nothing_else(listed: Governance) -> None:
    listed.create_treasury()
    others = [listed.listing(1), listed.new_market(), listed.new_parameters(), listed.new_cap(1), listed.payment(1)]
    for instruction in [*others, listed.new_guardian(listed.guardian.pubkey())]:
        with refused("NotTightening"):
            listed.tighten(instruction)


def test_he_shows_the_exchanges_own_asset(listed: Governance) -> None:
    wanted = listed.limits(day_atoms=LIMITS["day_atoms"] + 1)
    asset = listed.asset_accounts(0)["asset"]
    account = listed.chain.svm.get_account(asset)
    assert account is not None
    fake = listed.chain.key(77).pubkey()
    data = bytearray(account.data)
    data[-8 * 6 :] = bytes(8 * 6)
    listed.chain.svm.set_account(fake, type(account)(account.lamports, bytes(data), listed.program.id))
    metas = [type(meta)(fake if meta.pubkey == asset else meta.pubkey, meta.is_signer, meta.is_writable) for meta in wanted.accounts]
    with refused("WrongAccounts"):
        listed.tighten(Instruction(wanted.program_id, bytes(wanted.data), metas))
    with refused("WrongAccounts"):
        listed.tighten(Instruction(wanted.program_id, bytes(wanted.data), metas[:2]))


def test_only_he_tightens_vetoes_and_lowers_caps(listed: Governance) -> None:
    listed.create_treasury()
    number = listed.propose(listed.limits())
    for stranger in (listed.charlie, listed.alice, listed.authority):
        with refused("NotGuardian"):
            listed.tighten(listed.limits(day_atoms=1), guardian=stranger)
        with refused("NotGuardian"):
            listed.veto(number, guardian=stranger)
        with refused("NotGuardian"):
            listed.lower_cap(0, guardian=stranger)


def test_his_veto_ends_a_proposal_until_the_last_moment(governance: Governance) -> None:
    number = governance.decide(governance.listing(0), governance.listing(1))
    governance.execute(number)
    governance.veto(number)
    with refused("WrongState"):
        governance.execute(number, 1)
    with refused("WrongState"):
        governance.veto(number)


def test_he_cannot_veto_who_comes_after_him(governance: Governance) -> None:
    number = governance.decide(governance.new_guardian(governance.bob.pubkey()))
    with refused("NotVetoable"):
        governance.veto(number)
    governance.execute(number)
    assert governance.rules()["guardian"] == governance.bob.pubkey()
    with refused("NotGuardian"):
        governance.veto(number)


def test_nothing_else_hides_behind_his_replacement(governance: Governance) -> None:
    number = governance.decide(governance.new_guardian(governance.bob.pubkey()), governance.listing())
    governance.veto(number)
    assert governance.ballot(number)["state"] == "Vetoed"


def test_a_new_guardian_voids_older_proposals(governance: Governance) -> None:
    older, change = governance.propose(governance.listing()), governance.propose(governance.new_guardian(governance.bob.pubkey()))
    for number in (older, change):
        governance.vote(governance.alice, number)
    governance.wait_for(change)
    governance.execute(change)
    with refused("Outdated"):
        governance.execute(older)


def test_a_vote_tightens_without_waiting(listed: Governance) -> None:
    """Sixty of a hundred: nobody can turn that any more."""
    number = listed.propose(listed.limits(day_atoms=1), kind="Tightening")
    with refused("TooEarly"):
        listed.execute(number)
    listed.vote(listed.alice, number)
    listed.execute(number)
    assert listed.listed()["limits"]["day_atoms"] == 1


def test_a_vote_that_can_still_turn_is_waited_for(listed: Governance) -> None:
    number = listed.propose(listed.limits(day_atoms=1), kind="Tightening")
    listed.vote(listed.bob, number)
    with refused("TooEarly"):
        listed.execute(number)
    listed.wait(listed.ballot(number)["votes_until"] + 1 - listed.chain.now)
    listed.execute(number)


def test_stake_that_comes_in_tips_no_vote(listed: Governance) -> None:
    number = listed.propose(listed.limits(day_atoms=1), kind="Tightening", by=listed.bob)
    listed.vote(listed.bob, number)
    listed.stake(listed.charlie, 900 * VOTES)
    with refused("StakedTooLate"):
        listed.vote(listed.charlie, number)
    with refused("TooEarly"):
        listed.execute(number)


def test_what_loosens_is_not_called_tightening(listed: Governance) -> None:
    """By its kind it is refused when it is proposed; by its figures when it is executed."""
    draft = listed.draft(listed.alice, "Tightening")
    for instruction in (listed.listing(1), listed.new_market(), listed.new_parameters()):
        with refused("NotTightening"):
            listed.add(listed.alice, draft, 0, instruction)
    number = listed.propose(listed.limits(day_atoms=LIMITS["day_atoms"] + 1), kind="Tightening")
    listed.vote(listed.alice, number)
    with refused("NotTightening"):
        listed.execute(number)


def test_what_once_tightened_is_judged_again_when_it_is_executed(listed: Governance) -> None:
    number = listed.propose(listed.limits(day_atoms=100), kind="Tightening")
    listed.vote(listed.alice, number)
    listed.tighten(listed.limits(day_atoms=10))
    with refused("NotTightening"):
        listed.execute(number)
