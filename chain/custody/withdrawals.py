"""Withdrawals to the owner's wallet: debited, held, granted on chain, taken by the owner, settled. Each step happens once.

What decides is never this table alone: the engine counts debits and settlements by number, the program counts vouchers. A kill between two
steps leaves a row behind that the next look brings on, with the same number.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Account
from chain.custody.addresses import usable_address
from chain.custody.errors import TooManyWithdrawals, WithdrawalKeyUsed, WithdrawalNotFound, WithdrawalNotReady
from chain.custody.models import ChainAccount, Withdrawal
from markets.commands import SettleWithdrawal, Withdraw
from markets.errors import GatewayError, Refused
from markets.fields import InvalidField, whole_number
from markets.gateway import gateway
from markets.ledger import PENDING_WITHDRAWALS
from markets.rejects import Reject
from markets.units import QUOTE_ATOMS
from markets.views import Reply

REVIEW_ATOMS: Final = 50_000 * QUOTE_ATOMS  # from here on two people look at it first
HOLD: Final = timedelta(minutes=15)  # in production: time to notice that somebody else asked
MIN_ATOMS: Final = QUOTE_ATOMS
MAX_OPEN: Final = 5  # of one account
State = Withdrawal.State
log = structlog.get_logger("custody")


def withdrawal_request(*, account: Account, amount_atoms: int, key: str, address: str | None = None, leaving: bool = False) -> Withdrawal:
    """Ask for money to leave; the same key again is the same withdrawal. Refused says why the engine does not let it go.

    Without an answer of the engine the request stays `requested`, and is carried out as soon as there is one. Who is `leaving` for good
    is owed everything, however little.
    """
    place = ChainAccount.objects.get(account=account)
    destination = usable_address(place, address)
    withdrawal = _asked(account, amount_atoms, key, destination, leaving)
    if withdrawal.state == State.REQUESTED:
        _try_debits(account.id)
    withdrawal.refresh_from_db()
    if withdrawal.state == State.REFUSED:
        code, _, facts = withdrawal.reason.partition(" ")
        raise Refused(Reject(code, _facts(facts)), "The exchange does not let this amount go now.")
    return withdrawal


def withdrawal_of(*, account_id: int, withdrawal_id: str) -> Withdrawal:
    found = Withdrawal.objects.filter(account_id=account_id, pk=whole_number(withdrawal_id) or 0).first()
    if found is None:
        raise WithdrawalNotFound
    return found


def debits_finish() -> None:
    """Carry out what was asked for while the engine did not answer."""
    waiting = Withdrawal.objects.filter(state=State.REQUESTED).order_by("account_id")
    for account_id in waiting.values_list("account_id", flat=True).distinct()[:100]:
        _try_debits(account_id)


def withdrawal_settle(*, withdrawal_id: int, paid: bool, reason: str = "") -> None:
    """End a withdrawal as the chain says: paid, or its voucher is gone unused. Call it again after a failure."""
    account = Withdrawal.objects.values_list("account_id", flat=True).get(pk=withdrawal_id)
    with _locked(account):
        withdrawal = _number_end(withdrawal_id, paid=paid, reason=reason)
    assert withdrawal.paid == paid, "a withdrawal ends one way"
    with _locked(account):
        unsettled = Withdrawal.objects.filter(account_id=account, settle_number__lte=withdrawal.settle_number, ended_at=None)
        for waiting in unsettled.order_by("settle_number"):
            _settle(waiting)


def withdrawal_release(*, withdrawal_id: int) -> None:
    """Let a reviewed withdrawal go on."""
    waiting = Withdrawal.objects.filter(pk=withdrawal_id, state=State.REVIEW, settle_number=None)
    if not waiting.update(state=State.HELD, held_until=timezone.now()):
        raise WithdrawalNotReady("The withdrawal is not under review any more.")


def withdrawal_reject(*, withdrawal_id: int, reason: str) -> None:
    """Return what is under review to its account."""
    account = Withdrawal.objects.values_list("account_id", flat=True).get(pk=withdrawal_id)
    with _locked(account):
        if not Withdrawal.objects.filter(pk=withdrawal_id, state=State.REVIEW).exists():
            raise WithdrawalNotReady("The withdrawal is not under review any more.")
        _number_end(withdrawal_id, paid=False, reason=reason)
    withdrawal_settle(withdrawal_id=withdrawal_id, paid=False)


def withdrawals_drop(*, account_id: int, reason: str) -> None:
    """Return what waits without a voucher: its owner has taken money by himself, and that comes first."""
    waiting = Withdrawal.objects.filter(account_id=account_id, state__in=(State.HELD, State.REVIEW), voucher=None, settle_number=None)
    with _locked(account_id):
        for withdrawal in waiting.order_by("id"):
            _number_end(withdrawal.pk, paid=False, reason=reason)
    settlements_finish(account_id=account_id)


def vouchers_open(*, account_id: int) -> bool:
    """Whether the account has withdrawals that a voucher was asked or granted for, and that have not ended."""
    return Withdrawal.objects.filter(account_id=account_id, state__in=Withdrawal.OPEN).exclude(voucher=None).exists()


def settlements_finish(*, account_id: int | None = None) -> None:
    """Carry out what was decided of withdrawals, and not told the engine, before a process ended or the engine did not answer."""
    decided = Withdrawal.objects.exclude(settle_number=None).filter(ended_at=None)
    if account_id is not None:
        decided = decided.filter(account_id=account_id)
    for withdrawal in decided.order_by("account_id", "settle_number"):
        assert withdrawal.paid is not None
        withdrawal_settle(withdrawal_id=withdrawal.pk, paid=withdrawal.paid)


def _asked(account: Account, amount_atoms: int, key: str, destination: str, leaving: bool) -> Withdrawal:
    with transaction.atomic():
        ChainAccount.objects.select_for_update().get(account=account)
        known = Withdrawal.objects.filter(account=account, key=key).first()
        if known is None:
            if not leaving:
                _check_size(account, amount_atoms)
            return Withdrawal.objects.create(account=account, key=key, amount_atoms=amount_atoms, destination=destination)
    if (known.amount_atoms, known.destination) != (amount_atoms, destination):
        raise WithdrawalKeyUsed
    return known


def _check_size(account: Account, amount_atoms: int) -> None:
    """Refuse dust and heaps: each open withdrawal is work with the chain, for which everybody's wait."""
    if amount_atoms < MIN_ATOMS:
        least = str(MIN_ATOMS // QUOTE_ATOMS)
        raise InvalidField("OUT_OF_RANGE", f"amount is at least {least} USDC.", field="amount", nearest=least)
    if Withdrawal.objects.filter(account=account, state__in=Withdrawal.OPEN).count() >= MAX_OPEN:
        raise TooManyWithdrawals(limit=MAX_OPEN)


def _try_debits(account_id: int) -> None:
    """Debit what an account has asked for, in that order: so whoever comes after a crash gives the same number to the same request."""
    try:
        with _locked(account_id):
            for withdrawal in Withdrawal.objects.filter(account_id=account_id, state=State.REQUESTED).order_by("id"):
                _debit(withdrawal)
    except GatewayError as error:
        log.warning("withdrawal_not_debited_yet", account_id=account_id, code=error.code)


def _debit(withdrawal: Withdrawal) -> None:
    """Move the money to what is pending, once: the engine knows the number."""
    number = _next(withdrawal, "debit_number")
    command = Withdraw(
        account_id=withdrawal.account_id,
        asset=withdrawal.asset,
        amount_atoms=withdrawal.amount_atoms,
        target_account_id=PENDING_WITHDRAWALS,
        number=number,
    )
    reply = gateway().submit(command)
    if reply.reject is not None and not done_before(reply, number):
        facts = " ".join(f"{name}={value}" for name, value in reply.reject.data.items())
        withdrawal.state, withdrawal.reason = State.REFUSED, f"{reply.reject.code} {facts}".strip()
        withdrawal.ended_at = timezone.now()
    else:
        # An exit is owed in time, whoever would like to look at it first.
        exits = ChainAccount.objects.filter(account_id=withdrawal.account_id).exclude(exit_requested_at=None).exists()
        withdrawal.debit_number = number
        withdrawal.state = State.REVIEW if withdrawal.amount_atoms >= REVIEW_ATOMS and not exits else State.HELD
        withdrawal.held_until = timezone.now() + (HOLD if settings.PRODUCTION and not exits else timedelta())
    withdrawal.save()
    log.info("withdrawal_asked", withdrawal=withdrawal.pk, account_id=withdrawal.account_id, state=withdrawal.state)


def _number_end(withdrawal_id: int, *, paid: bool, reason: str) -> Withdrawal:
    """Fix how a withdrawal ends, under the account's lock; what was fixed before stays."""
    withdrawal = Withdrawal.objects.get(pk=withdrawal_id)
    if withdrawal.settle_number is None:
        withdrawal.settle_number = _next(withdrawal, "settle_number")
        withdrawal.paid, withdrawal.reason = paid, reason
        withdrawal.save(update_fields=["settle_number", "paid", "reason"])
    return withdrawal


def _settle(withdrawal: Withdrawal) -> None:
    assert withdrawal.settle_number is not None
    assert withdrawal.paid is not None
    command = SettleWithdrawal(
        account_id=withdrawal.account_id,
        asset=withdrawal.asset,
        amount_atoms=withdrawal.amount_atoms,
        number=withdrawal.settle_number,
        paid=withdrawal.paid,
    )
    reply = gateway().submit(command)
    if reply.reject is not None and not done_before(reply, withdrawal.settle_number):
        raise Refused(reply.reject)
    withdrawal.state = State.PAID if withdrawal.paid else State.RETURNED
    withdrawal.ended_at = timezone.now()
    withdrawal.save(update_fields=["state", "ended_at"])
    log.info("withdrawal_ended", withdrawal=withdrawal.pk, account_id=withdrawal.account_id, state=withdrawal.state)


def done_before(reply: Reply, number: int) -> bool:
    """Tell whether the engine refuses a number because it has carried it out already."""
    return reply.reject is not None and reply.reject.code == "OUT_OF_SEQUENCE" and int(reply.reject.data["last_number"]) >= number


@contextmanager
def _locked(account_id: int) -> Iterator[None]:
    """Hold the account's row: numbers of one account are given and used by one process at a time."""
    with transaction.atomic():
        ChainAccount.objects.select_for_update().get(account_id=account_id)
        yield


def _next(withdrawal: Withdrawal, field: str) -> int:
    last = Withdrawal.objects.filter(account_id=withdrawal.account_id).aggregate(last=Max(field))["last"]
    return (last or 0) + 1


def _facts(text: str) -> dict[str, int | str]:
    pairs = (fact.partition("=") for fact in text.split())
    return {name: int(value) if value.lstrip("-").isdecimal() else value for name, _, value in pairs}
