from django.db import models


class OraclePrice(models.Model):
    """A market's mark and index as the engine changed them. Written by the projector only."""

    id = models.BigIntegerField(primary_key=True)  # journal seq x 2^20 + place in the batch
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    mark_ticks = models.BigIntegerField()
    index_e8 = models.BigIntegerField()
    confidence_e8 = models.BigIntegerField(null=True)  # not known of rows from before it was kept
    state = models.CharField(max_length=12)
    observed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["market", "id"])]
