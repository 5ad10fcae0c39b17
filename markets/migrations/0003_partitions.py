"""The tape by days."""

from django.db import migrations

from markets.partitioning import partition


class Migration(migrations.Migration):
    dependencies = [("markets", "0002_projection")]
    operations = [partition("markets", "Trade", column="executed_at")]
