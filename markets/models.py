from django.db import models


class Market(models.Model):
    """A market and its latest prices, as the journal says; written by the projector only."""

    id = models.IntegerField(primary_key=True)
    symbol = models.CharField(max_length=24, unique=True)
    base_asset = models.CharField(max_length=12)
    tick_e8 = models.BigIntegerField()
    lot_e8 = models.BigIntegerField()
    status = models.CharField(max_length=12)
    status_reason = models.TextField(blank=True)
    parameters = models.JSONField()
    mark_ticks = models.BigIntegerField(default=0)
    index_e8 = models.BigIntegerField(default=0)
    oracle_state = models.CharField(max_length=12, default="stale")
    last_ticks = models.BigIntegerField(default=0)
    open_interest_lots = models.BigIntegerField(default=0)
    predicted_funding_ppb = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.symbol


class Bar(models.Model):
    """How a price of one market moved in one interval. Weeks begin on Mondays, all in UTC. Written by the projector only."""

    INTERVALS_MS = {
        "1m": 60_000,
        "5m": 300_000,
        "15m": 900_000,
        "1h": 3_600_000,
        "4h": 14_400_000,
        "1d": 86_400_000,
        "1w": 604_800_000,
    }

    pk = models.CompositePrimaryKey("market_id", "interval", "opened_at")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    interval = models.CharField(max_length=3)
    opened_at = models.DateTimeField()
    open_ticks = models.BigIntegerField()
    high_ticks = models.BigIntegerField()
    low_ticks = models.BigIntegerField()
    close_ticks = models.BigIntegerField()

    class Meta:
        abstract = True


class Candle(Bar):
    """Trades of one market in one interval; rebuilt identically from the tape. There is no row where nothing traded."""

    volume_lots = models.BigIntegerField()
    volume_quote_atoms = models.BigIntegerField()
    trades = models.IntegerField()


class MarkCandle(Bar):
    """The mark of one market in one interval, and the open interest at its last sample (markets/marks.py says which)."""

    open_interest_lots = models.BigIntegerField()
    sampled_at = models.DateTimeField()


class Trade(models.Model):
    """The public tape: one row a match."""

    id = models.BigIntegerField(primary_key=True)  # trade_id
    market = models.ForeignKey(Market, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    price_ticks = models.BigIntegerField()
    size_lots = models.BigIntegerField()
    taker_side = models.CharField(max_length=4)
    kind = models.CharField(max_length=12)
    executed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["market", "id"])]
