"""Random instructions over the insurance fund, valid or not: the vault covers it, and shares are never worth more than its assets."""

import random
from collections.abc import Callable

import pytest
from solders.keypair import Keypair

from tests.programs.support.exchange import HOUR_S, PRICE, USDC, Exchange
from tests.programs.support.insurance import DAY_S, Insurance
from tests.programs.support.svm import Refused

LOTS = 7_900


class Storm:
    """Alice is below zero now and then; Bob, Charlie and the authority hold the fund."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.exchange = exchange = Exchange()
        exchange.begin()
        self.insurance = Insurance(exchange)
        self.insurance.initialise(cooldown_s=2 * HOUR_S, claim_s=DAY_S, dispute_s=2 * DAY_S, event_atoms=3_000 * USDC)
        exchange.deposit(exchange.alice, 20_000 * USDC)
        for owner in (exchange.bob, exchange.charlie):
            exchange.deposit(owner, 10**6 * USDC)
        exchange.silence()
        self.number = 0
        self.done: dict[str, int] = {}

    @property
    def stakers(self) -> list[Keypair]:
        return [self.exchange.bob, self.exchange.charlie, self.exchange.authority]

    def step(self) -> None:
        action = self.chance.choice(self.actions())
        try:
            action()
            self.done[action.__name__] = self.done.get(action.__name__, 0) + 1
        except Refused:
            self.done["refused"] = self.done.get("refused", 0) + 1

    def actions(self) -> list[Callable[[], None]]:
        stakes = [self.stake, self.stake, self.request, self.request, self.unstake, self.unstake, self.cancel, self.contribute]
        losses = [self.crash, self.crash, self.open_recovery, self.recover, self.recover, self.close_recovery]
        return [*stakes, *losses, self.dispute, self.decide, self.close_dispute, self.wait, self.wait]

    def staker(self) -> Keypair:
        return self.chance.choice(self.stakers)

    def stake(self) -> None:
        self.insurance.stake(self.staker(), self.chance.choice([USDC, self.chance.randrange(USDC, 5_000 * USDC)]))

    def request(self) -> None:
        owner = self.staker()
        if self.exchange.chain.exists(self.insurance.stake_of(owner)):
            shares = self.insurance.stakes(owner)["shares"]
            self.insurance.request(owner, self.chance.choice([shares, shares + 1, self.chance.randrange(shares + 1)]))

    def unstake(self) -> None:
        self.insurance.unstake(self.staker())

    def cancel(self) -> None:
        self.insurance.cancel(self.staker())

    def contribute(self) -> None:
        self.insurance.contribute(self.exchange.charlie, self.chance.randrange(1, 2_000 * USDC))

    def crash(self) -> None:
        """Let Alice buy all she can and fall by more than her margin; Charlie takes over, first a step under the program's eyes."""
        exchange, alice = self.exchange, self.exchange.alice
        exchange.chain.warp(seconds=10)
        exchange.reprice(PRICE)
        if 0 <= exchange.balance(alice) < 10_000 * USDC:
            exchange.deposit(exchange.bob, 20_000 * USDC, user=exchange.user(alice))
        if exchange.lots(alice) == 0:
            lots = max(1, min(LOTS, exchange.balance(alice) * 39 * 1_000 // (PRICE * USDC)))
            exchange.match(exchange.order(alice, "buy", lots), exchange.order(exchange.bob, "sell", lots), lots)
        exchange.chain.warp(seconds=10)
        exchange.reprice(PRICE * self.chance.randrange(950, 985) // 1_000)
        self.insurance.begin(alice, number=self.number + 1)
        self.number += 1
        self.insurance.step(alice, exchange.charlie, max(1, exchange.lots(alice) // 20), number=self.number)
        exchange.liquidate(alice, exchange.charlie, exchange.lots(alice))
        if not self.insurance.liquidation(alice, self.number)["ended"]:
            self.insurance.end(alice, number=self.number)
        exchange.chain.warp(seconds=10)

    def open_recovery(self) -> None:
        self.insurance.open_recovery(self.exchange.alice)

    def recover(self) -> None:
        self.insurance.recover(self.exchange.alice)

    def close_recovery(self) -> None:
        exchange = self.exchange
        if exchange.balance(exchange.alice) < 10_000 * USDC:
            exchange.deposit(exchange.bob, 20_000 * USDC, user=exchange.user(exchange.alice))
        self.insurance.close_recovery(exchange.alice)

    def dispute(self) -> None:
        self.insurance.dispute(self.exchange.alice, self.chance.randrange(1, 1_001) * USDC, number=self.number)

    def decide(self) -> None:
        self.insurance.decide(self.exchange.alice, self.chance.choice([0, USDC, 900 * USDC]), number=self.number)

    def close_dispute(self) -> None:
        self.insurance.close_dispute(self.exchange.alice, number=self.number)

    def wait(self) -> None:
        self.exchange.chain.warp(seconds=self.chance.choice([HOUR_S, 2 * HOUR_S, 3 * HOUR_S]), slots=1)

    def check(self) -> None:
        fund = self.insurance.state()
        assert self.insurance.vault_atoms() == fund["assets_atoms"] + fund["bonds_atoms"]
        assert fund["reserved_atoms"] <= fund["owed_atoms"]
        known = [self.insurance.stakes(owner) for owner in self.stakers if self.exchange.chain.exists(self.insurance.stake_of(owner))]
        shares = [stake["shares"] for stake in known if stake["generation"] == fund["generation"]]
        assert sum(shares) == fund["shares"]
        worth = sum(held * (fund["assets_atoms"] + 1) // (fund["shares"] + 10**6) for held in shares)
        assert worth <= fund["assets_atoms"]
        owners = [*self.stakers, self.exchange.alice]
        assert self.exchange.vault_atoms() == sum(self.exchange.balance(owner) for owner in owners)


def run(seed: int, steps: int) -> Storm:
    storm = Storm(seed)
    for _ in range(steps):
        storm.step()
        storm.check()
    return storm


def test_the_fund_adds_up_after_random_instructions() -> None:
    done: dict[str, int] = {}
    for seed in range(8):
        for name, times in run(seed, 100).done.items():
            done[name] = done.get(name, 0) + times
    assert done["recover"] > 5
    wanted = {"stake", "request", "unstake", "cancel", "contribute", "crash", "open_recovery", "recover", "dispute", "close_dispute"}
    assert wanted <= set(done)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 180))
def test_the_fund_adds_up_after_many_random_instructions(seed: int) -> None:
    run(seed, 100)
