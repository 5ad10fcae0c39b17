"""The chain of blocks over the bank: what lands, what each commitment level sees, forks, and the way back after a restart.

The open block is what `processed` shows. Sealed blocks are `confirmed` and `finalized` by their depth.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

from solders.account import Account
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from chain.localnet.accounts import AccountStore
from chain.localnet.bank import SYSTEM, Bank, Simulation
from chain.localnet.blocks import BLOCKHASH_AGE, Block, Entry, StoredAccount, empty_block
from chain.localnet.errors import JournalDamaged
from chain.localnet.faults import Dropped, Failed, Faults, ForkedAway, Late
from chain.localnet.history import History
from chain.localnet.journal import HEARTBEAT_BLOCKS, BlockSealed, Forked, Genesis, Journal, Record, Snapshot
from chain.localnet.transactions import MAX_LOCKS, accounts_of

Commitment = Literal["processed", "confirmed", "finalized"]
FAUCET_LAMPORTS = 500_000_000 * 10**9
KEPT_BLOCKS = 512
SNAPSHOT_AFTER_BYTES = 16_000_000  # of the journal: what a start reads in a few seconds
GENESIS_TAG = b"QuantDesk localnet"


class Listener(Protocol):
    def reached(self, commitment: Commitment, block: Block, entries: list[Entry]) -> None:
        """`entries` of `block` can now be seen at `commitment`."""

    def began(self, block: Block) -> None: ...


class Chain:
    def __init__(
        self,
        *,
        journal: Journal,
        programs: Path | None = None,
        confirmed_depth: int = 1,
        finalized_depth: int = 31,
        now_s: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        self.bank = Bank()
        self.programs = self.bank.load_programs(programs) if programs else {}
        self.accounts = AccountStore(self.bank.account)
        self.history = History()
        self.faults = Faults()
        self.listeners: list[Listener] = []
        self.journal = journal
        self._depths = {"confirmed": confirmed_depth, "finalized": finalized_depth}
        self._now_s = now_s
        self._sealed: list[Block] = []
        self._heights: dict[Hash, int] = {}
        self._reached = {"confirmed": 0, "finalized": 0}
        self._waiting: list[tuple[int, VersionedTransaction]] = []
        self._forks: list[tuple[int, int, bool]] = []  # at height, abandoning from height, returning the transactions
        self._next_slot = 1
        self._unwritten = 0
        self.snapshot_after_bytes = SNAPSHOT_AFTER_BYTES
        try:
            self._restore()
        except JournalDamaged:
            journal.close()
            raise
        self._open()

    # What clients see

    def at(self, commitment: Commitment) -> Block:
        if commitment == "processed":
            return self.open
        height = self._sealed[-1].height - self._depths[commitment] + 1
        if commitment == "finalized":
            height = max(height, self._reached["finalized"])  # what was final before a fork still is
        return self._sealed[max(0, height - self._sealed[0].height)]

    def latest_sealed(self, commitment: Commitment) -> Block:
        """Return the newest block with a hash that `commitment` sees."""
        return self._sealed[-1] if commitment == "processed" else self.at(commitment)

    def account(self, key: Pubkey, commitment: Commitment) -> Account | None:
        return self.accounts.at(key, self.at(commitment).slot)

    def block(self, slot: int) -> Block | None:
        """Return a sealed block that is not too old to be kept."""
        return next((block for block in reversed(self._sealed) if block.slot == slot), None)

    def hash_height(self, blockhash: Hash, commitment: Commitment) -> int | None:
        """Return the height of a blockhash that can be used in the next block after what `commitment` sees."""
        height = self._heights.get(blockhash)
        seen = self.at(commitment).height
        return None if height is None or height > seen or seen - height > BLOCKHASH_AGE else height

    def recent_sealed(self) -> list[Block]:
        """Return the blocks whose hashes can be used, oldest first."""
        return self._sealed[-BLOCKHASH_AGE:]

    # What clients do

    def check(self, transaction: VersionedTransaction, commitment: Commitment) -> str | None:
        """Return why the transaction cannot land at all, as far as that is known without executing it."""
        if self.history.get(transaction.signatures[0]) is not None:
            return "AlreadyProcessed"
        if self.hash_height(transaction.message.recent_blockhash, commitment) is None:
            return "BlockhashNotFound"
        if len(accounts_of(transaction, self.bank.account).every) > MAX_LOCKS:
            return "TooManyAccountLocks"
        return None

    def simulate(self, transaction: VersionedTransaction, *, commitment: Commitment, verify: bool) -> Simulation:
        slot = self.at(commitment).slot
        keys = accounts_of(transaction, self.bank.account).every if commitment != "processed" else []
        overlay = {key: self.accounts.at(key, slot) for key in keys}
        stale = {key: account for key, account in overlay.items() if account != self.bank.account(key)}
        return self.bank.simulate(transaction, overlay=stale, verify=verify)

    def submit(self, transaction: VersionedTransaction) -> None:
        """Take a transaction as a leader does: it lands in the open block or is silently dropped."""
        fault = self.faults.take_submission()
        match fault:
            case Dropped():
                return
            case Late(blocks):
                self._waiting.append((self.open.height + blocks, transaction))
            case Failed(error):
                self.land(transaction, failing=error)
            case ForkedAway(after_blocks, returns):
                if self.land(transaction):
                    self._forks.append((self.open.height + after_blocks, self.open.height, returns))
            case None:
                self.land(transaction)

    def seal(self) -> None:
        """End the open block and begin the next."""
        block = self.open
        block.seal()
        self._write(block)
        self._append(block)
        self._open()
        self._tell_depths()
        self._meet_due_faults()
        if self.journal.written_bytes > self.snapshot_after_bytes and self._is_quiet():
            self._take_snapshot()

    def advance(self, blocks: int) -> None:
        for _ in range(blocks):
            self.seal()

    def fork(self, *, blocks: int, returns: bool = False) -> None:
        """Abandon the open block and so many sealed ones, none of them final."""
        abandoned = [*self._sealed[len(self._sealed) - blocks :], self.open]
        tip = self._sealed[len(self._sealed) - blocks - 1]
        assert tip.height >= self.at("finalized").height, "what is final stays"
        self._next_slot = self.open.slot + 1
        self._abandon(abandoned, tip)
        self.journal.append(Forked(slot=tip.slot, next_slot=self._next_slot))
        self._unwritten = 0
        self._open()
        for entry in [entry for block in abandoned for entry in block.entries] if returns else ():
            self.land(VersionedTransaction.from_bytes(entry.transaction))

    def close(self) -> None:
        """Keep the open block, too."""
        self.open.seal()
        self.journal.append(BlockSealed(block=self.open))
        self.journal.close()

    def land(self, transaction: VersionedTransaction, failing: Any = None) -> bool:
        """Put it into the open block, unless it is unfit; no fault meets it."""
        if self.check(transaction, "processed") is not None:
            return False
        for key in accounts_of(transaction, self.bank.account).writable:
            self.accounts.remember_original(key)
        entry = self.bank.execute(transaction) if failing is None else self.bank.fail(transaction, failing)
        if not isinstance(entry, Entry):
            return False
        self.open.entries.append(entry)
        self._note(entry, self.open)
        for listener in self.listeners:
            listener.reached("processed", self.open, [entry])
        return True

    # How it works

    def _note(self, entry: Entry, block: Block) -> None:
        final_slot = self.at("finalized").slot
        for key, stored in entry.changes.items():
            self.accounts.write(Pubkey(key), stored.account() if stored else None, slot=block.slot, final_slot=final_slot)
        self.history.add(entry, block)

    def _open(self) -> None:
        self.open = empty_block(parent=self._sealed[-1], slot=self._next_slot, time_s=self._now_s())
        hashes = [(block.slot, block.blockhash) for block in reversed(self._sealed[-KEPT_BLOCKS:])]
        self.bank.enter(slot=self.open.slot, time_s=self.open.time_s, hashes=hashes)
        for listener in self.listeners:
            listener.began(self.open)

    def _append(self, block: Block) -> None:
        self._sealed.append(block)
        self._heights[block.blockhash] = block.height
        self._next_slot = block.slot + 1
        if len(self._sealed) > 2 * KEPT_BLOCKS:
            for old in self._sealed[:KEPT_BLOCKS]:
                del self._heights[old.blockhash]
            del self._sealed[:KEPT_BLOCKS]

    def _write(self, block: Block) -> None:
        self._unwritten += 1
        if block.entries or self._unwritten >= HEARTBEAT_BLOCKS:
            self.journal.append(BlockSealed(block=block))
            self._unwritten = 0

    def _abandon(self, blocks: list[Block], tip: Block) -> None:
        for block in reversed(blocks):
            for entry in reversed(block.entries):
                self.history.forget(entry)
            if block.hash:
                self._heights.pop(block.blockhash, None)
        self._sealed = [block for block in self._sealed if block.slot <= tip.slot]
        for key in self.accounts.written_after(tip.slot):
            self.bank.put(key, self.accounts.roll_back(key, tip.slot))
        self._reached["confirmed"] = min(self._reached["confirmed"], self.at("confirmed").height)

    def _tell_depths(self) -> None:
        commitments: tuple[Literal["confirmed", "finalized"], ...] = ("confirmed", "finalized")
        for commitment in commitments:
            height = self.at(commitment).height
            for block in self._sealed[-KEPT_BLOCKS:]:
                if self._reached[commitment] < block.height <= height:
                    for listener in self.listeners:
                        listener.reached(commitment, block, block.entries)
            self._reached[commitment] = height

    def _meet_due_faults(self) -> None:
        due = [transaction for height, transaction in self._waiting if height <= self.open.height]
        self._waiting = [(height, transaction) for height, transaction in self._waiting if height > self.open.height]
        for transaction in due:
            self.land(transaction)
        forks = [fork for fork in self._forks if fork[0] <= self.open.height]
        self._forks = [fork for fork in self._forks if fork[0] > self.open.height]
        for _, from_height, returns in forks:
            if from_height > self.open.height:
                continue  # another fork has taken that block already
            self.fork(blocks=self.open.height - from_height, returns=returns)

    def _is_quiet(self) -> bool:
        """Whether nothing can change any more what the sealed blocks say: all that they hold is final, and no fault waits."""
        final = self.at("finalized").height
        recent = (block for block in self._sealed[-KEPT_BLOCKS:] if block.height > final)
        return not self._waiting and not self._forks and not self.open.entries and not any(block.entries for block in recent)

    def _take_snapshot(self) -> None:
        tip = self._sealed[-1]
        accounts = {bytes(key): StoredAccount.of(account) if account else None for key, account in self.accounts.latest()}
        snapshot = Snapshot(block=tip, accounts=accounts, landed=list(self.history.every()))
        self.journal.begin_again(self._genesis, snapshot)
        self._unwritten = 0

    def _restore(self) -> None:
        begun = False
        for record in self.journal.read():
            if begun == isinstance(record, Genesis):
                raise JournalDamaged("The localnet's journal does not begin with its genesis, or begins twice.")
            begun = True
            self._replay(record)
        if not begun:
            genesis = Genesis(faucet_secret=secrets.token_bytes(32), created_s=self._now_s())
            self.journal.append(genesis)
            self._replay(genesis)
            return
        for _ in range(HEARTBEAT_BLOCKS):
            self._append_empty()
        self._unwritten = HEARTBEAT_BLOCKS  # so that the next block is written, and a second crash starts higher still
        self._reached = {"confirmed": self.at("confirmed").height, "finalized": self.at("finalized").height}

    def _replay(self, record: Record) -> None:
        match record:
            case Genesis():
                self._begin(record)
            case Snapshot():
                self._replay_snapshot(record)
            case BlockSealed(block=block):
                while self._sealed[-1].height < block.height - 1:
                    self._append_empty()
                self._replay_block(block)
            case Forked(slot=slot, next_slot=next_slot):
                while self._sealed[-1].slot < slot:
                    self._append_empty()
                tip = self.block(slot)
                if tip is None:
                    raise JournalDamaged(f"The localnet's journal forks after slot {slot}, which has no block.")
                self._abandon([block for block in self._sealed if block.slot > slot], tip)
                self._next_slot = next_slot

    def _begin(self, genesis: Genesis) -> None:
        self._genesis = genesis
        self.faucet = Keypair.from_seed(genesis.faucet_secret)
        digest = hashlib.sha256(GENESIS_TAG + bytes(self.faucet.pubkey()) + genesis.created_s.to_bytes(8, "little")).digest()
        self.genesis_hash = Hash(digest)
        self._append(Block(slot=0, height=0, parent_slot=0, parent_hash=bytes(32), time_s=genesis.created_s, hash=digest))
        funded = Account(FAUCET_LAMPORTS, b"", SYSTEM)
        self.bank.put(self.faucet.pubkey(), funded)
        self.accounts.write(self.faucet.pubkey(), funded, slot=0, final_slot=0)

    def _replay_snapshot(self, snapshot: Snapshot) -> None:
        slot = snapshot.block.slot
        for key, stored in snapshot.accounts.items():
            account = stored.account() if stored else None
            self.accounts.remember_original(Pubkey(key))
            self.bank.put(Pubkey(key), account)
            self.accounts.write(Pubkey(key), account, slot=slot, final_slot=slot)
        self.history.restore(snapshot.landed)
        self._sealed, self._heights = [], {}
        self._append(snapshot.block)

    def _replay_block(self, block: Block) -> None:
        claimed = block.hash
        block.seal()
        parent = self._sealed[-1]
        if (block.hash, block.parent_hash, block.slot) != (claimed, parent.hash, self._next_slot):
            raise JournalDamaged(f"Block {block.height} of the localnet's journal does not follow from what is before it.")
        for entry in block.entries:
            for key, stored in entry.changes.items():
                self.accounts.remember_original(Pubkey(key))
                self.bank.put(Pubkey(key), stored.account() if stored else None)
            self._note(entry, block)
        self._append(block)

    def _append_empty(self) -> None:
        parent = self._sealed[-1]
        block = empty_block(parent=parent, slot=self._next_slot, time_s=parent.time_s)
        block.seal()
        self._append(block)
