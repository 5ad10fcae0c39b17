"""Random instructions, valid or not, over both programs: money and positions add up after every one of them, and everybody gets out."""

import random
from collections.abc import Callable

import pytest
from solders.keypair import Keypair

from chain import merkle
from tests.programs.support.batches import Batch, credit
from tests.programs.support.exchange import MARKET, PRICE, USDC, Exchange
from tests.programs.support.svm import Refused

LOT = merkle.position_slot(MARKET)


class Storm:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.exchange = Exchange()
        self.exchange.begin()
        self.dollars = PRICE
        self.vouchers = dict.fromkeys(self.traders, 0)
        self.open: list[tuple[Batch, Keypair]] = []
        self.done: dict[str, int] = {}

    @property
    def traders(self) -> list[Keypair]:
        return [self.exchange.alice, self.exchange.bob]

    @property
    def owners(self) -> list[Keypair]:
        return [*self.traders, self.exchange.charlie, self.exchange.authority]

    def step(self) -> None:
        """Do something; a refusal is as good as a success, as long as everything still adds up."""
        action = self.chance.choice(self.actions())
        try:
            action()
            self.done[action.__name__] = self.done.get(action.__name__, 0) + 1
        except Refused:
            self.done["refused"] = self.done.get("refused", 0) + 1

    def actions(self) -> list[Callable[[], None]]:
        common = [self.deposit, self.withdraw, self.settle, self.turn, self.reprice, self.wait]
        if self.exchange.state()["phase"] == "Fallback":
            return [*common, self.match, self.match, self.liquidate, self.withdraw_alone]
        return [*common, self.settle, self.settle, self.challenge, self.challenge, self.fall_silent, self.post_nonsense]

    def deposit(self) -> None:
        owner = self.chance.choice([*self.traders, self.exchange.charlie])
        self.exchange.deposit(owner, self.chance.randrange(1, 30_000 * USDC), asset=self.chance.randrange(2))

    def amount(self, owner: Keypair) -> int:
        return self.chance.choice([1, self.chance.randrange(1, 10_000 * USDC), max(1, self.exchange.balance(owner))])

    def withdraw(self) -> None:
        owner = self.chance.choice(self.traders)
        amount = self.amount(owner)
        self.exchange.grant(owner, amount, number=self.vouchers[owner] + 1)
        self.vouchers[owner] += 1
        self.exchange.withdraw(owner, amount, number=self.vouchers[owner])

    def withdraw_alone(self) -> None:
        owner = self.chance.choice(self.traders)
        self.exchange.withdraw(owner, self.amount(owner), number=None)

    def settle(self) -> None:
        size = self.chance.randrange(1, 2_000)
        ticks = self.dollars * 10 + self.chance.randrange(-1_000, 1_000)
        fee = self.chance.randrange(0, 2) * size
        buyer, seller = self.chance.sample(self.traders, 2)
        leaves = self.exchange.fill(size, ticks, fee, buyer=buyer, seller=seller)
        if fee:
            leaves[self.exchange.authority] = [credit(fee)]
        batch = self.exchange.settle(leaves)
        self.open += [(batch, owner) for owner in leaves]

    def post_nonsense(self) -> None:
        """Try to leave something out, or to take too much."""
        leaves = self.exchange.fill(self.chance.randrange(1, 100))
        leaves[self.chance.choice(self.traders)].append(credit(self.chance.randrange(1, 100)))
        self.exchange.settle(leaves)
        raise AssertionError("a batch that does not sum to zero was settled")

    def challenge(self) -> None:
        if self.open:
            batch, owner = self.open.pop(self.chance.randrange(len(self.open)))
            self.exchange.challenge(batch, owner)
            self.exchange.answer(batch, owner)

    def turn(self) -> None:
        self.exchange.turn()

    def reprice(self) -> None:
        self.exchange.chain.warp(seconds=6, slots=1)
        self.dollars = max(20_000, self.dollars * self.chance.randrange(950, 1_050) // 1_000)
        self.exchange.reprice(self.dollars)

    def wait(self) -> None:
        self.exchange.chain.warp(seconds=self.chance.choice([1, 61, 400]), slots=1)
        self.exchange.reprice(self.dollars)

    def fall_silent(self) -> None:
        if self.chance.random() < 0.2:
            self.exchange.silence()

    def match(self) -> None:
        size, ticks = self.chance.randrange(1, 500), self.dollars * 10
        self.exchange.match(
            self.exchange.order(self.exchange.alice, "buy", size, ticks),
            self.exchange.order(self.exchange.bob, "sell", size, ticks),
            size,
            ticks,
        )

    def liquidate(self) -> None:
        owner, liquidator = self.chance.sample(self.traders, 2)
        lots = self.exchange.lots(owner)
        self.exchange.liquidate(owner, liquidator, lots)

    def check(self) -> None:
        outlooks = [dict(self.exchange.outlook(self.exchange.user(owner), final_only=True)) for owner in self.owners]
        for asset in range(2):
            held = self.exchange.dex.account("Asset", self.exchange.chain.data(self.exchange.asset_accounts(asset)["asset"]))
            assert self.exchange.vault_atoms(asset) == held["total_atoms"] == sum(outlook.get(asset, 0) for outlook in outlooks)
        assert sum(outlook.get(LOT, 0) for outlook in outlooks) == 0
        whole = [dict(self.exchange.outlook(self.exchange.user(owner))) for owner in self.owners]
        assert sum(outlook.get(LOT, 0) for outlook in whole) == 0

    def leave(self) -> None:
        """Freeze, value, escape: whatever happened, the vault ends at dust and nobody gets more than his share."""
        exchange = self.exchange
        if exchange.state()["phase"] == "Live":
            exchange.silence()
        exchange.chain.warp(seconds=1, slots=1_001)
        exchange.send("freeze_silent", {}, {}, [exchange.charlie])
        for owner in self.owners:
            exchange.value(owner)
        exchange.open_escapes()
        paid = [exchange.escape(owner) for owner in self.owners]
        claims = [exchange.account(owner)["claim_atoms"] for owner in self.owners]
        assert all(got <= claim for got, claim in zip(paid, claims, strict=True))
        for owner in self.owners:
            exchange.escape(owner, asset=1)
        # A position's value is rounded down, an eighth of a haircut too: an atom for each.
        assert exchange.vault_atoms() <= 2 * len(self.owners)
        assert exchange.vault_atoms(1) == 0


def run(seed: int, steps: int) -> Storm:
    storm = Storm(seed)
    for owner in storm.traders:
        storm.exchange.deposit(owner, 50_000 * USDC)
    for _ in range(steps):
        storm.step()
        storm.check()
    return storm


@pytest.mark.parametrize("seed", range(10))
def test_everything_adds_up_after_random_instructions(seed: int) -> None:
    storm = run(seed, 100)
    storm.leave()
    assert storm.done["settle"] > 3


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 200))
def test_everything_adds_up_after_many_random_instructions(seed: int) -> None:
    run(seed, 100).leave()
