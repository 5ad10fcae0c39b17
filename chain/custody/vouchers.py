"""Vouchers: the settler's word on chain that the engine has debited a withdrawal.

They are granted through the outbox, and taken back when they expire unused. Each account has a shard of its own, so that nobody waits for
another's: the shard's sequence is the number of vouchers that the program has counted for the account, and entry n grants voucher n.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
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
from chain.models import OutboxAttempt, OutboxEntry, OutboxShard
from chain.outbox.faults import halting
from chain.outbox.queue import enqueue, remove_last
from chain.outbox.route import ChainSequence
from chain.outbox.running import only_settler
from chain.outbox.settler import Settler, Step, ignore
from chain.settlement.reading import phase_of
from chain.settlement.stops import withdrawals_stopped
from markets.stamps import at_seconds

LIFE: Final = timedelta(hours=1)
LIFE_IN_PRODUCTION: Final = timedelta(days=3)  # a trade's proceeds are final only after their batch's challenge windows
SLOT_MS: Final = 400
CLOCK: Final = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
CLOCK_TIME_OFFSET: Final = 32
PAYLOAD: Final = struct.Struct("<QQ")  # withdrawal, amount
State = Withdrawal.State
log = structlog.get_logger("custody")


class VoucherRoute:
    """The outbox's route of one account's vouchers, each good for `life`."""

    def __init__(self, chain: Deployment, place: ChainAccount, *, life: timedelta) -> None:
        self.payer = chain.keys.settler
        self._chain, self._life = chain, life
        self._wallet = WalletInstructions(chain, Pubkey.from_string(place.owner), place.sub_account)

    def sequence(self, client: ChainClient, *, commitment: Commitment, min_slot: int) -> ChainSequence:
        account = client.account(self._wallet.user, commitment=commitment, min_slot=min_slot)
        return ChainSequence(seq=self._chain.dex.program.account("User", account).vouchers)

    def instructions(self, entry: OutboxEntry) -> list[Instruction]:
        """Each attempt states its own expiry, so that none comes too late; what holds is read from the chain."""
        _, amount = PAYLOAD.unpack(bytes(entry.payload))
        expires_at_s = int((timezone.now() + self._life).timestamp())
        settler = self.payer.pubkey()
        return [self._wallet.grant_voucher(number=entry.seq, amount_atoms=amount, expires_at_s=expires_at_s, settler=settler)]


def vouchers_advance(*, client: ChainClient, chain: Deployment, observe: Callable[[Step], None] = ignore) -> None:
    """Bring each open withdrawal one step further. A fault halts its account's shard, nobody else's."""
    held = Withdrawal.objects.filter(state=State.HELD)
    if held.exists():
        exchange = chain.dex.read_exchange(client, commitment="confirmed")
        if phase_of(exchange) == "Live":
            for withdrawal in [] if withdrawals_stopped() else _ready():
                _queue(withdrawal)
        # Tried while the exchange is not live, vouchers would count as broken: they leave the outbox until it is.
        bring = _grant if phase_of(exchange) == "Live" else _recall
        for withdrawal in _without_fault(held.exclude(voucher=None)):
            with halting(shard_of(withdrawal.account_id)):
                bring(client, _granter(chain, client, withdrawal, exchange, observe), withdrawal)
    granted = Withdrawal.objects.filter(state=State.GRANTED)
    if granted.exists():
        now = chain_time(client)
        for withdrawal in _without_fault(granted.filter(expires_at__lt=now)):
            with halting(shard_of(withdrawal.account_id)):
                _take_back(client, chain, withdrawal)


def voucher_life(exchange: Any) -> timedelta:
    """Return how long a voucher is good: not so long that one which an owner keeps could hold a fallback up until the exchange freezes."""
    life = LIFE_IN_PRODUCTION if settings.PRODUCTION else LIFE
    return min(life, timedelta(milliseconds=exchange.parameters.freeze_slots * SLOT_MS // 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Granter:
    """Who grants one account's vouchers: its place on chain, and its part of the outbox."""

    chain: Deployment
    place: ChainAccount
    settler: Settler


def _granter(chain: Deployment, client: ChainClient, withdrawal: Withdrawal, exchange: Any, observe: Callable[[Step], None]) -> Granter:
    place = ChainAccount.objects.get(account_id=withdrawal.account_id)
    route = VoucherRoute(chain, place, life=voucher_life(exchange))
    settler = Settler(shard=shard_of(place.account_id), client=client, route=route, observe=observe)
    return Granter(chain=chain, place=place, settler=settler)


def _without_fault(withdrawals: QuerySet[Withdrawal]) -> list[Withdrawal]:
    """Return, in order, those whose account's shard is not halted."""
    halted = set(OutboxShard.objects.exclude(halted_at=None).values_list("name", flat=True))
    return [one for one in withdrawals.order_by("id") if shard_of(one.account_id) not in halted]


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
    if Withdrawal.objects.filter(pk=withdrawal.pk, state=State.HELD, voucher=None, settle_number=None).exists():
        entry = enqueue(shard=shard_of(withdrawal.account_id), payload=PAYLOAD.pack(withdrawal.pk, withdrawal.amount_atoms))
        Withdrawal.objects.filter(pk=withdrawal.pk).update(voucher=entry.seq)


def _grant(client: ChainClient, granter: Granter, withdrawal: Withdrawal) -> None:
    """Do the next thing for the voucher; once its entry is final, note what the chain says of it."""
    shard = shard_of(withdrawal.account_id)
    with only_settler(shard) as alone:
        if not alone:
            return
        granter.settler.step()
        assert withdrawal.voucher is not None
        entry = OutboxEntry.objects.filter(shard_id=shard, seq=withdrawal.voucher, state=OutboxEntry.State.FINAL).first()
        if entry is not None:
            _note_grant(client, granter, withdrawal, entry)


def _recall(client: ChainClient, granter: Granter, withdrawal: Withdrawal) -> None:
    """Take a voucher that was never granted out of the outbox: in fallback its owner may withdraw what it is for by himself.

    What was signed for it is followed first, until it has landed or cannot land any more.
    """
    assert withdrawal.voucher is not None
    shard = shard_of(withdrawal.account_id)
    with only_settler(shard) as alone:
        entry = OutboxEntry.objects.filter(shard_id=shard, seq=withdrawal.voucher).first()
        if not alone or entry is None:
            return
        if entry.state == OutboxEntry.State.SENDING:
            granter.settler.step()
        elif entry.state == OutboxEntry.State.FINAL:
            _note_grant(client, granter, withdrawal, entry)
        else:
            _take_out(withdrawal, entry)


@transaction.atomic
def _take_out(withdrawal: Withdrawal, entry: OutboxEntry) -> None:
    if remove_last(entry=entry):
        Withdrawal.objects.filter(pk=withdrawal.pk, state=State.HELD).update(voucher=None)
        log.info("voucher_recalled", withdrawal=withdrawal.pk, voucher=withdrawal.voucher)


def _note_grant(client: ChainClient, granter: Granter, withdrawal: Withdrawal, entry: OutboxEntry) -> None:
    attempt = entry.attempts.get(state=OutboxAttempt.State.FINAL)
    assert withdrawal.voucher is not None
    place, program = granter.place, granter.chain.dex.program
    key = WalletInstructions(granter.chain, Pubkey.from_string(place.owner), place.sub_account).voucher(withdrawal.voucher)
    account = client.account(key, commitment="finalized", min_slot=attempt.slot)
    # A voucher that is gone was used at once: its event ends the withdrawal.
    expires_s = program.account("Voucher", account).expires_at if account is not None else None
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
