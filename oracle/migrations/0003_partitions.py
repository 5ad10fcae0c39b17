"""Prices by days."""

from django.db import migrations

from markets.partitioning import partition


class Migration(migrations.Migration):
    dependencies = [("oracle", "0002_projection")]
    operations = [partition("oracle", "OraclePrice", column="observed_at")]
