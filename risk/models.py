from django.db import models
from django.utils import timezone


class FundingRate(models.Model):
    """A market's hourly funding. Written by the projector only."""

    pk = models.CompositePrimaryKey("market_id", "due_at")
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    due_at = models.DateTimeField()
    rate_ppb = models.BigIntegerField()
    index_e8 = models.BigIntegerField()
    cumulative = models.DecimalField(max_digits=40, decimal_places=0, default=0)  # sum of rate_ppb x index_e8 over all hours


class FundingPayment(models.Model):
    """What one account received (negative: paid) for one market and hour. Written by the projector only."""

    pk = models.CompositePrimaryKey("account_id", "market_id", "due_at")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    due_at = models.DateTimeField()
    amount_atoms = models.BigIntegerField()


class Liquidation(models.Model):
    """One liquidation of one account, from the margin call to what the insurance account took. Written by the projector only."""

    id = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    equity_atoms = models.BigIntegerField()
    maintenance_atoms = models.BigIntegerField()
    closed_quote_atoms = models.BigIntegerField(default=0)
    fee_atoms = models.BigIntegerField(default=0)
    insurance_paid_atoms = models.BigIntegerField(default=0)
    taken_over = models.JSONField(default=list)
    equity_after_atoms = models.BigIntegerField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    pool_market_id = models.IntegerField(default=0)  # of the isolated position; 0 is the cross pool
    deleveraged = models.JSONField(default=list)
    steps_taken = models.IntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["account", "id"])]

    def __str__(self) -> str:
        return f"liquidation {self.id}"


class LiquidationStep(models.Model):
    """One step of a liquidation, with all numbers that decided it (markets.events.LiquidationStepped). Written by the projector only."""

    pk = models.CompositePrimaryKey("liquidation_id", "step")
    liquidation = models.ForeignKey(Liquidation, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="steps")
    step = models.IntegerField()
    stage = models.CharField(max_length=12)
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    position_lots = models.BigIntegerField()
    wanted_lots = models.BigIntegerField()
    closed_lots = models.BigIntegerField()
    mark_ticks = models.BigIntegerField()
    limit_ticks = models.BigIntegerField()
    bankruptcy_ticks = models.BigIntegerField()
    quote_atoms = models.BigIntegerField()
    realised_atoms = models.BigIntegerField()
    fee_atoms = models.BigIntegerField()
    equity_atoms = models.BigIntegerField()
    maintenance_atoms = models.BigIntegerField()
    equity_after_atoms = models.BigIntegerField()
    maintenance_after_atoms = models.BigIntegerField()
    taken_at = models.DateTimeField()


class FundMovement(models.Model):
    """Money that came into or left the insurance fund or the backstop. Written by the projector only."""

    id = models.BigIntegerField(primary_key=True)  # the ledger transfer's
    fund = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    other = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    asset = models.CharField(max_length=12)
    amount_atoms = models.BigIntegerField()  # negative left the fund
    kind = models.CharField(max_length=16)
    reason = models.TextField(blank=True)
    moved_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["fund", "id"])]


class Deleveraging(models.Model):
    """A position that was closed, in part or whole, against a bankrupt one. Written by the projector only."""

    id = models.BigIntegerField(primary_key=True)  # journal seq x 2^20 + place in the batch
    liquidation_id = models.BigIntegerField()  # 0: the backstop's own positions
    bankrupt_account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    position_lots = models.BigIntegerField()
    closed_lots = models.BigIntegerField()
    mark_ticks = models.BigIntegerField()
    quote_atoms = models.BigIntegerField()
    profit_atoms = models.BigIntegerField()
    side_profit_atoms = models.BigIntegerField()
    realised_atoms = models.BigIntegerField()
    closed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["account", "id"]), models.Index(fields=["liquidation_id"])]


class Dispute(models.Model):
    """An owner's or staff's objection to a liquidation, until it is resolved."""

    STATUSES = [
        ("open", "Open"),
        ("compensating", "Compensation asked for"),
        ("compensated", "Compensated"),
        ("rejected", "Rejected"),
    ]

    liquidation = models.ForeignKey(Liquidation, on_delete=models.PROTECT, db_constraint=False, related_name="disputes")
    opened_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    text = models.TextField()
    status = models.CharField(max_length=12, choices=STATUSES, default="open")
    resolution = models.TextField(blank=True)
    amount_atoms = models.BigIntegerField(default=0)  # the compensation
    approval = models.ForeignKey("accounts.Approval", on_delete=models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("resolve_dispute", "Can annotate and resolve disputes")]
        constraints = [
            models.UniqueConstraint(
                fields=["liquidation"], condition=models.Q(status__in=["open", "compensating"]), name="dispute_one_open_a_liquidation"
            )
        ]

    def __str__(self) -> str:
        return f"dispute {self.id} of liquidation {self.liquidation_id}"


class DisputeNote(models.Model):
    """What was said about a dispute, and by whom. Only ever added."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+", null=True)  # nobody: the schedule
    text = models.TextField()
    written_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]


class RiskSnapshot(models.Model):
    """The exchange's risk in one period, as the sweep found it: a report in rounded floats, written once a period."""

    period_at = models.DateTimeField(primary_key=True)
    pools = models.IntegerField()
    equity_atoms = models.BigIntegerField()
    notional_atoms = models.BigIntegerField()
    maintenance_atoms = models.BigIntegerField()
    insurance_atoms = models.BigIntegerField()
    value_at_risk_atoms = models.BigIntegerField()  # what the insurance fund would pay in a day, 99 %
    expected_shortfall_atoms = models.BigIntegerField()
    falls = models.JSONField(default=list)  # [{"move", "pools", "deficit_atoms"}]
    open_interest = models.JSONField(default=dict)  # share of the market's cap, by symbol

    class Meta:
        ordering = ["-period_at"]


class RiskAlert(models.Model):
    """Something that somebody should look at; the same thing once a period. Without an account it is the exchange's own."""

    KINDS = [
        ("margin_ratio", "Margin ratio"),
        ("insurance", "Insurance fund"),
        ("open_interest", "Open interest"),
        ("concentration", "Concentration"),
    ]
    LEVELS = [("warning", "Warning"), ("danger", "Danger")]

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=16, choices=KINDS)
    level = models.CharField(max_length=8, choices=LEVELS)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, db_constraint=False)
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False)
    period_at = models.DateTimeField()
    text = models.TextField()
    raised_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "level", "account", "market", "period_at"], name="risk_alert_once_a_period", nulls_distinct=False
            )
        ]
