"""Funding rates by months; or as a hypertable."""

from django.db import migrations

from markets.partitioning import history


class Migration(migrations.Migration):
    dependencies = [("risk", "0003_ascending_indexes")]
    operations = [history("risk", "FundingRate", column="due_at", chunk_days=30)]
