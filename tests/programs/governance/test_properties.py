"""Random words of everybody, valid or not: stakes sum to the vault, votes to stake, and the treasury never pays above its cap."""

import random
from collections.abc import Callable
from functools import partial

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from chain.proposal_hash import Kind
from tests.programs.support.exchange import HOUR_S, PARAMETERS, USDC
from tests.programs.support.governance import DAY_S, VOTES, Governance
from tests.programs.support.svm import Refused

FUNDS = 10**6 * USDC


class Storm:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.governance = Governance()
        self.governance.begin_staked(voting_s=HOUR_S, loosening_s=HOUR_S, execution_s=90 * DAY_S, lock_s=HOUR_S)
        self.governance.create_treasury()
        self.governance.fund(FUNDS)
        self.governance.enact(self.governance.listing(), self.governance.new_cap(1_000 * USDC))
        self.stakes: dict[tuple[Keypair, int], int] = {(owner, 0): 0 for owner in (self.governance.alice, self.governance.bob)}
        self.payments: list[tuple[int, int, int]] = []
        self.paid = 0
        self.done: dict[str, int] = {}

    @property
    def owners(self) -> list[Keypair]:
        return [self.governance.alice, self.governance.bob, self.governance.charlie]

    def step(self) -> None:
        actions: list[Callable[[], None]] = [self.stake, self.unstake, self.vote, self.vote, self.execute, self.execute]
        action = self.chance.choice([*actions, self.propose, self.campaign, self.campaign, self.wait, self.wait, self.guard, self.lend])
        done = action.__name__ if self.attempt(action) else "refused"
        self.done[done] = self.done.get(done, 0) + 1

    def attempt(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except Refused:
            return False
        return True

    def stake(self) -> None:
        owner, number = self.chance.choice(self.owners), self.chance.randrange(4)
        self.governance.stake(owner, self.chance.randrange(1, 50 * VOTES), number)
        self.stakes[owner, number] = self.governance.chain.now

    def unstake(self) -> None:
        owner, number = self.chance.choice(self.owners), self.chance.randrange(4)
        self.governance.unstake(owner, number)
        assert self.governance.chain.now > self.stakes.pop((owner, number)) + HOUR_S

    def lend(self) -> None:
        """Stake, vote and leave in one transaction."""
        governance, owner = self.governance, self.governance.charlie
        stake = {"owner": owner.pubkey(), "stake": governance.stake_of(owner, 9), "source": governance.purse(owner)}
        steps = [
            governance.ruled("lock_stake", {"number": 9, "amount_atoms": 500 * VOTES}, stake),
            governance.vote_instruction(owner, self.some_proposal(), number=9),
        ]
        governance.chain.send(steps, [owner])
        raise AssertionError("a loan voted")

    def some_proposal(self) -> int:
        return self.chance.choice(list(self.governance.proposed)[-4:])

    def propose(self) -> None:
        kind: Kind = self.chance.choice(["Loosening", "Loosening", "Tightening"])
        self.governance.propose(*self.wishes(), by=self.chance.choice(self.owners), kind=kind)

    def wishes(self) -> list[Instruction]:
        governance, amount = self.governance, self.chance.randrange(1, 2_000 * USDC)
        cap = self.chance.choice([amount, 2 * amount, 0])
        choices = [governance.payment(amount), governance.new_cap(cap), governance.limits(day_atoms=amount)]
        return self.chance.choices(choices, weights=[5, 3, 1], k=self.chance.randrange(1, 3))

    def vote(self) -> None:
        owner, number = self.chance.choice(self.owners), self.chance.randrange(4)
        self.governance.vote(owner, self.some_proposal(), approves=self.chance.random() < 0.8, number=number)

    def campaign(self) -> None:
        """Let everybody vote on what is proposed, and wait until it is about ready."""
        governance = self.governance
        self.propose()
        proposal = max(governance.proposed)
        for owner, number in list(self.stakes):
            self.attempt(partial(governance.vote, owner, proposal, number=number))
        self.wait_s(governance.ballot(proposal)["ready_at"] - governance.chain.now + self.chance.choice([-1, 0, HOUR_S]))
        governance.execute(proposal)

    def execute(self) -> None:
        proposal = self.some_proposal()
        ballot, (kind, instructions, _) = self.governance.ballot(proposal), self.governance.proposed[proposal]
        self.governance.execute(proposal, min(ballot["executed"], len(instructions) - 1))
        waited_s = self.governance.chain.now - ballot["votes_until"]
        assert kind == "Tightening" or waited_s >= 2 * PARAMETERS["exit_s"]

    def guard(self) -> None:
        choice = self.chance.randrange(3)
        if choice == 0:
            self.governance.veto(self.some_proposal())
        elif choice == 1:
            self.governance.lower_cap(self.chance.randrange(2_000 * USDC))
        else:
            self.governance.tighten(self.governance.limits(day_atoms=self.chance.randrange(2_000 * USDC)))

    def wait(self) -> None:
        self.wait_s(self.chance.choice([1, HOUR_S + 1, 6 * HOUR_S, DAY_S]))

    def wait_s(self, seconds: int) -> None:
        self.governance.wait(max(seconds, 1))

    def check(self) -> None:
        self.check_stakes()
        self.check_votes()
        self.check_payments()

    def check_stakes(self) -> None:
        vault = self.governance.chain.tokens(self.governance.program.pda(b"stake_vault"))
        stakes = sum(self.governance.staked(owner, number)["amount_atoms"] for owner, number in self.stakes)
        assert self.governance.rules()["staked_atoms"] == vault == stakes

    def check_votes(self) -> None:
        for proposal in self.governance.proposed:
            ballot = self.governance.ballot(proposal)
            assert ballot["yes_atoms"] + ballot["no_atoms"] <= ballot["staked_atoms"]

    def check_payments(self) -> None:
        paid = FUNDS - self.governance.chain.tokens(self.governance.treasury_accounts()["vault"])
        if paid > self.paid:
            treasury = self.governance.treasury()
            self.payments.append((self.governance.chain.now, paid - self.paid, treasury["cap_day_atoms"]))
            self.paid = paid
            day = sum(amount for at, amount, _ in self.payments if at > self.governance.chain.now - DAY_S)
            assert day <= treasury["cap_day_atoms"]


def run(seed: int, steps: int) -> Storm:
    storm = Storm(seed)
    for _ in range(steps):
        storm.step()
        storm.check()
    return storm


def test_everything_adds_up_after_random_words() -> None:
    done: dict[str, int] = {}
    paid = 0
    for seed in range(5):
        storm = run(seed, 200)
        paid += len(storm.payments)
        for name, count in storm.done.items():
            done[name] = done.get(name, 0) + count
    assert paid > 5
    assert all(done[name] > 3 for name in ("stake", "unstake", "campaign", "execute", "guard", "propose"))


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 150))
def test_everything_adds_up_after_many_random_words(seed: int) -> None:
    run(seed, 200)
