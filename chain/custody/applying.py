"""What follows from the chain's events here: money in, money out, keys, exits. Each event's effect happens once.

Every effect is one that the engine or the tables know to be done when it comes again, so a kill between an effect and its note is harmless.
What cannot be applied stays `new` with its reason and holds back the account's later events; the others go on.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog
from django.utils import timezone
from solders.pubkey import Pubkey

from accounts.models import Account
from accounts.trading_keys import trading_key_save, trading_keys_close
from chain.client import ChainClient
from chain.custody.instructions import EVERY_MARKET, USDC_INDEX, trading_key_address
from chain.custody.models import ChainAccount, ChainEvent, Withdrawal
from chain.custody.trades import KINDS, parties, trade_of
from chain.custody.wallets import place_open, wallet_place
from chain.custody.withdrawals import done_before, vouchers_open, withdrawal_settle, withdrawals_drop
from chain.deployment import INSURANCE_SUB_ACCOUNT, Deployment
from chain.outbox.faults import fault_text, is_fault
from markets.commands import BookChainTrade, CancelAll, CancelNonces, Deposit, Withdraw
from markets.errors import DomainError, GatewayError, Refused
from markets.gateway import gateway
from markets.ledger import CUSTODY, FIRST_USER_ACCOUNT, INSURANCE
from markets.queries import GetAccount
from markets.stamps import at, at_seconds

BATCH: Final = 500
State = ChainEvent.State
log = structlog.get_logger("custody")


class CannotApply(DomainError):
    code = "CHAIN_EVENT_HELD"


def apply_new(*, client: ChainClient, chain: Deployment) -> int:
    """Apply what was stored and not applied yet, in order; return how many events were. GatewayError: the engine does not answer."""
    held: set[str] = set()
    done = 0
    for event in ChainEvent.objects.filter(state=State.NEW).order_by("number")[:BATCH]:
        concerned = parties(event)
        if not held.isdisjoint(concerned) and not _waits_for_nothing(event):
            held |= concerned  # what follows for the other side comes after this, too
            continue
        try:
            state = _apply(event, client, chain)
        except GatewayError:
            raise
        except Exception as error:
            if not (isinstance(error, DomainError) or is_fault(error)):
                raise
            held |= concerned
            _hold(event, f"{error.code}: {error.message}" if isinstance(error, DomainError) else fault_text(error))
            continue
        done += ChainEvent.objects.filter(pk=event.pk, state=State.NEW).update(state=state, applied_at=timezone.now(), error="")
    return done


def _waits_for_nothing(event: ChainEvent) -> bool:
    """Whether it may come before what is held: money that came in, or went out of what was debited already, may be what that one lacks."""
    return event.kind == "Deposited" or (event.kind == "Withdrawn" and event.data.get("voucher") != 0)


def _apply(event: ChainEvent, client: ChainClient, chain: Deployment) -> str:
    if event.kind in KINDS:
        return _traded(event, client, chain)
    handler = HANDLERS.get(event.kind)
    if handler is None:
        raise CannotApply(f"{event.kind} is an event that this exchange does not know.")
    account_id = _account_id(event.account_address, client, chain)
    if account_id is None:
        return State.UNKNOWN
    if account_id < FIRST_USER_ACCOUNT:
        return State.NOTED  # the exchange's own accounts are funded by the operator
    return handler(event, account_id, client, chain)


def _deposited(event: ChainEvent, account_id: int, client: ChainClient, chain: Deployment) -> str:
    _check_usdc(event)
    reply = gateway().submit(
        Deposit(
            account_id=account_id,
            asset="USDC",
            amount_atoms=event.data["amount"],
            number=event.data["deposit"],
            source_account_id=CUSTODY,
        )
    )
    if reply.reject is not None and not done_before(reply, event.data["deposit"]):
        if reply.reject.code == "OUT_OF_SEQUENCE":
            _look_again(event)
        raise Refused(reply.reject)
    return State.APPLIED


def _look_again(event: ChainEvent) -> None:
    """What came while the account was nobody's is due first, now that it is somebody's."""
    before = ChainEvent.objects.filter(account_address=event.account_address, number__lt=event.number, state=State.UNKNOWN)
    before.update(state=State.NEW)


def _withdrawn(event: ChainEvent, account_id: int, client: ChainClient, chain: Deployment) -> str:
    _check_usdc(event)
    if event.data["voucher"] == 0:
        return _withdrawn_in_fallback(event, account_id)
    withdrawal = Withdrawal.objects.filter(account_id=account_id, voucher=event.data["voucher"]).first()
    if withdrawal is None or withdrawal.amount_atoms != event.data["amount"]:
        raise CannotApply(f"Voucher {event.data['voucher']} is not one of this exchange's.")
    Withdrawal.objects.filter(pk=withdrawal.pk).update(withdraw_signature=event.signature)
    withdrawal_settle(withdrawal_id=withdrawal.pk, paid=True)
    return State.APPLIED


def _withdrawn_in_fallback(event: ChainEvent, account_id: int) -> str:
    """Debit what the owner took by himself while the operator was silent; numbered by the events themselves.

    What is on its way out otherwise comes back first; where that has a voucher, it waits until the voucher has ended.
    """
    before = ChainEvent.objects.filter(kind="Withdrawn", account_address=event.account_address, number__lt=event.number)
    number = sum(data["voucher"] == 0 for data in before.values_list("data", flat=True)) + 1
    amount = event.data["amount"]
    view = gateway().query(GetAccount(account_id=account_id))
    if view is None or view.withdrawable_atoms < amount:
        withdrawals_drop(account_id=account_id, reason="The owner withdrew on chain, without the operator.")
        _check_vouchers(account_id, amount)
    reply = gateway().submit(Withdraw(account_id=account_id, asset="USDC", amount_atoms=amount, target_account_id=CUSTODY, number=number))
    if reply.reject is not None and not done_before(reply, number):
        raise Refused(reply.reject)
    return State.APPLIED


def _check_vouchers(account_id: int, amount_atoms: int) -> None:
    """Wait with what takes what a voucher is for: debited now it would leave a debt, which others would pay before the voucher returns."""
    view = gateway().query(GetAccount(account_id=account_id))
    if vouchers_open(account_id=account_id) and (view is None or view.withdrawable_atoms < amount_atoms):
        raise CannotApply("It takes what a voucher is for: it is booked when that is used or has expired.")


def _key_changed(event: ChainEvent, account_id: int, client: ChainClient, chain: Deployment) -> str:
    """Take over the key as the chain has it now, whichever event told of it."""
    user, key = Pubkey.from_string(event.account_address), Pubkey.from_string(event.data["key"])
    account = client.account(trading_key_address(chain, user, key), commitment="finalized", min_slot=event.slot)
    registered = chain.dex.program.account("TradingKey", account)
    owner, _ = chain.owner_of(account_id)
    trading_key_save(
        account_id=account_id,
        owner=bytes(owner),
        key=bytes(key),
        market_id=None if registered.market_id == EVERY_MARKET else registered.market_id,
        cap_atoms=registered.cap_atoms,
        created_at=at(registered.created_ms),
        expires_at=_moment(registered.expires_ms),
        revoked_at=at(registered.revoked_ms) if registered.revoked_ms else None,
        custodied=registered.custodied,
    )
    if ChainAccount.objects.filter(account_id=account_id).exclude(exit_requested_at=None).exists():
        trading_keys_close(account_id=account_id, closing=True)
    return State.APPLIED


def _nonces_cancelled(event: ChainEvent, account_id: int, client: ChainClient, chain: Deployment) -> str:
    """End what the owner has signed so far: none of it may be filled from now on."""
    reply = gateway().submit(CancelNonces(account_id=account_id, min_nonce=event.data["min_nonce"]))
    if reply.reject is not None:
        raise Refused(reply.reject)
    return State.APPLIED


def _exit_requested(event: ChainEvent, account_id: int, client: ChainClient, chain: Deployment) -> str:
    """Stop the account's trading; it must be closed and paid in the time that the program gives (exits)."""
    requested_at = at_seconds(event.data["requested_at"])
    ChainAccount.objects.filter(account_id=account_id).update(exit_requested_at=requested_at)
    trading_keys_close(account_id=account_id, closing=True)
    reply = gateway().submit(CancelAll(account_id=account_id))
    if reply.reject is not None:
        raise Refused(reply.reject)
    log.error("exit_requested", account_id=account_id, requested_at=requested_at.isoformat())
    return State.APPLIED


def _traded(event: ChainEvent, client: ChainClient, chain: Deployment) -> str:
    """Have the engine take over what was matched or liquidated on chain."""
    trade = trade_of(event)
    sides = {address: _account_id(address, client, chain) for address in (trade.buyer, trade.seller)}
    buyer, seller = sides[trade.buyer], sides[trade.seller]
    if buyer is None or seller is None:
        raise CannotApply("One side of it is an account of the custodian's that no ledger account has.")
    reply = gateway().submit(
        BookChainTrade(
            market_id=trade.market_id,
            buyer_account_id=buyer,
            seller_account_id=seller,
            size_lots=trade.size_lots,
            quote_atoms=trade.quote_atoms,
            number=trade.number,
            liquidated_account_id=(sides[trade.liquidated] or 0) if trade.liquidated else 0,
            fee_atoms=trade.fee_atoms,
            buy_order=trade.buy_order,
            sell_order=trade.sell_order,
        )
    )
    if reply.reject is not None and not done_before(reply, trade.number):
        raise Refused(reply.reject)
    return State.APPLIED


def _account_id(address: str, client: ChainClient, chain: Deployment) -> int | None:
    """Return the ledger account that has this place on chain; None for one that is nobody's here."""
    linked = ChainAccount.objects.filter(address=address).values_list("account_id", flat=True).first()
    if linked is not None:
        return linked
    user = chain.dex.program.account("User", client.account(Pubkey.from_string(address), commitment="finalized"))
    if user.owner == chain.authority and user.sub_account == INSURANCE_SUB_ACCOUNT:
        return INSURANCE
    if user.owner not in {chain.authority, chain.custodian}:
        # A wallet that nobody linked: whoever owns it is owed what it brings all the same, and can leave.
        place = wallet_place(user.owner, user.sub_account, chain)
        place_open(place)
        return place.account_id
    if user.owner != chain.custodian or not Account.objects.filter(id=user.sub_account).exists():
        return None
    # The custodian's place of an account that has a wallet of its own is not that account's.
    return None if ChainAccount.objects.filter(account_id=user.sub_account).exists() else int(user.sub_account)


def _check_usdc(event: ChainEvent) -> None:
    if event.data["asset"] != USDC_INDEX:
        raise CannotApply("Only USDC lives on chain.")


def _hold(event: ChainEvent, reason: str) -> None:
    changed = ChainEvent.objects.filter(pk=event.pk).exclude(error=reason).update(error=reason)
    if changed:
        log.error("chain_event_held", number=event.number, kind=event.kind, reason=reason)


def _moment(time_ms: int) -> datetime:
    """Return a time; what the chain allows beyond the calendar ends with it."""
    latest = datetime.max.replace(tzinfo=UTC)
    return at(time_ms) if time_ms < int(latest.timestamp()) * 1_000 else latest


HANDLERS: Final[dict[str, Callable[[ChainEvent, int, ChainClient, Deployment], str]]] = {
    "Deposited": _deposited,
    "Withdrawn": _withdrawn,
    "KeyRegistered": _key_changed,
    "KeyRevoked": _key_changed,
    "NoncesCancelled": _nonces_cancelled,
    "ExitRequested": _exit_requested,
}
