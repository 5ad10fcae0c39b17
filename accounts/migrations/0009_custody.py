"""The ledger account of money that came in through the chain."""

from django.db import migrations

from markets.ledger import CUSTODY, NAMES


def create(apps, schema_editor):
    apps.get_model("accounts", "Account").objects.get_or_create(id=CUSTODY, defaults={"name": NAMES[CUSTODY]})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_active_account")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop, elidable=False)]
