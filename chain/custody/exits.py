"""Exits: who asked on chain to leave is paid without asking again, as soon as the account has no position.

The engine closes positions on the book, the owner may do so with reduce-only orders; staff are told. What is left then goes to the wallet:
the program lets the settler take an exiting account's voucher to its owner.
"""

import secrets
from datetime import timedelta
from typing import Any, Final

import structlog
from django.core.cache import cache
from django.utils import timezone
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature

from accounts.trading_keys import trading_keys_close
from chain.building import build
from chain.client import ChainClient
from chain.custody.instructions import WalletInstructions
from chain.custody.models import ChainAccount, Withdrawal
from chain.custody.selectors import balances_of
from chain.custody.withdrawals import withdrawal_request
from chain.deployment import Deployment
from chain.errors import ChainError, ChainUnavailable, SimulationFailed
from chain.outbox.faults import halting
from chain.outbox.queue import is_halted
from markets.commands import CloseAccount
from markets.errors import DomainError, GatewayError, Refused
from markets.gateway import gateway
from markets.queries import GetAccount

CLOSE_EVERY_S: Final = 5
ASK_AGAIN: Final = timedelta(minutes=1)  # after a refusal: the exchange's limit of the hour, say
State = Withdrawal.State
log = structlog.get_logger("custody")


def exits_advance(*, client: ChainClient, chain: Deployment) -> None:
    """Bring each open exit one step further. A fault halts its own account's, nobody else's."""
    for place in ChainAccount.objects.exclude(exit_requested_at=None).select_related("account").order_by("account_id"):
        shard = shard_of(place.account_id)
        if is_halted(shard):
            continue
        try:
            with halting(shard):
                _advance(client, chain, place)
        except (ChainUnavailable, GatewayError):
            raise  # nobody's exit gets on now
        except DomainError as error:
            log.error("exit_failed", account_id=place.account_id, code=error.code, error=error.message)


def shard_of(account_id: int) -> str:
    """Return where staff see, and release, an exit that met a fault."""
    return f"exit {account_id}"


def _advance(client: ChainClient, chain: Deployment, place: ChainAccount) -> None:
    user = chain.dex.program.account("User", client.account(Pubkey.from_string(place.address), commitment="finalized"))
    if user.exit_paid:
        _end(place)
    else:
        _pay(client, chain, place, user)


def _end(place: ChainAccount) -> None:
    ended = ChainAccount.objects.filter(pk=place.pk, exit_requested_at=place.exit_requested_at).update(exit_requested_at=None)
    trading_keys_close(account_id=place.account_id, closing=False)
    if ended:
        log.info("exit_paid", account_id=place.account_id)


def _pay(client: ChainClient, chain: Deployment, place: ChainAccount, user: Any) -> None:
    withdrawals = Withdrawal.objects.filter(account_id=place.account_id)
    waiting = list(withdrawals.filter(state__in=Withdrawal.OPEN))
    if not waiting and _is_all(place):
        _say_over(client, chain, place)
    elif not waiting:
        _ask(place, withdrawals)
    elif len(waiting) == 1 and _is_all(place) and not _ends_the_exit(client, chain, user, waiting[0]):
        return
    for withdrawal in withdrawals.filter(state=State.GRANTED, settle_number=None).order_by("id"):
        _take(client, chain, place, withdrawal)


def _say_over(client: ChainClient, chain: Deployment, place: ChainAccount) -> None:
    """End an exit that has nothing to pay, because losses took the last: the program looks for itself whether that is so."""
    if not cache.add(f"exit-ending-{place.account_id}", 1, timeout=CLOSE_EVERY_S):
        return
    wallet = WalletInstructions(chain, Pubkey.from_string(place.owner), place.sub_account)
    _send(client, chain, place, [wallet.end_exit()])


def _is_all(place: ChainAccount) -> bool:
    """Tell whether nothing is left in the engine to be asked for afterwards."""
    view = gateway().query(GetAccount(account_id=place.account_id))
    return view is not None and not view.positions and view.balances.get("USDC", 0) <= 0


def _ends_the_exit(client: ChainClient, chain: Deployment, user: Any, last: Withdrawal) -> bool:
    """Tell whether the last withdrawal leaves nothing behind: only one that does so makes the program call the exit paid.

    What the last trades took is in batches that must be final first.
    """
    exchange = chain.dex.read_exchange(client, commitment="finalized")
    waits = any(pending.epoch > exchange.final_epoch for pending in user.pending)
    return not waits and balances_of(user, exchange.final_epoch)[0] <= last.amount_atoms


def _ask(place: ChainAccount, withdrawals: Any) -> None:
    """Withdraw everything, once nothing is open any more; have closed what is."""
    view = gateway().query(GetAccount(account_id=place.account_id))
    if view is not None and view.positions:
        _close(place.account_id)
        return
    lately = withdrawals.filter(state=State.REFUSED, ended_at__gt=timezone.now() - ASK_AGAIN)
    if view is None or view.withdrawable_atoms <= 0 or lately.exists():
        return
    # Nobody can take the key beforehand. After a crash the row that it left is open, so there is no second one.
    key = f"exit {secrets.token_hex(16)}"
    try:
        withdrawal_request(account=place.account, amount_atoms=view.withdrawable_atoms, key=key, leaving=True)
    except Refused as refusal:
        log.error("exit_refused", account_id=place.account_id, code=refusal.code)


def _close(account_id: int) -> None:
    """Sell what the book takes, every so often: what it does not take now, it may a little later."""
    if cache.add(f"exit-closing-{account_id}", 1, timeout=CLOSE_EVERY_S):
        reply = gateway().submit(CloseAccount(account_id=account_id))
        if reply.reject is not None:
            log.error("exit_not_closed", account_id=account_id, code=reply.reject.code)


def _take(client: ChainClient, chain: Deployment, place: ChainAccount, withdrawal: Withdrawal) -> None:
    """Send the money to the owner's wallet. Sent twice, the second finds no voucher."""
    if _on_its_way(client, withdrawal):
        return
    assert withdrawal.voucher is not None
    settler = chain.keys.settler
    wallet = WalletInstructions(chain, Pubkey.from_string(place.owner), place.sub_account)
    taken = wallet.withdraw(
        number=withdrawal.voucher,
        amount_atoms=withdrawal.amount_atoms,
        destination=Pubkey.from_string(withdrawal.destination),
        markets=wallet.markets_held(client),
        settler=settler.pubkey(),
        signer=settler.pubkey(),
    )
    signature = _send(client, chain, place, [wallet.open_token_account(settler.pubkey()), taken])
    if signature is not None:
        Withdrawal.objects.filter(pk=withdrawal.pk).update(withdraw_signature=str(signature))


def _send(client: ChainClient, chain: Deployment, place: ChainAccount, instructions: list[Instruction]) -> Signature | None:
    try:
        signed = build(client=client, payer=chain.keys.settler, instructions=instructions)
        client.send(signed.transaction)
    except SimulationFailed as error:
        log.info("exit_waits", account_id=place.account_id, error=error.error)  # the last batches are not final yet
    except ChainError as error:
        log.warning("exit_waits", account_id=place.account_id, code=error.code, error=error.message)
    else:
        return signed.signature
    return None


def _on_its_way(client: ChainClient, withdrawal: Withdrawal) -> bool:
    """Tell whether what was sent before has landed and did not fail; its event then ends the withdrawal."""
    if not withdrawal.withdraw_signature:
        return False
    status = client.status(Signature.from_string(withdrawal.withdraw_signature))
    return status is not None and status.error is None
