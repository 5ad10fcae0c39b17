"""The journal by numbers and fills by days; room for updates in place where rows change often."""

import django.contrib.postgres.indexes
from django.db import migrations

from markets.partitioning import partition

ROOM_FOR_UPDATES = """
alter table trading_order set (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
alter table trading_position set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
alter table trading_projection set (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0004_journal")]
    operations = [
        migrations.AddIndex(
            model_name="order",
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=["updated_at"], name="order_by_update"),
        ),
        partition("trading", "Journal", column="seq"),
        partition("trading", "Fill", column="executed_at"),
        migrations.RunSQL(ROOM_FOR_UPDATES),
    ]
