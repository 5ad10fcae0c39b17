from django.db import models


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
