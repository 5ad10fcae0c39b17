"""1,000 fills among 200 accounts over 8 markets: one batch in parts against a batch for each fill, inside a transaction's limits."""

import random
from dataclasses import asdict, dataclass

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair

from tests.programs.support.batches import Batch, Entry, Leaf
from tests.programs.support.exchange import TICKS, Exchange

MARKETS = range(1, 9)
TRANSACTION_BYTES = 1_232
TRANSACTION_UNITS = 1_400_000


@dataclass
class Cost:
    transactions: int = 0
    bytes: int = 0
    units: int = 0


class Markets(Exchange):
    """The exchange with eight markets and many accounts."""

    markets = MARKETS

    def begin_with(self, accounts: int) -> None:
        self.begin()
        self.owners = [Keypair.from_seed((1_000 + number).to_bytes(32, "big")) for number in range(accounts)]
        for owner in self.owners:
            self.create_user(owner)
            self.keys[owner] = owner

    def fills_of(self, chance: random.Random, count: int) -> dict[Keypair, list[Leaf]]:
        leaves: dict[Keypair, list[Leaf]] = {}
        for _ in range(count):
            size, market_id = chance.randrange(1, 100), chance.choice(MARKETS)
            for owner, side in zip(chance.sample(self.owners, 2), ("buy", "sell"), strict=True):
                order = self.order(owner, side, size, market_id=market_id)
                leaves.setdefault(owner, []).append(self.traded(order, owner=owner, price_ticks=TICKS))
        return leaves

    def close_all(self, batch: Batch, markets: list[int]) -> Instruction:
        more = [AccountMeta(self.market(market_id), is_signer=False, is_writable=True) for market_id in markets]
        accounts = {"settler": self.settler.pubkey(), "batch": self.batch(batch.seq)}
        funding = [{"hour": 0, "index_e8": 0, "rate_ppb": 0}] * len(markets)
        return self.instruction("close_batch", {"root": batch.root.hash, "funding": funding}, accounts, more)

    def spend(self, cost: Cost, steps: list[Instruction]) -> None:
        size = self.chain.transaction_size(steps, [self.settler])
        result = self.chain.send(steps, [self.settler])
        assert size <= TRANSACTION_BYTES
        assert result.compute_units_consumed() < TRANSACTION_UNITS
        cost.transactions += 1
        cost.bytes += size
        cost.units += result.compute_units_consumed()

    def parts(self, batch: Batch) -> list[Instruction]:
        """Fill each transaction with as many accounts as it holds."""
        made: list[Instruction] = []
        rest = list(batch.entries)
        while rest:
            count = len(rest)
            while self.chain.transaction_size([self.part(batch, rest[:count])], [self.settler]) > TRANSACTION_BYTES:
                count = count * 3 // 4
            while (
                count < len(rest)
                and self.chain.transaction_size([self.part(batch, rest[: count + 1])], [self.settler]) <= TRANSACTION_BYTES
            ):
                count += 1
            made.append(self.part(batch, rest[:count]))
            rest = rest[count:]
        return made

    def part(self, batch: Batch, entries: list[Entry]) -> Instruction:
        return self.post_instruction(batch, [entry.change for entry in entries], [entry.user for entry in entries])


def settle_together(exchange: Markets, chance: random.Random, fills: int) -> tuple[Cost, Batch]:
    cost, batch = Cost(), exchange.build(exchange.fills_of(chance, fills))
    exchange.spend(cost, [exchange.open_instruction(batch.seq)])
    for part in exchange.parts(batch):
        exchange.spend(cost, [part])
    exchange.spend(cost, [exchange.close_all(batch, list(MARKETS))])
    return cost, batch


def settle_alone(exchange: Markets, chance: random.Random, count: int) -> Cost:
    cost = Cost()
    for _ in range(count):
        exchange.chain.warp(seconds=2)
        leaves = exchange.fills_of(chance, 1)
        batch = exchange.build(leaves)
        market_id = next(slot & 0x7FFFFFFF for slot, _ in batch.entries[0].root.sums if slot >= 0x80000000)
        steps = [exchange.open_instruction(batch.seq), exchange.post_instruction(batch), exchange.close_all(batch, [market_id])]
        exchange.spend(cost, steps)
    return cost


@pytest.mark.parametrize(("accounts", "fills"), [(30, 150), pytest.param(200, 1_000, marks=pytest.mark.nightly)])
def test_a_batch_takes_a_tenth_of_the_transactions_and_can_be_challenged(accounts: int, fills: int) -> None:
    exchange, chance = Markets(), random.Random(7)  # noqa: S311 - repeatable on purpose
    exchange.begin_with(accounts)
    together, batch = settle_together(exchange, chance, fills)
    challenge_in_parts(exchange, batch)
    alone = settle_alone(exchange, chance, 10)
    print(f"together {asdict(together)}, ten fills alone {asdict(alone)}")
    assert alone.transactions * fills >= 10 * 10 * together.transactions
    assert alone.bytes * fills >= 10 * 10 * together.bytes
    assert alone.units * fills >= 10 * 10 * together.units


def challenge_in_parts(exchange: Markets, batch: Batch) -> None:
    """A proof among many accounts is brought in parts, each within a transaction; so is the answer of its owner with most leaves."""
    owner = max(exchange.owners, key=lambda item: sum(len(entry.leaves) for entry in batch.entries if entry.user == exchange.user(item)))
    user = exchange.user(owner)
    siblings = batch.proof(user)["siblings"]
    exchange.challenge(batch, owner, siblings=siblings[:3])
    accounts = {"challenger": exchange.charlie.pubkey(), "batch": exchange.batch(batch.seq), "challenge": exchange.challenged(batch, owner)}
    for start in range(3, len(siblings), 4):
        step = exchange.instruction("prove_challenge", {"siblings": siblings[start : start + 4]}, accounts)
        assert exchange.chain.transaction_size([step], [exchange.charlie]) <= TRANSACTION_BYTES
        exchange.chain.send([step], [exchange.charlie])
    challenge = exchange.dex.account("Challenge", exchange.chain.data(exchange.challenged(batch, owner)))
    assert challenge["proven"]
    assert challenge["changes"] == len(batch.entry(user).leaves)
