"""What settling in batches saves: 1,000 fills among 200 accounts over 8 markets on a localnet over RPC, in one batch of many parts
against a batch for each fill. The same instructions as the settler's; fills are sides of matches with leaves of their own.
"""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from bench.load import free_port
from bench.rounds import Figure, Ratio
from bench.stack import ROOT, Stack
from chain import merkle
from chain.building import MAX_BYTES, MAX_UNITS, budget
from chain.client import ChainClient
from chain.deployment import Deployment
from chain.settlement import instructions as steps
from chain.settlement.leaves import Leaf, trade
from chain.settlement.trees import AccountTree, batch_root
from chain.setup.localnet import set_up
from markets.gateway import gateway
from markets.queries import GetMarkets
from markets.seed import MARKETS

ACCOUNTS, FILLS = 200, 1_000
FIRST_ACCOUNT = 100  # below users' numbers: nobody asks whose they are
SLOT_MS = 50
USERS_AT_ONCE = 3
FLOOR = 10.0
ALONE, TOGETHER = "each fill alone", "in batches"
NO_FUNDING = {"hour": 0, "index_e8": 0, "rate_ppb": 0}


@dataclass
class Cost:
    signatures: list[str] = field(default_factory=list)
    bytes: int = 0
    seconds: float = 0.0
    units: int = 0


class Node:
    """A localnet in a process of its own, with an exchange on it."""

    def __init__(self, stack: Stack) -> None:
        port = free_port()
        command = [sys.executable, str(ROOT / "manage.py"), "localnet", "--port", str(port), "--slot-ms", str(SLOT_MS)]
        log = (stack.data_dir / "localnet.log").open("ab")
        options = ["--final-after", "4", "--data", str(stack.data_dir / "localnet")]
        self.process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=log, stderr=log)
        stack.processes.append(self.process)
        self.url = f"http://127.0.0.1:{port}"
        self.client = ChainClient(self.url)
        self.deployment = self._set_up(stack.data_dir / "chain")
        self.settler: Keypair = self.deployment.keys.settler
        self.seq, self.hash, self.end_ms = 0, bytes(32), 0
        self.held: dict[Pubkey, merkle.Sums] = {}

    def _set_up(self, folder: Path) -> Deployment:
        return set_up(rpc_url=self.url, folder=folder, views=gateway().query(GetMarkets()), say=lambda _text: None)

    def open_accounts(self) -> list[Pubkey]:
        made = [
            steps.create_user(
                self.deployment, payer=self.settler.pubkey(), owner=self.deployment.custodian, sub_account=FIRST_ACCOUNT + number
            )
            for number in range(ACCOUNTS)
        ]
        cost = Cost()
        self.send_all(cost, (made[start : start + USERS_AT_ONCE] for start in range(0, len(made), USERS_AT_ONCE)))
        return [self.deployment.dex.user(self.deployment.custodian, FIRST_ACCOUNT + number) for number in range(ACCOUNTS)]

    def send_all(self, cost: Cost, transactions: Iterable[list[Instruction]]) -> None:
        """Send one after the other, and wait until the last is final; what it cost is read from the chain."""
        began = time.perf_counter()
        for made in transactions:
            blockhash = self.client.blockhash()
            message = MessageV0.try_compile(self.settler.pubkey(), [*budget(units=MAX_UNITS, price=0), *made], [], blockhash.value)
            transaction = VersionedTransaction(message, [self.settler])
            data = bytes(transaction)
            assert len(data) <= MAX_BYTES, "a transaction is too long"
            self.client.send(data)
            cost.signatures.append(str(transaction.signatures[0]))
            cost.bytes += len(data)
        while (landed := self.client.transaction(cost.signatures[-1])) is None:
            time.sleep(SLOT_MS / 1_000)
        cost.seconds += time.perf_counter() - began
        assert landed["meta"]["err"] is None, landed["meta"]["logMessages"]
        for signature in cost.signatures:
            found = self.client.transaction(signature)
            assert found is not None
            assert found["meta"]["err"] is None, found["meta"]["logMessages"]
            cost.units += int(found["meta"]["computeUnitsConsumed"])

    def batch(self, leaves: dict[Pubkey, list[Leaf]], market_ids: list[int]) -> list[list[Instruction]]:
        """Return the transactions of the next batch, and note what it will have made of the exchange."""
        trees = [AccountTree(user=user, leaves=tuple(leaves[user]), before=self.held.get(user, ())) for user in sorted(leaves, key=bytes)]
        self.seq, begin_ms = self.seq + 1, self.end_ms
        self.end_ms = max(begin_ms + 1, int(time.time() * 1_000) if not begin_ms else 0)
        header = {"seq": self.seq, "prev_hash": list(self.hash), "begin_ms": begin_ms, "end_ms": self.end_ms, "chain_events": 0}
        root = batch_root(trees).hash
        for tree in trees:
            self.held[tree.user] = merkle.canonical([*tree.before, *tree.root.sums])
        self.hash = self._hash(root, len(trees), begin_ms)
        opened = steps.open_batch(self.deployment, header)
        closed = steps.close_batch(self.deployment, self.seq, root=root, funding=dict.fromkeys(market_ids, NO_FUNDING))
        whole = [opened, steps.post_changes(self.deployment, self.seq, trees), closed]
        return [whole] if len(trees) < 4 and steps.fits(self.settler.pubkey(), whole) else [[opened], *self._parts(trees), [closed]]

    def _hash(self, root: bytes, accounts: int, begin_ms: int) -> bytes:
        numbers = [(accounts, 4), (begin_ms, 8), (self.end_ms, 8), (0, 8)]
        head = b"QDBATCH1" + self.hash + self.seq.to_bytes(8, "little") + root
        return sha256(head + b"".join(value.to_bytes(size, "little") for value, size in numbers)).digest()

    def _parts(self, trees: list[AccountTree]) -> list[list[Instruction]]:
        made: list[list[Instruction]] = []
        rest = list(trees)
        while rest:
            count = 1
            while count < len(rest) and steps.fits(
                self.settler.pubkey(), [steps.post_changes(self.deployment, self.seq, rest[: count + 1])]
            ):
                count += 1
            made.append([steps.post_changes(self.deployment, self.seq, rest[:count])])
            rest = rest[count:]
        return made


@dataclass(frozen=True)
class Fill:
    buyer: Pubkey
    seller: Pubkey
    market_id: int
    leaves: tuple[Leaf, Leaf]


def fills(users: list[Pubkey], chance: random.Random, market_ids: list[int], time_ms: int) -> list[Fill]:
    """Return fills between any two at one price; what an order's hash is of matters to nobody here."""
    made = []
    for number in range(1, FILLS + 1):
        buyer, seller = chance.sample(users, 2)
        market_id, lots = chance.choice(market_ids), chance.randrange(1, 100)
        facts: dict[str, Any] = {"market_id": market_id, "price_ticks": 1_000, "tick_lot_atoms": 100, "fee_atoms": 0, "filled_lots": 0}
        facts |= {"time_ms": time_ms, "trade_id": number}
        bought, sold = (trade(order=chance.randbytes(32), lots=signed, **facts) for signed in (lots, -lots))
        made.append(Fill(buyer, seller, market_id, (bought, sold)))
    return made


def together(node: Node, made: list[Fill], market_ids: list[int]) -> list[list[Instruction]]:
    leaves: dict[Pubkey, list[Leaf]] = {}
    for one in made:
        leaves.setdefault(one.buyer, []).append(one.leaves[0])
        leaves.setdefault(one.seller, []).append(one.leaves[1])
    return node.batch(leaves, market_ids)


def alone(node: Node, made: list[Fill]) -> list[list[Instruction]]:
    return [part for one in made for part in node.batch({one.buyer: [one.leaves[0]], one.seller: [one.leaves[1]]}, [one.market_id])]


def settle(stack: Stack) -> tuple[list[Ratio], list[Figure]]:
    """Settle the same fills in both ways, one after the other, and compare what that took."""
    node = Node(stack)
    users, market_ids = node.open_accounts(), [market.market_id for market in MARKETS]
    made = fills(users, random.Random(7), market_ids, int(time.time() * 1_000))  # noqa: S311 - repeatable on purpose
    costs = {TOGETHER: Cost(), ALONE: Cost()}
    ways: dict[str, Callable[[], list[list[Instruction]]]] = {
        TOGETHER: lambda: together(node, made, market_ids),
        ALONE: lambda: alone(node, made),
    }
    for name, way in ways.items():
        node.send_all(costs[name], way())
    node.client.close()
    return ratios(costs), figures(costs)


def ratios(costs: dict[str, Cost]) -> list[Ratio]:
    """Return how many times less a batch takes; transactions are what must be saved."""
    measures: dict[str, tuple[Callable[[Cost], float], float | None]] = {
        "transactions": (lambda cost: len(cost.signatures), FLOOR),
        "bytes": (lambda cost: cost.bytes, None),
        "compute units": (lambda cost: cost.units, None),
        "seconds": (lambda cost: cost.seconds, None),
    }
    return [
        Ratio(f"{name} of 1,000 fills, {ALONE} / {TOGETHER}", [read(costs[ALONE])], [read(costs[TOGETHER])], unit="", floor=floor)
        for name, (read, floor) in measures.items()
    ]


def figures(costs: dict[str, Cost]) -> list[Figure]:
    return [Figure(f"settling 1,000 fills {name}", cost.seconds, "s") for name, cost in costs.items()]
