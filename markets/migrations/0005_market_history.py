"""Candles of marks, and both kinds of candles by months; or as hypertables."""

import django.db.models.deletion
from django.db import migrations, models

from markets.partitioning import history

CHUNK_DAYS = 30


class Migration(migrations.Migration):
    dependencies = [("markets", "0004_ascending_indexes")]
    operations = [
        migrations.CreateModel(
            name="MarkCandle",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "market_id", "interval", "opened_at", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("interval", models.CharField(max_length=3)),
                ("opened_at", models.DateTimeField()),
                ("open_ticks", models.BigIntegerField()),
                ("high_ticks", models.BigIntegerField()),
                ("low_ticks", models.BigIntegerField()),
                ("close_ticks", models.BigIntegerField()),
                ("open_interest_lots", models.BigIntegerField()),
                ("sampled_at", models.DateTimeField()),
                (
                    "market",
                    models.ForeignKey(
                        db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to="markets.market"
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        history("markets", "Candle", column="opened_at", chunk_days=CHUNK_DAYS),
        history("markets", "MarkCandle", column="opened_at", chunk_days=CHUNK_DAYS),
    ]
