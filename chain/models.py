"""The outbox: what is to happen on chain, in order, and each attempt at it.

An entry follows from the one before it by its hash. An attempt is stored before it is sent, so that whoever comes after a crash knows
every signature that might land.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone

NO_HASH = bytes(32)


class OutboxShard(models.Model):
    """A sequence of its own. `halted_at` is set when its next entry cannot be settled: staff must look."""

    name = models.CharField(primary_key=True, max_length=40)
    last_seq = models.BigIntegerField(default=0)
    last_hash = models.BinaryField(default=NO_HASH)
    halted_at = models.DateTimeField(null=True, blank=True)
    halt_reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


class OutboxEntry(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued"  # no transaction for it can land any more, or none was signed yet
        SENDING = "sending"  # there is one open attempt
        FINAL = "final"
        QUARANTINED = "quarantined"  # it failed, and would fail again

    shard = models.ForeignKey(OutboxShard, on_delete=models.PROTECT, related_name="entries")
    seq = models.BigIntegerField()
    prev_hash = models.BinaryField()
    hash = models.BinaryField()
    payload = models.BinaryField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finalized_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["shard", "seq"]
        verbose_name_plural = "outbox entries"
        constraints = [
            models.UniqueConstraint(fields=["shard", "seq"], name="outbox_seq_unique_per_shard"),
            models.UniqueConstraint(fields=["shard"], condition=Q(state="sending"), name="outbox_one_in_flight_per_shard"),
        ]
        indexes = [models.Index(fields=["shard", "seq"], condition=~Q(state="final"), name="outbox_unfinished")]

    def __str__(self) -> str:
        return f"{self.shard_id} {self.seq}"


class OutboxAttempt(models.Model):
    class State(models.TextChoices):
        OPEN = "open"  # it can still land
        FINAL = "final"
        FAILED = "failed"
        EXPIRED = "expired"

    entry = models.ForeignKey(OutboxEntry, on_delete=models.PROTECT, related_name="attempts")
    signature = models.CharField(max_length=88, unique=True)
    transaction = models.BinaryField()
    last_valid_block_height = models.BigIntegerField()
    content = models.BinaryField(default=b"")
    last = models.BooleanField(default=True)  # of its entry; the others' places are told by the program
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_sent_at = models.DateTimeField(null=True, blank=True)
    sends = models.IntegerField(default=0)
    slot = models.BigIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        # Parts follow each other before they are final, each on a fork that has the one before; the last is alone.
        constraints = [
            models.UniqueConstraint(fields=["entry"], condition=Q(state="open", last=True), name="outbox_one_open_last_part_per_entry")
        ]

    def __str__(self) -> str:
        return self.signature


from chain.custody.models import ChainAccount as ChainAccount  # noqa: E402, PLC0414 - Django looks for models here
from chain.custody.models import ChainCursor as ChainCursor  # noqa: E402, PLC0414
from chain.custody.models import ChainEvent as ChainEvent  # noqa: E402, PLC0414
from chain.custody.models import Wallet as Wallet  # noqa: E402, PLC0414
from chain.custody.models import WalletChallenge as WalletChallenge  # noqa: E402, PLC0414
from chain.custody.models import Withdrawal as Withdrawal  # noqa: E402, PLC0414
from chain.custody.models import WithdrawalAddress as WithdrawalAddress  # noqa: E402, PLC0414
from chain.settlement.models import BatchAccount as BatchAccount  # noqa: E402, PLC0414
from chain.settlement.models import BookedTrade as BookedTrade  # noqa: E402, PLC0414
from chain.settlement.models import Challenged as Challenged  # noqa: E402, PLC0414
from chain.settlement.models import Reconciliation as Reconciliation  # noqa: E402, PLC0414
from chain.settlement.models import SettledAccount as SettledAccount  # noqa: E402, PLC0414
from chain.settlement.models import SettledPosition as SettledPosition  # noqa: E402, PLC0414
from chain.settlement.models import SettlementBatch as SettlementBatch  # noqa: E402, PLC0414
from chain.settlement.models import SignedOrderRecord as SignedOrderRecord  # noqa: E402, PLC0414
