"""A proposal is executed if it passed, waited, is still what was voted on, and never twice."""

from typing import Any

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair

from tests.programs.support.exchange import LIMITS, PARAMETERS
from tests.programs.support.governance import DAY_S, VOTES, Governance, shown
from tests.programs.support.svm import TAKEN, Refused, refused

EXIT_S = PARAMETERS["exit_s"]


def test_it_executes_what_has_passed_and_waited(governance: Governance) -> None:
    number = governance.decide(governance.listing())
    governance.execute(number)
    assert governance.ballot(number)["state"] == "Executed"
    assert governance.listed()["limits"] == LIMITS


def test_nothing_is_executed_early(governance: Governance) -> None:
    number = governance.propose(governance.listing())
    governance.vote(governance.alice, number)
    governance.vote(governance.bob, number)
    with refused("TooEarly"):
        governance.execute(number)
    ballot = governance.ballot(number)
    assert ballot["ready_at"] == ballot["votes_until"] + 5 * DAY_S
    for moment in (ballot["votes_until"] + 1, ballot["ready_at"] - 1):
        governance.wait(moment - governance.chain.now)
        with refused("TooEarly"):
            governance.execute(number)
    governance.wait(1)
    governance.execute(number)


def test_what_loosens_waits_longer_than_an_exit_whatever_the_parameters_say() -> None:
    governance = Governance()
    governance.begin_staked(loosening_s=60)
    number = governance.propose(governance.listing())
    governance.vote(governance.alice, number)
    ballot = governance.ballot(number)
    assert ballot["ready_at"] == ballot["votes_until"] + 2 * EXIT_S
    governance.wait(ballot["ready_at"] - 1 - governance.chain.now)
    with refused("TooEarly"):
        governance.execute(number)
    governance.wait(1)
    governance.execute(number)


def test_nothing_is_executed_twice(governance: Governance) -> None:
    governance.enact(governance.listing())
    number = governance.enact(governance.limits(day_atoms=1))
    with refused("WrongState"):
        governance.execute(number)


def test_instructions_are_executed_in_order_and_each_once(governance: Governance) -> None:
    number = governance.decide(governance.listing(0), governance.listing(1))
    with refused("WrongOrder"):
        governance.execute(number, 1)
    governance.execute(number, 0)
    assert governance.ballot(number)["state"] == "Voting"
    with refused("WrongOrder"):
        governance.execute(number, 0)
    governance.execute(number, 1)
    assert governance.ballot(number)["state"] == "Executed"


def test_only_what_was_proposed_is_executed(governance: Governance) -> None:
    number = governance.decide(governance.listing(0), governance.listing(1))
    with refused("WrongAccounts"):
        governance.execute(number, instruction=governance.listing(1))
    with refused("ConstraintSeeds"):
        governance.execute(number, stored=governance.stored(number, 1))
    with refused("WrongAccounts"):
        wanted = governance.listing(0)
        governance.execute(number, instruction=Instruction(wanted.program_id, bytes(wanted.data), list(wanted.accounts)[:-1]))


def test_changed_bytes_are_not_executed(governance: Governance) -> None:
    """Even if the program let somebody write them, which it does not: the hash that was voted on decides."""
    number = governance.decide(governance.listing())
    stored = governance.stored(number, 0)
    account = governance.chain.svm.get_account(stored)
    assert account is not None
    data = bytearray(account.data)
    data[-1] ^= 1
    governance.chain.svm.set_account(stored, type(account)(account.lamports, bytes(data), account.owner))
    with refused("WrongHash"):
        governance.execute(number)


def test_a_voter_says_what_he_has_read(governance: Governance) -> None:
    number = governance.propose(governance.listing())
    with refused("WrongHash"):
        governance.vote(governance.bob, number, read=bytes(32))
    other = governance.propose(governance.listing())
    with refused("WrongHash"):
        governance.vote(governance.bob, other, read=governance.hash(number))


def test_nothing_is_added_once_the_vote_began(governance: Governance) -> None:
    number = governance.propose(governance.listing())
    with refused("WrongState"):
        governance.add(governance.alice, number, 1, governance.limits())
    with refused("WrongState"):
        governance.open_vote(governance.alice, number)


def test_only_the_proposer_fills_opens_and_cancels(governance: Governance) -> None:
    number = governance.draft(governance.alice, "Loosening")
    with refused("NotProposer"):
        governance.add(governance.bob, number, 0, governance.listing())
    governance.add(governance.alice, number, 0, governance.listing())
    with refused("NotProposer"):
        governance.open_vote(governance.bob, number)
    with refused("NotProposer"):
        governance.cancel(governance.bob, number)
    governance.cancel(governance.alice, number)
    with refused("WrongState"):
        governance.open_vote(governance.alice, number)


def test_nobody_cancels_what_was_voted_on(governance: Governance) -> None:
    number = governance.propose(governance.listing())
    governance.vote(governance.bob, number)
    governance.wait(3 * DAY_S + 1)
    with refused("Expired"):
        governance.cancel(governance.alice, number)
    other = governance.propose(governance.listing(1))
    governance.cancel(governance.alice, other)
    with refused("WrongState"):
        governance.vote(governance.bob, other)


def test_a_proposal_has_instructions_and_a_proposer_with_stake(governance: Governance) -> None:
    number = governance.draft(governance.alice, "Loosening")
    with refused("WrongCount"):
        governance.open_vote(governance.alice, number)
    for index in range(8):
        governance.add(governance.alice, number, index, governance.limits())
    with refused("WrongCount"):
        governance.add(governance.alice, number, 8, governance.limits())
    governance.stake(governance.charlie, VOTES - 1)
    with refused("StakeTooSmall"):
        governance.draft(governance.charlie, "Loosening")
    governance.stake(governance.alice, VOTES - 1, number=1)
    governance.wait(1)
    with refused("StakeTooSmall"):
        governance.open_vote(governance.alice, number, number=1)


def test_it_passes_with_a_majority_of_the_votes_only(governance: Governance) -> None:
    number = governance.propose(governance.listing(), by=governance.bob)
    governance.vote(governance.bob, number)
    governance.vote(governance.alice, number, approves=False)
    governance.wait_for(number)
    with refused("NotPassed"):
        governance.execute(number)


def test_it_passes_with_a_quorum_only(governance: Governance) -> None:
    governance.stake(governance.charlie, 19 * VOTES)
    governance.wait(1)
    number = governance.propose(governance.listing())
    assert governance.ballot(number)["quorum_atoms"] == 23_800_000
    governance.vote(governance.charlie, number)
    governance.wait_for(number)
    with refused("NotPassed"):
        governance.execute(number)


def test_half_the_votes_is_no_majority(governance: Governance) -> None:
    governance.stake(governance.charlie, 20 * VOTES)
    governance.wait(1)
    number = governance.propose(governance.listing())
    governance.vote(governance.alice, number)
    governance.vote(governance.bob, number, approves=False)
    governance.vote(governance.charlie, number, approves=False)
    governance.wait_for(number)
    with refused("NotPassed"):
        governance.execute(number)


def test_nobody_votes_after_the_end(governance: Governance) -> None:
    number = governance.propose(governance.listing())
    governance.wait(governance.ballot(number)["votes_until"] - governance.chain.now)
    governance.vote(governance.bob, number)
    governance.wait(1)
    with refused("Expired"):
        governance.vote(governance.alice, number)


def test_what_nobody_executes_expires(governance: Governance) -> None:
    number = governance.decide(governance.listing())
    governance.wait(governance.ballot(number)["expires_at"] + 1 - governance.chain.now)
    with refused("Expired"):
        governance.execute(number)


def test_what_fails_can_be_tried_again(governance: Governance) -> None:
    number, listing = governance.propose(governance.limits()), governance.propose(governance.listing())
    for proposal in (number, listing):
        governance.vote(governance.alice, proposal)
    governance.wait_for(listing)
    with refused("AccountNotInitialized"):
        governance.execute(number)
    assert governance.ballot(number)["executed"] == 0
    governance.execute(listing)
    governance.execute(number)


def steps(governance: Governance) -> dict[str, tuple[Instruction, Keypair]]:
    """Return each word that somebody gives, as it would pass now."""
    governance.enact(governance.listing())
    governance.create_treasury()
    decided = governance.decide(governance.limits())
    voting, dropped = governance.propose(governance.limits()), governance.propose(governance.limits())
    draft = governance.draft(governance.alice, "Loosening")
    governance.add(governance.alice, draft, 0, governance.limits())
    alice, guardian = governance.alice.pubkey(), governance.guardian.pubkey()
    stake = {"stake": governance.stake_of(governance.alice)}
    added = {"proposer": alice, "proposal": governance.proposal(draft), "stored": governance.stored(draft, 1)}
    begun = stake | {"proposer": alice, "proposal": governance.proposal(draft)}
    new = stake | {"owner": alice, "proposal": governance.proposal(draft + 1)}
    cap = {"guardian": guardian, "treasury": governance.treasury_accounts()["treasury"]}
    voted = {"proposal": governance.proposal(voting)}
    return {
        "propose": (governance.ruled("propose", {"kind": {"Loosening": {}}}, new), governance.alice),
        "add_instruction": (
            governance.ruled("add_instruction", {"instruction": shown(governance.listing())}, added),
            governance.alice,
        ),
        "begin_vote": (governance.ruled("begin_vote", {}, begun), governance.alice),
        "vote": (governance.vote_instruction(governance.bob, voting), governance.bob),
        "execute": (governance.execution(decided), governance.charlie),
        "cancel": (governance.ruled("cancel", {}, {"proposer": alice, "proposal": governance.proposal(dropped)}), governance.alice),
        "veto": (governance.ruled("veto", {}, voted | {"guardian": guardian}), governance.guardian),
        "tighten": (governance.tightening(governance.limits(day_atoms=1), governance.guardian), governance.guardian),
        "lower_cap": (governance.ruled("lower_cap", {"cap_day_atoms": 0}, cap), governance.guardian),
    }


def test_no_word_is_given_on_a_durable_nonce(governance: Governance) -> None:
    words = steps(governance)
    for instruction, signer in words.values():
        with refused("DurableNonce"):
            governance.send_on_durable_nonce(instruction, signer)
    for name, (instruction, signer) in words.items():
        governance.chain.send([instruction], [signer], label=name)


def test_a_change_of_parameters_voids_older_proposals(governance: Governance) -> None:
    older = governance.propose(governance.listing())
    voted = governance.decide(governance.listing())
    governance.enact(governance.new_parameters(voting_s=DAY_S))
    assert governance.rules()["epoch"] == 2
    for number in (older, voted):
        with refused("Outdated"):
            governance.execute(number)
    draft = governance.propose(governance.listing())
    governance.vote(governance.alice, draft)
    assert governance.ballot(draft)["epoch"] == 2


def test_a_change_of_parameters_ends_running_votes(governance: Governance) -> None:
    change = governance.decide(governance.new_parameters())
    running = governance.propose(governance.listing())
    governance.execute(change)
    with refused("Outdated"):
        governance.vote(governance.bob, running)


@pytest.mark.parametrize(
    "wrong",
    [
        {"voting_s": 59},
        {"loosening_s": 90 * DAY_S + 1},
        {"execution_s": 0},
        {"lock_s": -1},
        {"proposal_atoms": 0},
        {"quorum_ppm": 600_001},
        {"quorum_ppm": 9_999},
        {"quorum_atoms": 0},
        {"majority_ppm": 499_999},
        {"majority_ppm": 900_001},
    ],
    ids=str,
)
def test_parameters_have_bounds(governance: Governance, wrong: dict[str, int]) -> None:
    number = governance.decide(governance.new_parameters(**wrong))
    with refused("BadParameters"):
        governance.execute(number)


def test_only_governance_changes_itself(governance: Governance) -> None:
    governance.create_treasury()
    alone: list[Instruction] = [
        governance.new_parameters(),
        governance.new_guardian(governance.charlie.pubkey()),
        governance.new_cap(1),
        governance.payment(1),
    ]
    for wanted in alone:
        for signer in (governance.charlie, governance.guardian, governance.alice):
            metas = [replaced(meta, governance.signs, signer.pubkey()) for meta in wanted.accounts]
            with refused("ConstraintSeeds"):
                governance.chain.send([Instruction(wanted.program_id, bytes(wanted.data), metas)], [signer])


def test_governance_calls_no_other_instruction_of_its_own(governance: Governance) -> None:
    """What writes proposals, stakes or votes is never executed: an execution could not tell its own proposal from before."""
    words = steps(governance)
    number = governance.draft(governance.alice, "Loosening")
    for instruction, _ in words.values():
        unsigned = [AccountMeta(meta.pubkey, is_signer=False, is_writable=meta.is_writable) for meta in instruction.accounts]
        with refused("NotAllowed"):
            governance.add(governance.alice, number, 0, Instruction(instruction.program_id, bytes(instruction.data), unsigned))


def test_nobody_elses_signature_is_lent(governance: Governance) -> None:
    number = governance.draft(governance.alice, "Loosening")
    wanted = governance.listing()
    metas = [replaced(meta, governance.signs, governance.charlie.pubkey()) for meta in wanted.accounts]
    with refused("NotAllowed"):
        governance.add(governance.alice, number, 0, Instruction(wanted.program_id, bytes(wanted.data), metas))


def test_it_is_initialised_once_and_by_its_deployer(governance: Governance) -> None:
    with pytest.raises(Refused, match=TAKEN):
        governance.found()
    fresh = Governance()
    fresh.prices.initialise()
    fresh.initialise()
    with refused("NotDeployer"):
        fresh.found(program_signer=fresh.charlie)
    with refused("BadParameters"):
        fresh.found(quorum_atoms=0)
    fresh.found()


def replaced(meta: AccountMeta, old: Any, new: Any) -> AccountMeta:
    return AccountMeta(new if meta.pubkey == old else meta.pubkey, is_signer=meta.is_signer, is_writable=meta.is_writable)
