"""The virtual machine: accounts at the tip, transactions executed on them, and sysvars that follow the blocks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from solders.account import Account
from solders.clock import Clock
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from chain.localnet import texts, tokens
from chain.localnet.blocks import Balances, Entry, InnerInstruction, StoredAccount
from chain.localnet.errors import NoAddress
from chain.localnet.transactions import Accounts, accounts_of, compute_budget, priority_fee

SYSTEM = Pubkey.default()
CLOSED = Account(0, b"", SYSTEM)
SLOTS_PER_EPOCH = 432_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    error: Any
    meta: TransactionMetadata
    accounts: dict[Pubkey, Account]


class Bank:
    """litesvm keeps neither history nor blockhashes here: the chain knows them, and rolls both back after a fork."""

    def __init__(self) -> None:
        self.svm = LiteSVM()
        self.svm.with_transaction_history(0)
        self.svm.with_blockhash_check(False)

    def load_programs(self, folder: Path) -> dict[str, Pubkey]:
        """Load each NAME.so whose address NAME.json (an IDL) tells, or whose name is its address."""
        loaded = {}
        for path in sorted(folder.glob("*.so")):
            loaded[path.stem] = program_address(path)
            self.svm.add_program_from_file(loaded[path.stem], path)
        return loaded

    def account(self, key: Pubkey) -> Account | None:
        account = self.svm.get_account(key)
        return account if account is not None and account.lamports else None

    def put(self, key: Pubkey, account: Account | None) -> None:
        self.svm.set_account(key, account or CLOSED)

    def enter(self, *, slot: int, time_s: int, hashes: list[tuple[int, Hash]]) -> None:
        """Set the sysvars for the block that begins."""
        epoch = slot // SLOTS_PER_EPOCH
        self.svm.set_clock(Clock(slot, time_s, epoch, epoch + 1, time_s))
        self.svm.set_slot_hashes(hashes)

    def execute(self, transaction: VersionedTransaction) -> Entry | Any:
        """Return what landed, whether it failed or not; an error (in JSON) when it could not land, and nothing changed."""
        accounts = accounts_of(transaction, self.account)
        before = {key: self.account(key) for key in accounts.every}
        priority = priority_fee(transaction)
        # Validators take it first; litesvm itself takes the base fee only.
        refusal = self._take(accounts.static[0], priority)
        if refusal is not None:
            return refusal
        result = self.svm.send_transaction(transaction)
        after = {key: self.account(key) for key in accounts.every}
        fee = _lamports(before) - _lamports(after)
        if not isinstance(result, FailedTransactionMetadata):
            return _entry(transaction, accounts, result, error=None, fee=fee, before=before, after=after)
        error = texts.error_json(result.err())
        if fee == priority:  # nobody took the base fee: it was not executed at all
            self.put(accounts.static[0], before[accounts.static[0]])
            return error
        return _entry(transaction, accounts, result.meta(), error=error, fee=fee, before=before, after=after)

    def fail(self, transaction: VersionedTransaction, error: Any) -> Entry | Any:
        """Let it land as failed with `error`: the fee is taken, nothing else changes."""
        accounts = accounts_of(transaction, self.account)
        before = {key: self.account(key) for key in accounts.every}
        entry = self.execute(transaction)
        if not isinstance(entry, Entry):
            return entry
        for key in accounts.writable:
            self.put(key, before[key])
        self._take(accounts.static[0], entry.fee_lamports)
        after = {key: self.account(key) for key in accounts.every}
        return msgspec.structs.replace(
            entry,
            error=error,
            logs=[],
            inner=[],
            return_data=None,
            balances=[_balances(key, before[key], after[key]) for key in accounts.every],
            changes={bytes(key): _stored(after[key]) for key in accounts.writable if before[key] != after[key]},
        )

    def simulate(self, transaction: VersionedTransaction, *, overlay: dict[Pubkey, Account | None], verify: bool) -> Simulation:
        """Run it on the tip with the accounts of `overlay` in place of theirs; nothing changes."""
        with self._laid_over(overlay), self._verifying(verify):
            result = self.svm.simulate_transaction(transaction)
        if isinstance(result, FailedTransactionMetadata):
            return Simulation(error=texts.error_json(result.err()), meta=result.meta(), accounts={})
        return Simulation(error=None, meta=result.meta(), accounts=dict(result.post_accounts()))

    def _take(self, payer: Pubkey, lamports: int) -> Any:
        """Take lamports from an account; returns why that cannot be, or None."""
        account = self.account(payer)
        if account is None:
            return "AccountNotFound"
        if account.lamports < lamports:
            return "InsufficientFundsForFee"
        self.put(payer, Account(account.lamports - lamports, account.data, account.owner, account.executable, account.rent_epoch))
        return None

    @contextmanager
    def _laid_over(self, overlay: dict[Pubkey, Account | None]) -> Iterator[None]:
        tip = {key: self.account(key) for key in overlay}
        for key, account in overlay.items():
            self.put(key, account)
        try:
            yield
        finally:
            for key, account in tip.items():
                self.put(key, account)

    @contextmanager
    def _verifying(self, verify: bool) -> Iterator[None]:
        self.svm.with_sigverify(verify)
        try:
            yield
        finally:
            self.svm.with_sigverify(True)


def program_address(path: Path) -> Pubkey:
    idl = path.with_suffix(".json")
    try:
        return Pubkey.from_string(msgspec.json.decode(idl.read_bytes())["address"] if idl.exists() else path.stem)
    except (ValueError, KeyError) as error:
        raise NoAddress(f"{path.name} has no address: neither is its name one, nor does {idl.name} tell it.") from error


def returned_data(meta: Any) -> tuple[bytes, bytes] | None:
    """Return (program, data) of litesvm's metadata, whose stubs do not know it; None when there is none."""
    returned = meta.return_data()
    data = bytes(returned.data)
    return (bytes(returned.program_id), data) if data else None


def _lamports(accounts: dict[Pubkey, Account | None]) -> int:
    return sum(account.lamports for account in accounts.values() if account)


def _entry(
    transaction: VersionedTransaction,
    accounts: Accounts,
    meta: TransactionMetadata,
    *,
    error: Any,
    fee: int,
    before: dict[Pubkey, Account | None],
    after: dict[Pubkey, Account | None],
) -> Entry:
    return Entry(
        signature=bytes(transaction.signatures[0]),
        transaction=bytes(transaction),
        error=error,
        fee_lamports=fee,
        unit_price_micro_lamports=compute_budget(transaction)[1],
        compute_units=meta.compute_units_consumed(),
        logs=list(meta.logs()),
        inner=_inner(meta),
        return_data=returned_data(meta),
        balances=[_balances(key, before[key], after[key]) for key in accounts.every],
        loaded=([bytes(key) for key in accounts.loaded_writable], [bytes(key) for key in accounts.loaded_readonly]),
        changes={bytes(key): _stored(after[key]) for key in accounts.writable if before[key] != after[key]},
    )


def _stored(account: Account | None) -> StoredAccount | None:
    return None if account is None else StoredAccount.of(account)


def _inner(meta: TransactionMetadata) -> list[tuple[int, list[InnerInstruction]]]:
    found = []
    for index, instructions in enumerate(meta.inner_instructions()):
        if instructions:
            found.append((index, [_inner_instruction(one) for one in instructions]))
    return found


def _inner_instruction(inner: Any) -> InnerInstruction:
    compiled = inner.instruction()
    return InnerInstruction(compiled.program_id_index, bytes(compiled.accounts), bytes(compiled.data), inner.stack_height())


def _balances(key: Pubkey, before: Account | None, after: Account | None) -> Balances:
    return Balances(
        bytes(key),
        before.lamports if before else 0,
        after.lamports if after else 0,
        tokens.holding(before),
        tokens.holding(after),
    )
