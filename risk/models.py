from django.db import models
from django.utils import timezone


class FundingRate(models.Model):
    """A market's hourly funding. Written by the projector only."""

    pk = models.CompositePrimaryKey("market_id", "due_at")
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    due_at = models.DateTimeField()
    rate_ppb = models.BigIntegerField()
    index_e8 = models.BigIntegerField()


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

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["account", "id"])]


class RiskSnapshot(models.Model):
    """The exchange's risk in one period, as the sweep found it: a report in rounded floats, written once a period."""

    period_at = models.DateTimeField(primary_key=True)
    pools = models.IntegerField()
    equity_atoms = models.BigIntegerField()
    notional_atoms = models.BigIntegerField()
    maintenance_atoms = models.BigIntegerField()
    insurance_atoms = models.BigIntegerField()
    value_at_risk_atoms = models.BigIntegerField()
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
