"""Random instructions, valid or not, over both programs: money and positions add up after every one of them, and everybody gets out."""

import random
from collections.abc import Callable

import pytest
from solders.keypair import Keypair

from chain import merkle
from tests.programs.support.batches import Batch, bankruptcy, credit, deleveraging, house
from tests.programs.support.exchange import MARKET, PRICE, USDC, Exchange, value_atoms
from tests.programs.support.svm import Refused

INSURANCE = 2**16 - 1
PHASES = ("Live", "Fallback")
LOT = merkle.position_slot(MARKET)


class Storm:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.exchange = Exchange()
        self.exchange.sub_accounts[self.exchange.authority] = INSURANCE
        self.exchange.begin()
        self.exchange.create_user(self.exchange.custodian)
        self.dollars = PRICE
        self.vouchers = dict.fromkeys(self.traders, 0)
        self.open: list[tuple[Batch, Keypair]] = []
        self.done: dict[str, int] = {}

    @property
    def traders(self) -> list[Keypair]:
        return [self.exchange.alice, self.exchange.bob]

    @property
    def owners(self) -> list[Keypair]:
        return [*self.traders, self.exchange.charlie, *self.house]

    @property
    def house(self) -> list[Keypair]:
        """Whose accounts change without a signature: the insurance, and the custodian's."""
        return [self.exchange.authority, self.exchange.custodian]

    def step(self) -> None:
        """Do something; a refusal is as good as a success, as long as everything still adds up."""
        action = self.chance.choice(self.actions(self.exchange.state()["phase"]))
        try:
            action()
            self.done[action.__name__] = self.done.get(action.__name__, 0) + 1
        except Refused:
            self.done["refused"] = self.done.get("refused", 0) + 1

    def actions(self, phase: str) -> list[Callable[[], None]]:
        common = [
            self.deposit,
            self.withdraw,
            self.settle,
            self.settle_house,
            self.move_house,
            self.turn,
            self.reprice,
            self.crash,
            self.wait,
        ]
        if phase == "Fallback":
            return [*common, *[self.match, self.match, self.liquidate, self.liquidate, self.crash, self.withdraw_alone] * 4]
        return [
            *common,
            self.settle,
            self.settle,
            self.challenge,
            self.challenge,
            *[self.deleverage] * 4,
            self.fall_silent,
            self.post_nonsense,
        ]

    def deposit(self) -> None:
        owner = self.chance.choice([*self.traders, self.exchange.charlie, *self.house])
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
        buyer, seller = self.chance.sample(self.traders, 2)
        all_in = 30 * max(1, self.exchange.balance(buyer)) // value_atoms(1, self.dollars * 10)
        size = self.chance.choice([self.chance.randrange(1, 2_000), max(1, min(50_000, all_in))])
        ticks = self.dollars * 10 + self.chance.randrange(-1_000, 1_000)
        fee = self.chance.randrange(0, 2) * size
        leaves = self.exchange.fill(size, ticks, fee, buyer=buyer, seller=seller)
        if fee:
            leaves[self.exchange.authority] = [credit(fee)]
        batch = self.exchange.settle(leaves)
        self.open += [(batch, owner) for owner in leaves]

    def settle_house(self) -> None:
        """Let the custodian's account take the other side of a trader's order, at a price that may be bad for either."""
        size = self.chance.randrange(1, 1_000) * self.chance.choice([1, -1])
        ticks = self.dollars * 10 + self.chance.randrange(-20_000, 20_000)
        trader = self.chance.choice(self.traders)
        order = self.exchange.order(trader, "sell" if size > 0 else "buy", abs(size), ticks)
        taken = [house(LOT, size), house(0, -value_atoms(size, ticks))]
        leaves = {self.exchange.custodian: taken, trader: [self.exchange.traded(order, owner=trader, price_ticks=ticks)]}
        batch = self.exchange.settle(leaves)
        self.open += [(batch, owner) for owner in leaves]

    def move_house(self) -> None:
        """Move money that may not be there: between the operator's accounts, or to somebody else."""
        source = self.chance.choice(self.house)
        target = self.chance.choice([owner for owner in self.owners if owner != source])
        amount = self.chance.randrange(1, 30_000 * USDC)
        gift = house(0, amount) if target in self.house else credit(amount)
        batch = self.exchange.settle({source: [house(0, -amount)], target: [gift]})
        self.open += [(batch, source), (batch, target)]

    def deleverage(self) -> None:
        """Where a trader is below zero, let the other one take his position over, and show why."""
        for bankrupt, other in (self.traders, self.traders[::-1]):
            have, has = (dict(self.exchange.outlook(self.exchange.user(owner))) for owner in (bankrupt, other))
            lots, cash = have.get(LOT, 0), have.get(0, 0)
            opposite = lots * has.get(LOT, 0) < 0 and abs(has[LOT]) >= abs(lots)
            if opposite and cash + value_atoms(lots, self.dollars * 10) < 0:
                self.close_bankrupt(bankrupt, other, lots, cash)
                return
        raise Refused("nobody is below zero", [])

    def close_bankrupt(self, bankrupt: Keypair, other: Keypair, lots: int, cash: int) -> None:
        # The range of the batch must begin at the present price.
        self.exchange.settle({self.exchange.custodian: [house(0, 1), house(0, -1)]})
        given = bankruptcy(market_id=MARKET, lots=-lots, quote_atoms=-cash, time_ms=self.exchange.chain.now * 1_000)
        user = self.exchange.user(bankrupt)
        taken = deleveraging(market_id=MARKET, lots=lots, bankrupt=user, place=0, quote_atoms=cash)
        batch = self.exchange.settle({bankrupt: [given], other: [taken]})
        for owner in (bankrupt, other):
            self.exchange.challenge(batch, owner)
            self.exchange.answer(batch, owner)
        assert dict(self.exchange.outlook(user)).get(LOT, 0) == 0

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

    def crash(self) -> None:
        """Let the price run away, faster than margin lasts."""
        way = self.chance.choice([950, 1_050])
        for _ in range(4):
            self.exchange.chain.warp(seconds=6, slots=1)
            self.dollars = min(200_000, max(20_000, self.dollars * way // 1_000))
            self.exchange.reprice(self.dollars)

    def wait(self) -> None:
        self.exchange.chain.warp(seconds=self.chance.choice([1, 61, 400]), slots=1)
        self.exchange.reprice(self.dollars)

    def fall_silent(self) -> None:
        if self.chance.random() < 0.2:
            self.exchange.silence()

    def match(self) -> None:
        ticks = self.dollars * 10
        all_in = 35 * max(1, min(self.exchange.balance(owner) for owner in self.traders)) // value_atoms(1, ticks)
        size = self.chance.choice([20, 200, max(1, min(50_000, all_in))])
        self.exchange.match(
            self.exchange.order(self.exchange.alice, "buy", size, ticks),
            self.exchange.order(self.exchange.bob, "sell", size, ticks),
            size,
            ticks,
        )

    def liquidate(self) -> None:
        owner = self.chance.choice(self.traders)
        lots = self.exchange.lots(owner)
        self.exchange.liquidate(owner, self.chance.choice([self.exchange.charlie, *self.traders]), self.chance.choice([lots, lots // 2]))

    def check(self) -> None:
        outlooks = [dict(self.exchange.outlook(self.exchange.user(owner), final_only=True)) for owner in self.owners]
        for asset in range(2):
            held = self.exchange.dex.account("Asset", self.exchange.chain.data(self.exchange.asset_accounts(asset)["asset"]))
            assert self.exchange.vault_atoms(asset) == held["total_atoms"] == sum(outlook.get(asset, 0) for outlook in outlooks)
        assert sum(outlook.get(LOT, 0) for outlook in outlooks) == 0
        whole = [dict(self.exchange.outlook(self.exchange.user(owner))) for owner in self.owners]
        assert sum(outlook.get(LOT, 0) for outlook in whole) == 0
        state = self.exchange.state()
        both = [dict(self.exchange.outlook(self.exchange.user(owner))) for owner in self.house]
        assert state["house"]["quote_atoms"] == sum(outlook.get(0, 0) for outlook in both)
        assert sum(item["lots"] for item in state["house"]["positions"]) == sum(outlook.get(LOT, 0) for outlook in both)

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
    """Let every other storm begin while the operator is silent."""
    storm = Storm(seed)
    for owner in [*storm.traders, storm.exchange.custodian]:
        storm.exchange.deposit(owner, 50_000 * USDC)
    storm.exchange.deposit(storm.exchange.charlie, 1_000_000 * USDC)
    if seed % 2:
        storm.exchange.silence()
    for _ in range(steps):
        storm.step()
        storm.check()
    return storm


def test_everything_adds_up_after_random_instructions() -> None:
    done: set[str] = set()
    for seed in range(10):
        storm = run(seed, 100)
        storm.leave()
        done |= set(storm.done)
    missing = {action.__name__ for phase in PHASES for action in storm.actions(phase)} - done - {"post_nonsense"}
    assert not missing, f"none of the storms got through with {missing}"


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 200))
def test_everything_adds_up_after_many_random_instructions(seed: int) -> None:
    run(seed, 100).leave()
