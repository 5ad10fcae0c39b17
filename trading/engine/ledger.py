"""Money that moves other than by a match: every movement is a list of transfers that sums to zero."""

from typing import Final

from markets.assets import QUOTE
from markets.commands import AdjustBalance, Deposit, OpenAccount, SettleWithdrawal, Transfer, Withdraw
from markets.events import AccountOpened, LedgerKind, LedgerPosted, LedgerTransfer
from markets.ledger import BACKSTOP, CUSTODY, FIRST_USER_ACCOUNT, INSURANCE, NAMES, PENDING_WITHDRAWALS, SOURCES, WITHDRAWAL_TARGETS
from markets.rejects import Reject
from markets.units import MAX_AMOUNT_ATOMS
from markets.views import Reply
from trading.engine import margin, withdrawals
from trading.engine.orders import ACCOUNT_NOT_FOUND, expired, user_account
from trading.engine.state import Account, MarginPool, State

THROUGH_CHAIN: Final = (PENDING_WITHDRAWALS, CUSTODY)  # where a wallet's money goes: the second when its owner took it by himself


def transfer(debit: MarginPool, credit: MarginPool, amount_atoms: int, kind: LedgerKind) -> LedgerTransfer:
    """Move a positive amount of USDC and return the line that says so."""
    debit.cash_atoms -= amount_atoms
    credit.cash_atoms += amount_atoms
    margin.distrust(debit)
    credit.armed = False
    return LedgerTransfer(debit.account.account_id, credit.account.account_id, QUOTE, amount_atoms, kind)


def give(state: State, debit: MarginPool, credit: MarginPool, asset: str, amount_atoms: int, kind: LedgerKind) -> LedgerTransfer:
    """Move a positive amount of any asset and return the line that says so."""
    if asset == QUOTE:
        return transfer(debit, credit, amount_atoms, kind)
    hold(state, debit, asset, -amount_atoms)
    hold(state, credit, asset, amount_atoms)
    return LedgerTransfer(debit.account.account_id, credit.account.account_id, asset, amount_atoms, kind)


def hold(state: State, pool: MarginPool, asset: str, amount_atoms: int) -> None:
    """Change what a pool holds of an asset other than USDC."""
    held = pool.collateral.get(asset, 0) + amount_atoms
    if held:
        pool.collateral[asset] = held
    else:
        pool.collateral.pop(asset, None)
    margin.collateral_changed(pool)
    account_id = pool.account.account_id
    if account_id < FIRST_USER_ACCOUNT:
        return
    entry = state.assets[asset]
    entry.total_atoms += amount_atoms
    if held:
        entry.holders[account_id] = pool
    else:
        entry.holders.pop(account_id, None)


def post(state: State, lines: list[LedgerTransfer], reason: str = "", author: str = "") -> None:
    for line in lines:
        state.touched.add(line.debit_account_id)
        state.touched.add(line.credit_account_id)
    state.events.append(LedgerPosted(transfers=tuple(lines), reason=reason, author=author))


def realise(state: State, pool: MarginPool, realised_atoms: int, kind: LedgerKind = "trade_pnl") -> list[LedgerTransfer]:
    """Settle profit or loss against clearing."""
    if realised_atoms > 0:
        return [transfer(state.clearing, pool, realised_atoms, kind)]
    return [transfer(pool, state.clearing, -realised_atoms, kind)] if realised_atoms else []


def open_account(state: State, command: OpenAccount) -> Reply:
    """Open a user's account; opening it again changes nothing, and it stays in the custody that it was opened in."""
    account_id = command.account_id
    if account_id < FIRST_USER_ACCOUNT:
        return Reply(reject=Reject("INVALID_COMBINATION", {"field": "account_id"}))
    known = state.accounts.get(account_id)
    if known is not None:
        same = known.self_custody == command.self_custody
        return Reply() if same else Reply(reject=Reject("INVALID_COMBINATION", {"field": "self_custody"}))
    account = state.accounts[account_id] = Account(account_id)
    account.self_custody = command.self_custody
    state.touched.add(account_id)
    state.events.append(AccountOpened(account_id=account_id, self_custody=command.self_custody))
    return Reply()


def invalid_amount(state: State, asset: str, amount_atoms: int) -> Reject | None:
    if asset not in state.assets:
        return Reject("UNKNOWN_ASSET", {"asset": asset[:12]})
    if not 0 < amount_atoms <= MAX_AMOUNT_ATOMS:
        return Reject("INVALID_AMOUNT", {"amount_atoms": amount_atoms})
    return None


def not_on_chain(account: Account, asset: str) -> Reject | None:
    """Refuse to bring a self-custodied account what its wallet could not take out: on chain there is USDC only."""
    return Reject("SELF_CUSTODY", {"asset": asset}) if account.self_custody and asset != QUOTE else None


def deposit(state: State, command: Deposit) -> Reply:
    account = user_account(state, command.account_id)
    source = state.accounts.get(command.source_account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None or source is None or source.account_id not in SOURCES:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    asset = command.asset
    reject = invalid_amount(state, asset, command.amount_atoms)
    last = account.deposit_numbers.get(source.account_id, 0)
    if reject is None and command.number != last + 1:
        reject = Reject("OUT_OF_SEQUENCE", {"last_number": last})
    if reject is None:
        reject = not_on_chain(account, asset)
    if reject is None and source.account_id != CUSTODY:  # what came through the chain is there, whatever the caps
        reject = withdrawals.over_cap(state, account, asset, command.amount_atoms, True)
    if reject is not None:
        return Reply(reject=reject)
    account.deposit_numbers[source.account_id] = command.number
    post(state, [give(state, source.cross, account.cross, asset, command.amount_atoms, "deposit")])
    return Reply()


def withdraw(state: State, command: Withdraw) -> Reply:
    """Let withdrawable money leave the exchange, as far as its limits of the hour and the day go."""
    target = state.accounts.get(command.target_account_id)
    if target is not None and target.account_id not in WITHDRAWAL_TARGETS:
        target = None
    reject = out_of_sequence(state, command) or leave_refusal(state, command, target)
    if reject is None and command.target_account_id != CUSTODY:
        reject = withdrawals.over_limit(state, command.asset, command.amount_atoms)
    if reject is not None:
        return Reply(reject=reject)
    if command.number:
        state.accounts[command.account_id].deposit_numbers[-command.target_account_id] = command.number
    return leave(state, command, target, "withdrawal")


def out_of_sequence(state: State, command: Withdraw) -> Reject | None:
    """Refuse a numbered withdrawal that was made before. They are counted beside the deposits, by the target with a minus."""
    account = user_account(state, command.account_id)
    if account is None or not command.number or expired(state, command.valid_until_ms) is not None:
        return None  # what is wrong otherwise comes first
    last = account.deposit_numbers.get(-command.target_account_id, 0)
    return None if command.number == last + 1 else Reject("OUT_OF_SEQUENCE", {"last_number": last})


def settle_withdrawal(state: State, command: SettleWithdrawal) -> Reply:
    """Let pending money go where the chain says that it is; what returns is the account's own, and no cap keeps it out."""
    account = user_account(state, command.account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    asset, amount = command.asset, command.amount_atoms
    reject = invalid_amount(state, asset, amount)
    last = account.deposit_numbers.get(PENDING_WITHDRAWALS, 0)
    if reject is None and command.number != last + 1:
        reject = Reject("OUT_OF_SEQUENCE", {"last_number": last})
    pending = state.accounts[PENDING_WITHDRAWALS].cross
    held = pending.cash_atoms if asset == QUOTE else pending.collateral.get(asset, 0)
    if reject is None and amount > held:
        reject = Reject("INSUFFICIENT_BALANCE", withdrawals.named(asset) | {"withdrawable_atoms": held})
    if reject is not None:
        return Reply(reject=reject)
    account.deposit_numbers[PENDING_WITHDRAWALS] = command.number
    target = state.accounts[CUSTODY] if command.paid else account
    post(state, [give(state, pending, target.cross, asset, amount, "withdrawal")])
    return Reply()


def move(state: State, command: Transfer) -> Reply:
    """Move withdrawable money to another account of the same owner."""
    target = user_account(state, command.to_account_id)
    if target is not None and target.account_id == command.account_id:
        return Reply(reject=Reject("INVALID_COMBINATION", {"field": "to_account_id"}))
    reject = leave_refusal(state, command, target)
    if reject is None and target is not None:
        reject = not_on_chain(target, command.asset) or withdrawals.over_cap(state, target, command.asset, command.amount_atoms, False)
    return Reply(reject=reject) if reject is not None else leave(state, command, target, "transfer")


def leave_refusal(state: State, command: Withdraw | Transfer, target: Account | None) -> Reject | None:
    account = user_account(state, command.account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None or target is None:
        return late or ACCOUNT_NOT_FOUND
    reject = invalid_amount(state, command.asset, command.amount_atoms)
    if reject is None and account.self_custody and target.account_id not in THROUGH_CHAIN:
        reject = Reject("SELF_CUSTODY")
    if reject is None and account.self_custody and target.account_id == CUSTODY:
        return not_on_chain(account, command.asset)  # its owner has taken it on chain: refused or not, it is gone, and may leave a debt
    return reject or withdrawals.refusal(state, account, command.asset, command.amount_atoms)


def leave(state: State, command: Withdraw | Transfer, target: Account | None, kind: LedgerKind) -> Reply:
    """Move what `leave_refusal` has let pass."""
    assert target is not None
    if kind == "withdrawal":
        withdrawals.count(state, command.asset, command.amount_atoms)
    account = state.accounts[command.account_id]
    post(state, [give(state, account.cross, target.cross, command.asset, command.amount_atoms, kind)])
    return Reply()


def adjust(state: State, command: AdjustBalance) -> Reply:
    """Correct balances by hand; a user's account cannot be debited below what it may withdraw."""
    debit = state.accounts.get(command.debit_account_id)
    credit = state.accounts.get(command.credit_account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or debit is None or credit is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    reject = invalid_amount(state, command.asset, command.amount_atoms)
    if debit is credit:
        reject = Reject("INVALID_COMBINATION", {"field": "credit_account_id"})
    if reject is None and debit.self_custody:
        reject = Reject("SELF_CUSTODY")
    reject = reject or not_on_chain(credit, command.asset)
    if reject is None and debit.account_id not in NAMES:
        reject = withdrawals.short(state, debit, command.asset, command.amount_atoms)
    if reject is None and debit.account_id == INSURANCE and command.amount_atoms > debit.cross.cash_atoms:
        reject = Reject("INSUFFICIENT_BALANCE", {"withdrawable_atoms": max(0, debit.cross.cash_atoms)})  # the fund is never overdrawn
    if reject is not None:
        return Reply(reject=reject)
    lines = [give(state, debit.cross, credit.cross, command.asset, command.amount_atoms, "adjustment")]
    post(state, lines, command.reason, command.author)
    if command.asset == QUOTE:
        fund_backstop(state, debit, credit, command.amount_atoms)
    return Reply()


def fund_backstop(state: State, debit: Account, credit: Account, amount_atoms: int) -> None:
    """Note what the backstop was given, or gave back: only against that can it have lost something."""
    if credit.account_id == BACKSTOP:
        state.backstop_capital_atoms += amount_atoms
    elif debit.account_id == BACKSTOP:
        state.backstop_capital_atoms -= amount_atoms
