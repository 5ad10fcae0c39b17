"""Who owns what on chain, what the chain told, and what is on its way out."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account

ADDRESS_LENGTH = 44
SIGNATURE_LENGTH = 88


class Wallet(models.Model):
    """A wallet whose key has signed for this person. It owns one account on chain, and never another's."""

    address = models.CharField(max_length=ADDRESS_LENGTH, unique=True)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="wallet")
    proven_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.address


class WalletChallenge(models.Model):
    """A message to be signed, once, by the wallet that it names. Gone when it was used."""

    nonce = models.CharField(max_length=32, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    address = models.CharField(max_length=ADDRESS_LENGTH)
    message = models.TextField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "address"], name="wallet_challenge_asked")]

    def __str__(self) -> str:
        return self.nonce


class ChainAccount(models.Model):
    """A trading account that its owner's wallet holds on chain; all other accounts are the custodian's (chain.deployment)."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="chain_account")
    owner = models.CharField(max_length=ADDRESS_LENGTH)
    sub_account = models.IntegerField(default=0)
    address = models.CharField(max_length=ADDRESS_LENGTH, unique=True)
    created_at = models.DateTimeField(null=True, blank=True)  # found on chain, finalized
    create_signature = models.CharField(max_length=SIGNATURE_LENGTH, blank=True)
    exit_requested_at = models.DateTimeField(null=True, blank=True)  # on chain; from then on the account only closes

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "sub_account"], name="chain_account_one_per_owner_and_number")]

    def __str__(self) -> str:
        return self.address


class ChainEvent(models.Model):
    """One of the events that the exchange's program counts. The numbers run on from 1: a gap is a fault, never skipped."""

    class State(models.TextChoices):
        NEW = "new"
        APPLIED = "applied"
        NOTED = "noted"  # nothing follows from it here
        UNKNOWN = "unknown"  # of an account that is nobody's yet: applied once its owner links the wallet

    number = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=24)
    account_address = models.CharField(max_length=ADDRESS_LENGTH, blank=True, db_index=True)
    signature = models.CharField(max_length=SIGNATURE_LENGTH)
    slot = models.BigIntegerField()
    happened_at = models.DateTimeField(null=True)
    data = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW)
    applied_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)  # why it could not be applied yet

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["number"], condition=Q(state="new"), name="chain_event_new")]

    def __str__(self) -> str:
        return f"{self.number} {self.kind}"


class ChainCursor(models.Model):
    """How far the program's transactions were read; one row. `halt_reason` says why reading stopped: staff must look."""

    id = models.IntegerField(primary_key=True, default=1)
    genesis_hash = models.CharField(max_length=ADDRESS_LENGTH)
    signature = models.CharField(max_length=SIGNATURE_LENGTH, blank=True)
    slot = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(null=True, blank=True)
    halt_reason = models.TextField(blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="chain_cursor_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return f"slot {self.slot}"


class WithdrawalAddress(models.Model):
    """A token account of the owner's wallet to which withdrawals may go, from `usable_at` on."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="withdrawal_addresses")
    address = models.CharField(max_length=ADDRESS_LENGTH)
    label = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    usable_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["account", "address"], name="withdrawal_address_once_per_account")]

    def __str__(self) -> str:
        return f"{self.label} {self.address}"


class Withdrawal(models.Model):
    """Money on its way to the owner's wallet. `debit_number`, `voucher` and `settle_number` make each step happen once."""

    class State(models.TextChoices):
        REQUESTED = "requested"  # the engine has not answered yet
        HELD = "held"  # debited; waits for its hold, then for its voucher to be final on chain
        REVIEW = "review"  # debited; two people decide
        GRANTED = "granted"  # the voucher is final: the owner's wallet can withdraw
        PAID = "paid"
        RETURNED = "returned"
        REFUSED = "refused"  # by the engine: nothing was debited

    OPEN = (State.REQUESTED, State.HELD, State.REVIEW, State.GRANTED)

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="withdrawals")
    key = models.CharField(max_length=64)  # the caller's: the same again is the same withdrawal
    asset = models.CharField(max_length=12, default="USDC")
    amount_atoms = models.BigIntegerField()
    destination = models.CharField(max_length=ADDRESS_LENGTH)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    reason = models.TextField(blank=True)  # of a refusal or a return
    debit_number = models.BigIntegerField(null=True)
    voucher = models.BigIntegerField(null=True)
    settle_number = models.BigIntegerField(null=True)
    paid = models.BooleanField(null=True)  # how it ends; set with `settle_number`
    grant_signature = models.CharField(max_length=SIGNATURE_LENGTH, blank=True)
    withdraw_signature = models.CharField(max_length=SIGNATURE_LENGTH, blank=True)
    return_signature = models.CharField(max_length=SIGNATURE_LENGTH, blank=True)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    held_until = models.DateTimeField(null=True)
    granted_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)  # of the voucher, by the chain's clock
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("review_withdrawal", "Can ask for large withdrawals to be paid or returned")]
        indexes = [models.Index(fields=["account", "-id"], name="withdrawal_of_account")]
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="withdrawal_key_once_per_account"),
            models.UniqueConstraint(fields=["account", "debit_number"], name="withdrawal_debit_number_once"),
            models.UniqueConstraint(fields=["account", "voucher"], name="withdrawal_voucher_once"),
            models.UniqueConstraint(fields=["account", "settle_number"], name="withdrawal_settle_number_once"),
            models.CheckConstraint(name="withdrawal_amount_positive", condition=Q(amount_atoms__gt=0)),
            models.CheckConstraint(
                name="withdrawal_debited_before_it_leaves",
                condition=Q(state__in=("requested", "refused")) | ~Q(debit_number=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} of account {self.account_id}"
