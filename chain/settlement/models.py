"""Batches as they were made, what has been settled of each account, and what watching the chain found.

Rows of batches are written once, with their outbox entry; what the chain made of them is added when they are final.
"""

from django.db import models
from django.utils import timezone

from chain.custody.models import ADDRESS_LENGTH


class SettlementBatch(models.Model):
    """The journal from after the batch before up to `journal_place` events of row `journal_seq`."""

    seq = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField("chain.OutboxEntry", on_delete=models.PROTECT, related_name="batch")
    journal_seq = models.BigIntegerField()
    journal_place = models.IntegerField()  # of that row's events, how many are settled; -1: all
    begin_ms = models.BigIntegerField()
    end_ms = models.BigIntegerField()
    accounts = models.IntegerField()
    last_trade_id = models.BigIntegerField()
    funding = models.JSONField(default=dict)  # market: [hour, index_e8, rate_ppb]
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # As the program has it, once it is final there
    chain_events = models.BigIntegerField(null=True, blank=True)
    epoch = models.BigIntegerField(null=True, blank=True)
    prev_hash = models.BinaryField(null=True, blank=True)
    hash = models.BinaryField(null=True, blank=True)
    root = models.BinaryField(null=True, blank=True)
    deadline = models.BigIntegerField(null=True, blank=True)  # last second in which it can be challenged
    terms = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["seq"]
        verbose_name_plural = "settlement batches"
        indexes = [models.Index(fields=["last_trade_id"], name="batch_by_trade")]

    def __str__(self) -> str:
        return f"batch {self.seq}"


class BatchAccount(models.Model):
    """One account of a batch, in the order of addresses: its leaves, and what it had on chain before."""

    batch = models.ForeignKey(SettlementBatch, on_delete=models.PROTECT, related_name="account_changes")
    place = models.IntegerField()
    account_id = models.BigIntegerField()
    address = models.CharField(max_length=ADDRESS_LENGTH)
    custodied = models.BooleanField()
    leaves = models.JSONField()
    before = models.JSONField(null=True, blank=True)  # [slot, amount]; known when the last part is signed

    class Meta:
        ordering = ["batch", "place"]
        constraints = [models.UniqueConstraint(fields=["batch", "place"], name="batch_account_unique_place")]
        indexes = [models.Index(fields=["account_id", "batch"], name="batch_account_by_account")]

    def __str__(self) -> str:
        return f"batch {self.batch_id}, account {self.account_id}"


class BookedTrade(models.Model):
    """A trade made on chain that a batch has taken into the books: what is settled of its accounts includes it from there on."""

    number = models.BigIntegerField(primary_key=True)  # of the chain's event
    batch = models.ForeignKey(SettlementBatch, on_delete=models.PROTECT, related_name="booked_trades")

    def __str__(self) -> str:
        return f"event {self.number}"


class SettledAccount(models.Model):
    """What all batches that were made, and trades made on chain, say of an account: USDC less costs, without the vault's own moves."""

    account_id = models.BigIntegerField(primary_key=True)
    balance_atoms = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"account {self.account_id}"


class SettledPosition(models.Model):
    pk = models.CompositePrimaryKey("account_id", "market_id")
    account_id = models.BigIntegerField()
    market_id = models.IntegerField()
    lots = models.BigIntegerField()
    cost_atoms = models.BigIntegerField()

    def __str__(self) -> str:
        return f"account {self.account_id}, market {self.market_id}"


class SignedOrderRecord(models.Model):
    """An order as its owner signed it: what a challenge is answered with, and what is filled of it."""

    digest = models.CharField(max_length=64, primary_key=True)
    account_id = models.BigIntegerField()
    order_id = models.BigIntegerField(db_index=True)
    signed = models.BinaryField()
    size_lots = models.BigIntegerField()
    expiry_ms = models.BigIntegerField()
    filled_lots = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "signed order"
        constraints = [
            models.CheckConstraint(name="signed_order_not_overfilled", condition=models.Q(filled_lots__lte=models.F("size_lots")))
        ]
        indexes = [
            models.Index(fields=["expiry_ms"], condition=models.Q(filled_lots__lt=models.F("size_lots")), name="signed_order_fillable")
        ]

    def __str__(self) -> str:
        return self.digest


class Challenged(models.Model):
    """A demand to see an account's leaves in a batch, as it was last seen on chain."""

    address = models.CharField(max_length=ADDRESS_LENGTH, primary_key=True)
    batch_seq = models.BigIntegerField()
    account_address = models.CharField(max_length=ADDRESS_LENGTH)
    challenger = models.CharField(max_length=ADDRESS_LENGTH)
    proven = models.BooleanField(default=False)
    answered = models.BooleanField(default=False)
    deadline = models.BigIntegerField(default=0)
    leaves = models.IntegerField()
    shown = models.IntegerField(default=0)
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    error = models.TextField(blank=True)  # why it could not be answered the last time

    class Meta:
        ordering = ["-batch_seq"]
        verbose_name = "challenge"

    def __str__(self) -> str:
        return f"challenge of batch {self.batch_seq}"


class Reconciliation(models.Model):
    """One comparison of vault, program and ledger. A difference stops withdrawals; nothing is ever corrected by it."""

    checked_at = models.DateTimeField(default=timezone.now, editable=False)
    slot = models.BigIntegerField()
    batch_seq = models.BigIntegerField()
    phase = models.CharField(max_length=12)
    exchange = models.JSONField(default=dict)  # epochs, challenges, and what a frozen exchange has come to
    vault_atoms = models.BigIntegerField()
    total_atoms = models.BigIntegerField()
    users_atoms = models.BigIntegerField()
    accounts = models.IntegerField()
    compared = models.IntegerField()  # accounts that the ledger was compared for; 0 while events of the chain were on their way
    differences = models.JSONField(default=list)
    ok = models.BooleanField()
    accepted_by = models.CharField(max_length=150, blank=True)  # staff who let withdrawals go on after a difference
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], condition=models.Q(ok=False, accepted_at=None), name="reconciliation_stopping")]

    def __str__(self) -> str:
        return f"{self.checked_at:%Y-%m-%d %H:%M:%S}: {'equal' if self.ok else 'different'}"
