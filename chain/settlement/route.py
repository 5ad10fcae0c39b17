"""How a batch gets on chain: its accounts are created, it is opened, posted in as many parts as it takes, and closed.

Where it stands, the program says: each part is made from what the chain confirms, so a settler that comes after a kill goes on there.
"""

import hashlib
import struct
from typing import Any

import structlog
from solders.pubkey import Pubkey

from chain import merkle
from chain.client import ChainClient, Commitment
from chain.custody.models import ChainEvent
from chain.deployment import Deployment
from chain.models import OutboxAttempt, OutboxEntry
from chain.outbox.route import ChainSequence, Part
from chain.settlement import befores, instructions
from chain.settlement.batches import content_digest, trees_of
from chain.settlement.errors import SettlementHalted
from chain.settlement.models import SettlementBatch
from chain.settlement.reading import outlook, phase_of, read_batch, read_markets, read_users
from chain.settlement.trees import AccountTree, batch_root
from markets.models import Market

MAX_BATCH_MARKETS = 10
USERS_A_PART = 3
AHEAD_MS = 1_000  # of the chain's clock; the program takes two seconds
BATCH_TAG = b"QDBATCH1"
log = structlog.get_logger("settlement")


class BatchRoute:
    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.payer = deployment.keys.settler

    def sequence(self, client: ChainClient, *, commitment: Commitment, min_slot: int) -> ChainSequence:
        exchange = self._deployment.dex.read_exchange(client, commitment=commitment, min_slot=min_slot)
        return ChainSequence(seq=exchange.last_seq)

    def part(self, client: ChainClient, entry: OutboxEntry, *, min_slot: int) -> Part | None:
        batch = SettlementBatch.objects.get(entry=entry)
        trees = self._checked_trees(batch, entry)
        exchange = self._deployment.dex.read_exchange(client, commitment="confirmed", min_slot=min_slot)
        if phase_of(exchange) in {"Frozen", "Escaping"}:
            raise SettlementHalted("The exchange is frozen on chain: nothing is settled any more.")
        if exchange.last_seq >= batch.seq:
            return None
        users = read_users(self._deployment, client, [tree.user for tree in trees], commitment="confirmed", min_slot=min_slot)
        if any(user is None for user in users):
            return self._create(batch, users)
        now = [outlook(user) for user in users]
        on_chain = read_batch(self._deployment, client, batch.seq, commitment="confirmed", min_slot=min_slot)
        if on_chain is None:
            return self._open(client, batch, trees, now, exchange)
        posted = int(on_chain.accounts)
        if posted < len(trees):
            return self._post(batch, trees, now, posted)
        return self._close(client, batch, trees, on_chain)

    def finished(self, client: ChainClient, entry: OutboxEntry, *, slot: int) -> None:
        batch = SettlementBatch.objects.get(entry=entry)
        on_chain = read_batch(self._deployment, client, batch.seq, commitment="finalized", min_slot=slot)
        root = batch_root(trees_of(batch)).hash
        if on_chain is None or not on_chain.closed or bytes(on_chain.root) != root or bytes(on_chain.hash) != batch_hash(on_chain):
            raise SettlementHalted(f"Batch {batch.seq} is not on chain what was settled.")
        for name in ("chain_events", "epoch", "deadline"):
            setattr(batch, name, int(getattr(on_chain, name)))
        batch.prev_hash, batch.hash, batch.root = bytes(on_chain.prev_hash), bytes(on_chain.hash), root
        batch.terms = [terms_of(one) for one in on_chain.terms]
        batch.save()

    def _checked_trees(self, batch: SettlementBatch, entry: OutboxEntry) -> list[AccountTree]:
        trees = trees_of(batch)
        told = [(tree.user, tree.leaves) for tree in trees]
        digest = content_digest(begin_ms=batch.begin_ms, end_ms=batch.end_ms, funding=batch.funding, accounts=told)
        if digest != bytes(entry.payload):
            raise SettlementHalted("Its rows are not what was queued.")
        return trees

    def _create(self, batch: SettlementBatch, users: list[Any | None]) -> Part:
        """Make the accounts that are not on chain yet, a few at a time."""
        rows = [row for row, user in zip(batch.account_changes.order_by("place"), users, strict=True) if user is None]
        made = []
        for row in rows[:USERS_A_PART]:
            owner, sub_account = self._deployment.owner_of(row.account_id)
            if self._deployment.dex.user(owner, sub_account) != Pubkey.from_string(row.address):
                raise SettlementHalted(f"Account {row.account_id} is at another address than when the batch was made.")
            made.append(instructions.create_user(self._deployment, payer=self.payer.pubkey(), owner=owner, sub_account=sub_account))
        return Part(instructions=made, last=False)

    def _open(
        self, client: ChainClient, batch: SettlementBatch, trees: list[AccountTree], now: list[merkle.Sums], exchange: Any
    ) -> Part | None:
        """Open the batch, and do everything where that fits; not again when it failed, since others' deposits may have seen to that."""
        header = self._header(client, batch, exchange)
        if header is None:
            return None
        opened = instructions.open_batch(self._deployment, header)
        if _has_failed_whole(batch):
            return Part(instructions=[opened], last=False)
        complete = [AccountTree(user=tree.user, leaves=tree.leaves, before=before) for tree, before in zip(trees, now, strict=True)]
        markets = self._funding(client, batch, trees)
        if markets is None:
            return None
        closed = instructions.close_batch(self._deployment, batch.seq, root=batch_root(complete).hash, funding=markets)
        whole = [opened, instructions.post_changes(self._deployment, batch.seq, trees), closed]
        if instructions.fits(self.payer.pubkey(), whole):
            befores.note(batch, first=0, befores=now)
            return Part(instructions=whole)
        return Part(instructions=[opened], last=False)

    def _header(self, client: ChainClient, batch: SettlementBatch, exchange: Any) -> dict[str, Any] | None:
        journalled = chain_events_journalled()
        if phase_of(exchange) == "Fallback" and journalled != exchange.chain_events:
            return None
        if batch.end_ms > chain_time_ms(client) + AHEAD_MS:
            return None
        return {
            "seq": batch.seq,
            "prev_hash": list(exchange.last_hash),
            "begin_ms": batch.begin_ms,
            "end_ms": batch.end_ms,
            "chain_events": min(journalled, exchange.chain_events),
        }

    def _post(self, batch: SettlementBatch, trees: list[AccountTree], now: list[merkle.Sums], posted: int) -> Part:
        """Post as many of the next accounts as one transaction holds."""
        count = 1
        made = instructions.post_changes(self._deployment, batch.seq, trees[posted : posted + 1])
        while posted + count < len(trees):
            more = instructions.post_changes(self._deployment, batch.seq, trees[posted : posted + count + 1])
            if not instructions.fits(self.payer.pubkey(), [more]):
                break
            made, count = more, count + 1
        befores.note(batch, first=posted, befores=now[posted : posted + count])
        return Part(instructions=[made], last=False)

    def _close(self, client: ChainClient, batch: SettlementBatch, trees: list[AccountTree], on_chain: Any) -> Part | None:
        if not befores.agree(on_chain, trees):
            mended = befores.settle_disagreement(self._deployment, client, batch, trees, on_chain)
            if mended is None:
                return None
            trees = mended
        markets = self._funding(client, batch, trees)
        if markets is None:
            return None
        return Part(instructions=[instructions.close_batch(self._deployment, batch.seq, root=batch_root(trees).hash, funding=markets)])

    def _funding(self, client: ChainClient, batch: SettlementBatch, trees: list[AccountTree]) -> dict[int, dict[str, int]] | None:
        """Return the markets whose prices the batch takes, with their funding; None while one that it needs has no price on chain."""
        touched = {slot & ~merkle.POSITION for tree in trees for slot, _ in tree.root.sums if slot >= merkle.POSITION}
        needed = sorted(touched | {int(market_id) for market_id in batch.funding})
        others = [one for one in Market.objects.order_by("id").values_list("id", flat=True) if one not in needed]
        known = read_markets(self._deployment, client, [*needed, *others], commitment="confirmed")
        priced = {market_id for market_id, market in known.items() if market.low_e8}
        missing = [market_id for market_id in needed if market_id not in priced]
        if missing:
            log.warning("market_without_price", seq=batch.seq, markets=missing)
            return None
        chosen = [market_id for market_id in [*needed, *others] if market_id in priced][:MAX_BATCH_MARKETS]
        none = [0, 0, 0]
        return {
            market_id: dict(zip(("hour", "index_e8", "rate_ppb"), batch.funding.get(str(market_id), none), strict=True))
            for market_id in sorted(chosen)
        }


def _has_failed_whole(batch: SettlementBatch) -> bool:
    """Whether one transaction for all of it landed in vain. Its root says what every account has: a deposit of anybody's makes it wrong.

    In parts the program itself hashes what accounts have, and the root is taken from there.
    """
    whole = OutboxAttempt.objects.filter(entry_id=batch.entry_id, last=True)
    return whole.exclude(state=OutboxAttempt.State.EXPIRED).exists()


def chain_events_journalled() -> int:
    """Return how many of the chain's events the engine knows, counted from the first."""
    first_new = ChainEvent.objects.filter(state=ChainEvent.State.NEW).order_by("number").values_list("number", flat=True).first()
    if first_new is not None:
        return first_new - 1
    return ChainEvent.objects.order_by("-number").values_list("number", flat=True).first() or 0


def chain_time_ms(client: ChainClient) -> int:
    """Return the time of the newest confirmed block."""
    return client.block_time_s(client.point("confirmed").slot) * 1_000


def batch_hash(on_chain: Any) -> bytes:
    """Return the hash that a closed batch must have, by what it says of itself."""
    numbers = struct.pack("<IQQQ", on_chain.accounts, on_chain.begin_ms, on_chain.end_ms, on_chain.chain_events)
    head = BATCH_TAG + bytes(on_chain.prev_hash) + struct.pack("<Q", on_chain.seq)
    return hashlib.sha256(head + bytes(on_chain.root) + numbers).digest()


def terms_of(terms: Any) -> dict[str, int]:
    funding = terms.funding
    return {
        "market_id": terms.market_id,
        "low_e8": terms.low_e8,
        "high_e8": terms.high_e8,
        "hour": funding.hour,
        "index_e8": funding.index_e8,
        "rate_ppb": funding.rate_ppb,
    }
