"""Two more ledger accounts of the exchange: the backstop, and withdrawals on their way to the chain."""

from django.db import migrations

from markets.ledger import BACKSTOP, NAMES, PENDING_WITHDRAWALS


def create(apps, schema_editor):
    Account = apps.get_model("accounts", "Account")
    for account_id in (BACKSTOP, PENDING_WITHDRAWALS):
        Account.objects.get_or_create(id=account_id, defaults={"name": NAMES[account_id]})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_ascending_indexes")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop, elidable=False)]
