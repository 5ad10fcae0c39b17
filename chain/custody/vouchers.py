"""Vouchers: the settler's word on chain that the engine has debited a withdrawal.

They are granted through the outbox, and taken back when they expire unused. Each account has a shard of its own, so that nobody waits for
another's: the shard's sequence is the number of vouchers that the program has counted for the account, and entry n grants voucher n.
"""

import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from chain.building import build
from chain.client import ChainClient, Commitment
from chain.custody.indexer import last_number
from chain.custody.instructions import WalletInstructions
from chain.custody.models import ChainAccount, ChainEvent, Withdrawal
from chain.custody.withdrawals import withdrawal_settle
from chain.deployment import Deployment
from chain.errors import ChainError, SimulationFailed
from chain.models import OutboxAttempt, OutboxEntry
from chain.outbox.queue import enqueue
from chain.outbox.route import ChainSequence
from chain.outbox.running import only_settler
from chain.outbox.settler import Settler, Step, ignore
from chain.settlement.stops import withdrawals_stopped
from markets.stamps import at_seconds

LIFE: Final = timedelta(hours=1)
LIFE_IN_PRODUCTION: Final = timedelta(days=3)  # a trade's proceeds are final only after their batch's challenge windows
CLOCK: Final = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
CLOCK_TIME_OFFSET: Final = 32
PAYLOAD: Final = struct.Struct("<QQ")  # withdrawal, amount
State = Withdrawal.State
log = structlog.get_logger("custody")


class VoucherRoute:
    """The outbox's route of one account's vouchers."""

    def __init__(self, chain: Deployment, place: ChainAccount) -> None:
        self.payer = chain.keys.settler
        self._chain = chain
        self._wallet = WalletInstructions(chain, Pubkey.from_string(place.owner), place.sub_account)

    def sequence(self, client: ChainClient, *, commitment: Commitment, min_slot: int) -> ChainSequence:
        account = client.account(self._wallet.user, commitment=commitment, min_slot=min_slot)
        return ChainSequence(seq=self._chain.dex.program.account("User", account).vouchers)

    def instructions(self, entry: OutboxEntry) -> list[Instruction]:
        """Each attempt states its own expiry, so that none comes too late; what holds is read from the chain."""
        _, amount = PAYLOAD.unpack(bytes(entry.payload))
        life = LIFE_IN_PRODUCTION if settings.PRODUCTION else LIFE
        expires_at_s = int((timezone.now() + life).timestamp())
        settler = self.payer.pubkey()
        return [self._wallet.grant_voucher(number=entry.seq, amount_atoms=amount, expires_at_s=expires_at_s, settler=settler)]


def vouchers_advance(*, client: ChainClient, chain: Deployment, observe: Callable[[Step], None] = ignore) -> None:
    """Bring each open withdrawal one step further."""
    held = Withdrawal.objects.filter(state=State.HELD)
    if held.exists() and _is_live(client, chain):
        for withdrawal in [] if withdrawals_stopped() else _ready():
            _queue(withdrawal)
        for withdrawal in held.exclude(voucher=None).order_by("id"):
            _grant(client, chain, withdrawal, observe)
    granted = Withdrawal.objects.filter(state=State.GRANTED)
    if granted.exists():
        now = chain_time(client)
        for withdrawal in granted.filter(expires_at__lt=now).order_by("id"):
            _take_back(client, chain, withdrawal)


def _is_live(client: ChainClient, chain: Deployment) -> bool:
    """Tell whether the program grants vouchers now. Those on their way wait for its return: tried meanwhile, they would count as broken."""
    return type(chain.dex.read_exchange(client, commitment="confirmed").phase).__name__ == "Live"


def chain_time(client: ChainClient) -> datetime:
    """Return the finalized clock of the chain: what expired by it cannot be used any more."""
    account = client.account(CLOCK, commitment="finalized")
    assert account is not None
    (seconds,) = struct.unpack_from("<q", bytes(account.data), CLOCK_TIME_OFFSET)
    return at_seconds(seconds)


def shard_of(account_id: int) -> str:
    return f"vouchers {account_id}"


def _ready() -> list[Withdrawal]:
    """Return what was held long enough, where the account is on chain."""
    held = Withdrawal.objects.filter(state=State.HELD, voucher=None, settle_number=None, held_until__lte=timezone.now())
    return list(held.filter(account__chain_account__created_at__isnull=False).order_by("id")[:100])


@transaction.atomic
def _queue(withdrawal: Withdrawal) -> None:
    ChainAccount.objects.select_for_update().get(account_id=withdrawal.account_id)
    if Withdrawal.objects.filter(pk=withdrawal.pk, state=State.HELD, voucher=None).exists():
        entry = enqueue(shard=shard_of(withdrawal.account_id), payload=PAYLOAD.pack(withdrawal.pk, withdrawal.amount_atoms))
        Withdrawal.objects.filter(pk=withdrawal.pk).update(voucher=entry.seq)


def _grant(client: ChainClient, chain: Deployment, withdrawal: Withdrawal, observe: Callable[[Step], None]) -> None:
    """Do the next thing for the voucher; once its entry is final, note what the chain says of it."""
    shard = shard_of(withdrawal.account_id)
    place = ChainAccount.objects.get(account_id=withdrawal.account_id)
    with only_settler(shard) as alone:
        if not alone:
            return
        Settler(shard=shard, client=client, route=VoucherRoute(chain, place), observe=observe).step()
        assert withdrawal.voucher is not None
        entry = OutboxEntry.objects.filter(shard_id=shard, seq=withdrawal.voucher, state=OutboxEntry.State.FINAL).first()
        if entry is not None:
            _note_grant(client, chain, place, withdrawal, entry)


def _note_grant(client: ChainClient, chain: Deployment, place: ChainAccount, withdrawal: Withdrawal, entry: OutboxEntry) -> None:
    attempt = entry.attempts.get(state=OutboxAttempt.State.FINAL)
    assert withdrawal.voucher is not None
    key = WalletInstructions(chain, Pubkey.from_string(place.owner), place.sub_account).voucher(withdrawal.voucher)
    account = client.account(key, commitment="finalized", min_slot=attempt.slot)
    # A voucher that is gone was used at once: its event ends the withdrawal.
    expires_s = chain.dex.program.account("Voucher", account).expires_at if account is not None else None
    Withdrawal.objects.filter(pk=withdrawal.pk, state=State.HELD).update(
        state=State.GRANTED,
        granted_at=timezone.now(),
        grant_signature=attempt.signature,
        expires_at=at_seconds(expires_s) if expires_s is not None else None,
    )


def _take_back(client: ChainClient, chain: Deployment, withdrawal: Withdrawal) -> None:
    """Close an expired voucher; when it is gone without having been used, the money returns to the account."""
    assert withdrawal.voucher is not None
    place = ChainAccount.objects.get(account_id=withdrawal.account_id)
    wallet = WalletInstructions(chain, Pubkey.from_string(place.owner), place.sub_account)
    account, slot = client.account_and_slot(wallet.voucher(withdrawal.voucher), commitment="finalized")
    if account is not None:
        _close(client, chain, wallet, withdrawal)
        return
    exchange = chain.dex.read_exchange(client, commitment="finalized", min_slot=slot)
    if last_number() < exchange.chain_events:
        return  # how it went may be among the events that were not read yet
    used = ChainEvent.objects.filter(kind="Withdrawn", account_address=place.address, data__voucher=withdrawal.voucher)
    if not used.exists():
        withdrawal_settle(withdrawal_id=withdrawal.pk, paid=False, reason="The voucher expired unused.")


def _close(client: ChainClient, chain: Deployment, wallet: WalletInstructions, withdrawal: Withdrawal) -> None:
    """Send what closes the voucher. Sent twice, the second fails and nothing is lost but its fee."""
    assert withdrawal.voucher is not None
    settler = chain.keys.settler
    try:
        instruction = wallet.return_voucher(number=withdrawal.voucher, settler=settler.pubkey())
        signed = build(client=client, payer=settler, instructions=[instruction])
        client.send(signed.transaction)
    except SimulationFailed as error:
        log.info("voucher_not_returned_yet", withdrawal=withdrawal.pk, error=error.error)  # the first one is about to land
    except ChainError as error:
        log.warning("voucher_not_returned_yet", withdrawal=withdrawal.pk, code=error.code, error=error.message)
    else:
        Withdrawal.objects.filter(pk=withdrawal.pk).update(return_signature=str(signed.signature))
