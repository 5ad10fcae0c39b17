from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from markets.ledger import FIRST_USER_ACCOUNT


class User(AbstractUser):
    """A person or an institution that logs in. Without an active account the first one is it."""

    active_account = models.ForeignKey("Account", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")


class AccountQuerySet(models.QuerySet["Account"]):
    def for_user(self, user: User) -> "AccountQuerySet":
        return self.filter(owner=user)


class Account(models.Model):
    """A ledger account: a user's trading account, or one of the exchange's own (markets.ledger), which nobody owns."""

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts")
    name = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="account_name_unique_per_owner")]

    def __str__(self) -> str:
        return f"{self.id} {self.name}"


class Balance(models.Model):
    """Settled money per account and asset; the sum of its ledger transfers. Written by the projector only."""

    pk = models.CompositePrimaryKey("account_id", "asset")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="balances")
    asset = models.CharField(max_length=12)
    amount_atoms = models.BigIntegerField()


class LedgerTransfer(models.Model):
    """Double entry: every row debits one account and credits another. Append-only, written by the projector only."""

    id = models.BigIntegerField(primary_key=True)  # journal seq x 2^20 + place in the batch
    debit_account = models.ForeignKey(Account, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="debits")
    credit_account = models.ForeignKey(Account, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="credits")
    asset = models.CharField(max_length=12)
    amount_atoms = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    trade_id = models.BigIntegerField(null=True)
    reason = models.TextField(blank=True)
    posted_at = models.DateTimeField()

    class Meta:
        # One side of nearly every transfer is an account of the exchange, which is read by time, not by account.
        indexes = [
            models.Index(fields=[side, "id"], name=f"ledger_by_{side}", condition=models.Q((f"{side}__gte", FIRST_USER_ACCOUNT)))
            for side in ("debit_account", "credit_account")
        ]
        constraints = [
            models.CheckConstraint(name="ledger_amount_positive", condition=models.Q(amount_atoms__gt=0)),
            models.CheckConstraint(name="ledger_sides_differ", condition=~models.Q(debit_account=models.F("credit_account"))),
        ]


class ApiKey(models.Model):
    """A program's key to one account. The secret is stored encrypted, as HMAC needs it back, and shown once."""

    key_id = models.CharField(max_length=40, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="api_keys")
    label = models.CharField(max_length=40)
    secret_sealed = models.BinaryField()
    can_trade = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.key_id} {self.label}"


class TradingKey(models.Model):
    """A key that its account's owner registered on chain to sign orders; it can never withdraw. Written by the chain's indexer only.

    `owner` is the wallet that owns the account on chain: signed orders name it. A custodied key is the platform's.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="trading_keys")
    owner = models.CharField(max_length=44)
    key = models.CharField(max_length=44)
    market_id = models.BigIntegerField(null=True, blank=True)  # none: every market
    cap_atoms = models.DecimalField(max_digits=20, decimal_places=0)  # of one order's value at its limit; 64 bits without a sign
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    custodied = models.BooleanField(default=False)
    closing_only = models.BooleanField(default=False)  # its owner asked for an exit: only what reduces is taken

    class Meta:
        ordering = ["-created_at", "key"]
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="trading_key_once_per_account")]

    def __str__(self) -> str:
        return self.key


from accounts.approvals.models import Approval as Approval  # noqa: E402, PLC0414 - Django looks for models here
from accounts.approvals.models import ApprovalStep as ApprovalStep  # noqa: E402, PLC0414
